#include "remote/tls_stream.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "lib/control.h"
#include "lib/secret_file.h"
#include "lib/text.h"
#include "remote/tls_context.h"

namespace postern {

// The socket as OpenSSL sees it. Its own would write without MSG_NOSIGNAL, and wait where we say when to
// wait.
struct WireBio {
  using Wire = TlsStream::Wire;
  static constexpr unsigned kReadsAtATime = 8;
  static Wire& wire(BIO* bio) { return *static_cast<Wire*>(::BIO_get_data(bio)); }

  static int read(BIO* bio, char* into, int size) {
    Wire& of = wire(bio);
    ::BIO_clear_retry_flags(bio);
    // OpenSSL reads until it has something for us. A server that sends a handshake byte by byte, or one
    // ticket after another, would keep it there for ever: it waits once at most, and then our deadline is
    // looked at.
    const bool first = of.reads++ == 0;
    ssize_t got = -1;
    errno = EAGAIN;
    if (of.reads <= kReadsAtATime)
      got = ::recv(of.socket, into, static_cast<size_t>(size), first ? of.recv_flags : MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) ::BIO_set_retry_read(bio);
    of.at_end = got == 0;
    return static_cast<int>(got);
  }

  static int write(BIO* bio, const char* bytes, int size) {
    ::BIO_clear_retry_flags(bio);
    const ssize_t sent =
        ::send(wire(bio).socket, bytes, static_cast<size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) ::BIO_set_retry_write(bio);
    return static_cast<int>(sent);
  }

  static long control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
    if (command == BIO_CTRL_FLUSH) return 1;
    return command == BIO_CTRL_EOF && wire(bio).at_end ? 1 : 0;
  }

  // Made once a process, and kept.
  static BIO_METHOD* method() {
    static BIO_METHOD* const kMethod = [] {
      BIO_METHOD* made = ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
      if (made != nullptr) {
        ::BIO_meth_set_read(made, read);
        ::BIO_meth_set_write(made, write);
        ::BIO_meth_set_ctrl(made, control);
      }
      return made;
    }();
    return kMethod;
  }
};

namespace {

bool is_address(const std::string& name) {
  std::array<unsigned char, 16> bytes{};
  return ::inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

// A session may be resumed only for the same demand: its certificate was looked at for that one alone.
std::string key_of(const TlsDemand& demand, const std::string& peer) {
  std::string key = peer + '\0' + std::to_string(static_cast<int>(demand.need)) + '\0' + demand.certificate;
  for (const std::string& name : demand.names) key += '\0' + name;
  for (const Tlsa& record : demand.tlsa) {
    key += '\0' + std::to_string(record.usage) + ' ' + std::to_string(record.selector) + ' ' +
           std::to_string(record.matching) + ' ' + hexadecimal(record.data);
  }
  return key;
}

TlsFault fault_of(long verify_result) {
  const std::string text = printable(::X509_verify_cert_error_string(verify_result), 200);
  switch (verify_result) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return {"certificate-host-mismatch", text};
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {"certificate-expired", text};
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_REJECTED:
    case X509_V_ERR_INVALID_CA:
      return {"certificate-not-trusted", text};
    default:
      return {"validation-failure", text};
  }
}

}  // namespace

TlsStream::~TlsStream() {
  if (ssl_ == nullptr) return;
  // Without this OpenSSL would take every session for broken that did not end with both sides' leave.
  if (!broken_) ::SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  ::SSL_free(ssl_);
}

Result<std::unique_ptr<TlsStream>> TlsStream::make(int socket, TlsContext& context, const TlsDemand& demand,
                                                   const std::string& peer) {
  std::unique_ptr<TlsStream> made(new TlsStream(context, demand));
  if (Result<void> ready = made->set_up(socket, peer); !ready) return ready.failure();
  return made;
}

