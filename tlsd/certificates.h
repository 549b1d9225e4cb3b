// The certificates that we show, with their keys: which one for which name that a client asks for (SNI).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/result.h"
#include "tlsd/settings.h"
#include "tlsd/ticket_keys.h"

struct ssl_st;
struct ssl_ctx_st;

namespace postern::tlsd {

struct FreeContext {
  void operator()(ssl_ctx_st* context) const;
};
using Context = std::unique_ptr<ssl_ctx_st, FreeContext>;

// What stands for a name: NAME.pem, and NAME.rsa.pem, NAME.ecdsa.pem or NAME.ed25519.pem with a key of
// another kind. The names that a certificate itself has (subjectAltName, with wildcards) lead to it as well,
// where no file is called so.
class Certificates {
 public:
  // Reads the directory. `problems`: files that cannot be used, each with its name and the remedy; the others
  // are read all the same. A failure: nothing can be served at all. `tickets` must outlive it.
  static Result<std::unique_ptr<Certificates>> read(const TlsdSettings& settings, TicketKeys& tickets,
                                                    std::vector<std::string>& problems);
  [[nodiscard]] bool empty() const { return !default_context_; }
  [[nodiscard]] size_t count() const { return contexts_.size(); }
  // For a new connection; its name chooses another one in the handshake. Null where there is none.
  [[nodiscard]] ssl_ctx_st* context() const { return default_context_; }
  // Whose name that is; null: nobody's.
  [[nodiscard]] ssl_ctx_st* find(std::string_view name) const;

 private:
  Certificates() = default;
  Result<Context> make_context(const TlsdSettings& settings, TicketKeys& tickets);
  void add_names(ssl_ctx_st* context);
  static int on_name(ssl_st* ssl, int* alert, void* certificates);

  std::unordered_map<std::string, Context> contexts_;         // by the file's name
  std::unordered_map<std::string, ssl_ctx_st*> other_names_;  // "*.example.org" for a wildcard
  ssl_ctx_st* default_context_ = nullptr;
};

// The last fault that OpenSSL tells of, printable; forgets all of them.
std::string openssl_error();

}  // namespace postern::tlsd
