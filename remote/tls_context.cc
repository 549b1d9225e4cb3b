#include "remote/tls_context.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>

#include "lib/child.h"
#include "lib/text.h"

namespace postern {

namespace {

// Each holds the server's certificates: some 10 KiB.
constexpr size_t kSessionLimit = 100;
// The certificates of a session are not looked at again when it is resumed, so it must not outlive them by
// long.
constexpr int64_t kSessionMilliseconds = int64_t{3600} * 1000;
constexpr std::array<int, 4> kVersions = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};

// A key that has a passphrase cannot be used: nobody is there to be asked.
int no_passphrase(char* /*into*/, int /*size*/, int /*writing*/, void* /*unused*/) {
  return 0;
}

}  // namespace

std::string tls_error_text() {
  const unsigned long error = ::ERR_peek_last_error();
  const char* reason = error == 0 ? nullptr : ::ERR_reason_error_string(error);
  ::ERR_clear_error();
  return reason == nullptr ? "unknown fault" : printable(reason, 200);
}

Result<std::unique_ptr<TlsContext>> TlsContext::make(const RemoteSettings& settings) {
  std::unique_ptr<TlsContext> made(new TlsContext());
  made->authorities_path_ = settings.tls_authorities;
  made->context_.reset(::SSL_CTX_new(::TLS_client_method()));
  SSL_CTX* context = made->get();
  const bool ready = context != nullptr &&
                     ::SSL_CTX_set_min_proto_version(context, kVersions.at(settings.tls_minimum)) == 1 &&
                     ::SSL_CTX_dane_enable(context) > 0;
  if (!ready) return temporary("start TLS: " + tls_error_text());
  // The end of a message and of a reply are told by SMTP itself: a connection that ends without TLS' own end
  // cuts nothing off.
  ::SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
  ::SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
  ::SSL_CTX_set_read_ahead(context, 1);  // a record is one recv, not two
  ::SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  // Which session may be resumed where is ours to say: by host, address and demand.
  ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  return made;
}

Result<X509_STORE*> TlsContext::authorities() {
  if (!authorities_) {
    authorities_.reset(::X509_STORE_new());
    if (!authorities_ || ::X509_STORE_load_path(authorities_.get(), authorities_path_.c_str()) != 1) {
      authorities_.reset();
      return temporary(
          "use the directory of control/tlscapath, " + authorities_path_ + ": " + tls_error_text(), 0,
          "4.3.5");
    }
  }
  return authorities_.get();
}

SSL_SESSION* TlsContext::session(const std::string& key) {
  const auto found = sessions_.find(key);
  if (found == sessions_.end()) return nullptr;
  const bool old = now_milliseconds() - found->second.since >= kSessionMilliseconds;
  if (!old && ::SSL_SESSION_is_resumable(found->second.session.get()) == 1)
    return found->second.session.get();
  sessions_.erase(found);
  return nullptr;
}

void TlsContext::keep_session(const std::string& key, OwnedSession session) {
  // A later ticket of the same connection, or of one that was resumed, makes its first handshake no younger:
  // what lives on is at most as old as the limit.
  if (const auto found = sessions_.find(key); found != sessions_.end()) {
    found->second.session = std::move(session);
    return;
  }
  if (sessions_.size() >= kSessionLimit) {
    sessions_.erase(std::min_element(sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) {
      return a.second.since < b.second.since;
    }));
  }
  sessions_.emplace(key, Kept{std::move(session), now_milliseconds()});
}

void TlsContext::forget_session(const std::string& key) {
  sessions_.erase(key);
}

}  // namespace postern