Result<void> TlsStream::set_up(int socket, const std::string& peer) {
  ::ERR_clear_error();
  wire_.socket = socket;
  ssl_ = ::SSL_new(context_.get());
  BIO_METHOD* const method = WireBio::method();
  BIO* const bio = ssl_ == nullptr || method == nullptr ? nullptr : ::BIO_new(method);
  if (bio == nullptr) return temporary("start TLS: " + tls_error_text());
  ::BIO_set_data(bio, &wire_);
  ::BIO_set_init(bio, 1);
  ::SSL_set_bio(ssl_, bio, bio);
  SSL_set_app_data(ssl_, this);
  ::SSL_CTX_sess_set_new_cb(context_.get(), on_new_session);
  authenticates_ = demand_.need == TlsNeed::authenticated;
  // Where no certificate is looked at, weak TLS is still better than none (RFC 7435); the lowest version is
  // the operator's word all the same.
  ::SSL_set_security_level(ssl_, authenticates_ ? 1 : 0);
  ::SSL_set_verify(ssl_, SSL_VERIFY_NONE, nullptr);  // check() asks for the result
  if (Result<void> named = set_names(); !named) return named;
  if (Result<void> shown = set_certificate(); !shown) return shown;
  session_key_ = key_of(demand_, peer);
  if (SSL_SESSION* session = context_.session(session_key_); session != nullptr)
    ::SSL_set_session(ssl_, session);
  ::SSL_set_connect_state(ssl_);
  return {};
}

// SNI, and what the certificate must be.
Result<void> TlsStream::set_names() {
  const bool sni = !demand_.names.empty() && !is_address(demand_.names.front());
  bool fine = !sni || ::SSL_set_tlsext_host_name(ssl_, demand_.names.front().c_str()) == 1;
  if (!authenticates_) return fine ? Result<void>() : temporary("start TLS: " + tls_error_text());
  if (!demand_.tlsa.empty()) {
    Result<bool> usable = set_tlsa();
    if (!usable) return usable.failure();
    if (!*usable && demand_.why == "dane-only")
      return temporary("start TLS: OpenSSL can use none of the TLSA records, policy dane-only", 0, "4.7.5");
    authenticates_ = *usable;  // none that OpenSSL knows how to use: TLS all the same (RFC 7672 2.2)
    return {};
  }
  Result<X509_STORE*> authorities = context_.authorities();
  if (!authorities) return authorities.failure();
  fine = fine && ::SSL_set1_verify_cert_store(ssl_, *authorities) == 1;
  // RFC 6125 6.4.3: a wildcard is a whole label, or none; RFC 8461 4.1, RFC 9525 2: a name in the subject is
  // none.
  ::SSL_set_hostflags(ssl_, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  for (const std::string& name : demand_.names) {
    fine =
        fine && (is_address(name) ? ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(ssl_), name.c_str()) == 1
                                  : ::SSL_add1_host(ssl_, name.c_str()) == 1);
  }
  return fine ? Result<void>() : temporary("start TLS: " + tls_error_text());
}

