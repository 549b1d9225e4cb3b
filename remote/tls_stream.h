// TLS over a connected socket: the handshake a step at a time, reads and writes as recv(2) and send(2) have
// them, and whether the server's certificate is what a demand wants.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lib/result.h"
#include "remote/tls_demand.h"
#include "remote/tls_outcome.h"

struct ssl_st;
struct ssl_session_st;

namespace postern {

class TlsContext;

class TlsStream {
 public:
  // `socket` stays its caller's; `context` must outlive the stream. `peer`: "ADDRESS:PORT", for sessions. The
  // failures (4.3.5) are the operator's: no such client certificate, no directory of authorities.
  static Result<std::unique_ptr<TlsStream>> make(int socket, TlsContext& context, const TlsDemand& demand,
                                                 const std::string& peer);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  enum class Step { done, wait, failed };
  // Whatever the certificate: who it belongs to is asked of check().
  Step shake_hands();
  // Behind `wait`, or EAGAIN of read and write: POLLIN or POLLOUT.
  [[nodiscard]] short awaited() const { return awaited_; }
  // Behind `failed`, or an error of read and write; printable.
  [[nodiscard]] const std::string& error_text() const { return error_text_; }

  // After the handshake: what of the demand is not met; nothing where it is. Fills protocol, cipher and the
  // rest into the outcome. A session that did not meet it is never resumed.
  std::optional<TlsFault> check(TlsOutcome& outcome);

  // 0 at the end of the connection, -1 with errno; EPROTO for a fault of TLS.
  ssize_t read(std::span<char> into, int recv_flags);
  ssize_t write(std::string_view bytes);
  // Bytes of the connection are here that have not been read: perhaps no more than a ticket.
  [[nodiscard]] bool has_pending() const;
  [[nodiscard]] const ssl_st* connection() const { return ssl_; }
  // Says that this is the end, without waiting.
  void close();

 private:
  struct Wire {  // of the BIO
    int socket = -1;
    int recv_flags = 0;
    unsigned reads = 0;  // in this call of OpenSSL
    bool at_end = false;
  };
  TlsStream(TlsContext& context, const TlsDemand& demand) : context_(context), demand_(demand) {}
  Result<void> set_up(int socket, const std::string& peer);
  Result<void> set_names();
  Result<void> set_certificate();
  void begin_call(int recv_flags);  // of OpenSSL
  Result<bool> set_tlsa();
  Step step_of(int result);
  ssize_t result_of(int result);
  static int on_new_session(ssl_st* ssl, ssl_session_st* session);
  friend struct WireBio;

  TlsContext& context_;
  TlsDemand demand_;
  ssl_st* ssl_ = nullptr;
  Wire wire_;
  std::string session_key_;
  std::string error_text_;
  short awaited_ = 0;
  bool broken_ = false;
  bool authenticates_ = false;  // the demand's need, where its TLSA records can be used at all
  bool got_session_ = false;
};

}  // namespace postern
