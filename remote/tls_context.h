// What all TLS connections of a process share: OpenSSL's context, the directory of authorities, and the
// sessions that later connections resume. Made at the first need of TLS and not before: OpenSSL's own start
// costs more than a delivery without it.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "lib/result.h"
#include "remote/settings.h"

namespace postern {

struct FreeSession {
  void operator()(SSL_SESSION* session) const { ::SSL_SESSION_free(session); }
};
using OwnedSession = std::unique_ptr<SSL_SESSION, FreeSession>;

class TlsContext {
 public:
  static Result<std::unique_ptr<TlsContext>> make(const RemoteSettings& settings);

  [[nodiscard]] SSL_CTX* get() const { return context_.get(); }
  // control/tlscapath; made when a demand first wants it.
  Result<X509_STORE*> authorities();

  // The session of the last connection under that key; nullptr where there is none, or an old one. It stays
  // the context's.
  SSL_SESSION* session(const std::string& key);
  void keep_session(const std::string& key, OwnedSession session);
  void forget_session(const std::string& key);

 private:
  struct FreeContext {
    void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
  };
  struct FreeStore {
    void operator()(X509_STORE* store) const { ::X509_STORE_free(store); }
  };
  struct Kept {
    OwnedSession session;
    int64_t since = 0;  // milliseconds
  };
  TlsContext() = default;

  std::unique_ptr<SSL_CTX, FreeContext> context_;
  std::unique_ptr<X509_STORE, FreeStore> authorities_;
  std::string authorities_path_;
  std::unordered_map<std::string, Kept> sessions_;
};

// What OpenSSL has to say of the last fault, its queue emptied; printable.
std::string tls_error_text();

}  // namespace postern