// False where none of the records can be used. A failure is one of ours: nothing is let through for it.
Result<bool> TlsStream::set_tlsa() {
  const char* base = demand_.names.empty() ? nullptr : demand_.names.front().c_str();
  if (::SSL_dane_enable(ssl_, base) <= 0)
    return temporary("start TLS with DANE: " + tls_error_text(), 0, "4.7.5");
  // DANE-EE says which key, whatever names stand beside it (RFC 7672 3.1.1).
  ::SSL_dane_set_flags(ssl_, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
  ::SSL_set_hostflags(ssl_, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // A name that OpenSSL does not take is one that no certificate can have: fewer names ask for more.
  for (size_t i = 1; i < demand_.names.size(); ++i) (void)::SSL_add1_host(ssl_, demand_.names[i].c_str());
  bool any = false;
  for (const Tlsa& record : demand_.tlsa) {
    const auto* data = reinterpret_cast<const unsigned char*>(record.data.data());
    const int added =
        ::SSL_dane_tlsa_add(ssl_, static_cast<uint8_t>(record.usage), static_cast<uint8_t>(record.selector),
                            static_cast<uint8_t>(record.matching), data, record.data.size());
    any = any || added > 0;
  }
  ::ERR_clear_error();
  return any;
}

Result<void> TlsStream::set_certificate() {
  if (demand_.certificate.empty()) return {};
  const std::string path = home_path("secrets/posternr/" + demand_.certificate + ".pem");
  if (Result<void> secret = check_secret(path); !secret) return secret;
  if (::SSL_use_certificate_chain_file(ssl_, path.c_str()) == 1 &&
      ::SSL_use_PrivateKey_file(ssl_, path.c_str(), SSL_FILETYPE_PEM) == 1 &&
      ::SSL_check_private_key(ssl_) == 1) {
    return {};
  }
  return temporary(
      "use the client certificate " + path + " (certificate, chain and key in PEM): " + tls_error_text(), 0,
      "4.3.5");
}

void TlsStream::begin_call(int recv_flags) {
  ::ERR_clear_error();
  errno = 0;
  wire_.recv_flags = recv_flags;
  wire_.reads = 0;
}

TlsStream::Step TlsStream::shake_hands() {
  begin_call(0);
  return step_of(::SSL_do_handshake(ssl_));
}

TlsStream::Step TlsStream::step_of(int result) {
  const int error = errno;
  switch (result == 1 ? SSL_ERROR_NONE : ::SSL_get_error(ssl_, result)) {
    case SSL_ERROR_NONE:
      return Step::done;
    case SSL_ERROR_WANT_READ:
      awaited_ = POLLIN;
      return Step::wait;
    case SSL_ERROR_WANT_WRITE:
      awaited_ = POLLOUT;
      return Step::wait;
    default:
      break;
  }
  broken_ = true;
  context_.forget_session(session_key_);
  if (::ERR_peek_last_error() != 0) {
    error_text_ = tls_error_text();
  } else {
    error_text_ = error != 0 && !wire_.at_end ? std::strerror(error) : "the connection was closed";
  }
  return Step::failed;
}

std::optional<TlsFault> TlsStream::check(TlsOutcome& outcome) {
  outcome.protocol = ::SSL_get_version(ssl_);
  outcome.cipher = ::SSL_get_cipher_name(ssl_);
  outcome.resumed = ::SSL_session_reused(ssl_) == 1;
  outcome.did = TlsOutcome::Did::encrypted;
  if (!authenticates_) return std::nullopt;
  TlsFault fault;
  if (::SSL_get0_peer_certificate(ssl_) == nullptr) {
    fault = {"validation-failure", "the server showed no certificate"};
  } else if (demand_.tlsa.empty() && demand_.names.empty()) {
    fault = {"certificate-host-mismatch", "there is no name that the certificate could be compared with"};
  } else if (const long result = ::SSL_get_verify_result(ssl_); result != X509_V_OK) {
    fault = fault_of(result);
  } else {
    outcome.did = TlsOutcome::Did::authenticated;
    return std::nullopt;
  }
  context_.forget_session(session_key_);
  session_key_.clear();
  return fault;
}

int TlsStream::on_new_session(ssl_st* ssl, ssl_session_st* session) {
  auto& stream = *static_cast<TlsStream*>(SSL_get_app_data(ssl));
  if (stream.session_key_.empty()) return 0;  // not ours to free then
  if (!std::exchange(stream.got_session_, true) && ::SSL_session_reused(ssl) == 0)
    stream.context_.forget_session(stream.session_key_);
  stream.context_.keep_session(stream.session_key_, OwnedSession(session));
  return 1;
}

ssize_t TlsStream::result_of(int result) {
  const int error = errno;
  if (result > 0) return result;
  if (::SSL_get_error(ssl_, result) == SSL_ERROR_ZERO_RETURN) return 0;
  errno = error;
  if (step_of(result) == Step::wait) {
    errno = EAGAIN;
    return -1;
  }
  if (wire_.at_end) return 0;
  errno = error == 0 || error == EAGAIN ? EPROTO : error;
  return -1;
}

ssize_t TlsStream::read(std::span<char> into, int recv_flags) {
  begin_call(recv_flags);
  return result_of(::SSL_read(ssl_, into.data(), static_cast<int>(into.size())));
}

ssize_t TlsStream::write(std::string_view bytes) {
  constexpr size_t kMost = size_t{1} << 24;  // SSL_write counts with an int
  begin_call(0);
  const ssize_t sent =
      result_of(::SSL_write(ssl_, bytes.data(), static_cast<int>(std::min(bytes.size(), kMost))));
  if (sent != 0) return sent;
  errno = EPIPE;
  return -1;
}

bool TlsStream::has_pending() const {
  return ::SSL_has_pending(ssl_) == 1;
}

void TlsStream::close() {
  if (broken_) return;
  begin_call(MSG_DONTWAIT);
  (void)::SSL_shutdown(ssl_);
  ::ERR_clear_error();
}

}  // namespace postern
