// A connection to an SMTP server: bytes with deadlines, replies, and what the server offers.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/fd.h"
#include "lib/result.h"
#include "remote/dane.h"
#include "remote/settings.h"
#include "remote/smtp_reply.h"
#include "remote/tls_outcome.h"

struct ssl_st;

namespace postern {

class TlsContext;
class TlsStream;

// One address of one host.
struct Target {
  std::string host;     // the name that it was found by; the address itself for literals
  std::string address;  // IPv4 or IPv6, no brackets; the path of a socket begins with a slash
  uint16_t port = 25;
  DaneLead dane = {};    // how the host was found
  bool lmtp = false;     // RFC 2033
  std::string source{};  // our address; empty: the system chooses
  std::string hello{};   // our name; empty: RemoteSettings::hello
};

// Its address is the path of a socket of this host: nobody can listen in or take its place.
bool is_local_socket(const Target& target);
std::string target_text(const Target& target);  // "mx.example.net[192.0.2.1]:25"

struct Extensions {
  bool pipelining = false;
  bool eight_bit_mime = false;
  bool smtputf8 = false;
  bool dsn = false;
  bool chunking = false;
  bool starttls = false;
  bool size = false;
  uint64_t size_limit = 0;  // bytes; 0: none told
  bool auth_plain = false;  // RFC 4616
  bool auth_login = false;
};

// From the lines of a reply to EHLO; the first is the greeting's. Those in `ignored` are passed over.
Extensions parse_extensions(const std::vector<std::string>& lines,
                            const std::vector<std::string>& ignored = {});

// What a reply is waited for, or taken by the server: each has its own time (SmtpTimeouts).
enum class Phase { greeting, hello, starttls, mail, rcpt, data, block, end, reset, auth };

class SmtpSession {
 public:
  // Connects. `dcid` is the connection's number in the log.
  static Result<std::unique_ptr<SmtpSession>> connect(const Target& target, uint64_t dcid,
                                                      const SmtpTimeouts& timeouts);
  // Over a socket that is connected, and blocks.
  static std::unique_ptr<SmtpSession> over(Fd socket, const Target& target, uint64_t dcid,
                                           const SmtpTimeouts& timeouts);
  ~SmtpSession();
  SmtpSession(const SmtpSession&) = delete;
  SmtpSession& operator=(const SmtpSession&) = delete;

  // Waits for the greeting, says EHLO, and HELO where EHLO is refused, or at once for `only_helo`; to an LMTP
  // server LHLO alone.
  Result<void> greet(const RemoteSettings& settings, bool only_helo = false);
  // STARTTLS, the handshake, and EHLO once more: what the server said before does not count any more. On
  // failure (4.7.4, 4.7.5) the session can be given nothing but its end, and `tls` tells why.
  Result<void> start_tls(TlsContext& context, const TlsDemand& demand, const RemoteSettings& settings);
  TlsOutcome tls;
  // OpenSSL's, for who shows the server's certificates; nullptr before a handshake was done.
  [[nodiscard]] const ssl_st* tls_connection() const;
  // What stood in plain text behind the reply to STARTTLS, and was thrown away.
  [[nodiscard]] size_t injected_bytes() const { return injected_bytes_; }
  // The server closed the connection for EHLO, or for HELO behind it: a new one that begins with HELO may be
  // taken (RFC 1869 4.7).
  [[nodiscard]] bool closed_at_ehlo() const { return closed_at_ehlo_; }
  // Its BDAT is not what it says.
  void forget_chunking() { extensions_.chunking = false; }
  // QUIT without waiting for the answer, and close.
  void quit();

  Result<void> send(std::string_view bytes, Phase phase);
  Result<ServerReply> read_reply(Phase phase);
  // Nothing has come that was not asked for, not even the end of the connection: what comes next is a reply
  // to what is said next.
  [[nodiscard]] bool quiet();
  // The same without asking the kernel: nothing stands in our own buffers.
  [[nodiscard]] bool read_all();
  // A reply that has come without our waiting, after a failure to send: why the server went.
  Result<ServerReply> last_words();

  // "WHERE said: CODE STATUS TEXT"
  [[nodiscard]] std::string said(const ServerReply& reply) const;
  [[nodiscard]] const Target& target() const { return target_; }
  [[nodiscard]] const Extensions& extensions() const { return extensions_; }
  [[nodiscard]] uint64_t dcid() const { return dcid_; }
  [[nodiscard]] std::string local_address() const;

  int64_t give_up = INT64_MAX;  // milliseconds of CLOCK_MONOTONIC: a deadline above those of the phases
  bool usable = true;           // false: no further message, and no QUIT
  bool needs_reset = false;     // a transaction was begun and not ended
  unsigned messages = 0;        // given to it so far
  int64_t idle_since = 0;       // milliseconds
  std::vector<char> input;      // the buffers of the message's way through, made with the first message
  std::string output;

 private:
  SmtpSession(Fd socket, Target target, uint64_t dcid, const SmtpTimeouts& timeouts);
  Result<void> finish_connect(std::string_view doing);
  Result<void> hello(const RemoteSettings& settings, bool only_helo);
  Result<void> ask_for_tls();
  Result<void> shake_hands(TlsContext& context, const TlsDemand& demand);
  Failure tls_failure(TlsFault fault, std::string_view status);
  ssize_t receive(std::span<char> into, int recv_flags);
  ssize_t transmit(std::string_view bytes);
  void take_pending(bool ask_kernel);
  [[nodiscard]] Failure refused(const ServerReply& reply) const;
  Result<ServerReply> say_hello(std::string_view verb, const std::string& hello);
  Result<ServerReply> read_until(int64_t deadline, Phase phase, int recv_flags);
  Result<void> wait(short events, int64_t deadline, std::string_view doing);
  Failure lost(std::string_view doing, int error);

  Fd socket_;
  std::unique_ptr<TlsStream> stream_;  // over socket_, from STARTTLS on
  Target target_;
  uint64_t dcid_;
  SmtpTimeouts timeouts_;
  Extensions extensions_;
  ReplyParser parser_;
  std::string received_;  // read and not yet parsed
  size_t injected_bytes_ = 0;
  bool peer_closed_ = false;
  bool closed_at_ehlo_ = false;
};

}  // namespace postern
