// The part of a session that turns it to TLS (RFC 3207).
#include <array>
#include <cerrno>
#include <cstring>

#include "lib/child.h"
#include "lib/text.h"
#include "remote/smtp_session.h"
#include "remote/tls_context.h"
#include "remote/tls_stream.h"

namespace postern {

namespace {
constexpr size_t kRefusalLimitBytes = 300;
}

Failure SmtpSession::tls_failure(TlsFault fault, std::string_view status) {
  tls.did = TlsOutcome::Did::failed;
  tls.fault = std::move(fault);
  return temporary("TLS to " + target_text(target_) + ": " + tls.fault.text, 0, std::string(status));
}

Result<void> SmtpSession::start_tls(TlsContext& context, const TlsDemand& demand,
                                    const RemoteSettings& settings) {
  if (Result<void> asked = ask_for_tls(); !asked) return asked;
  if (Result<void> shaken = shake_hands(context, demand); !shaken) return shaken;
  if (std::optional<TlsFault> fault = stream_->check(tls)) {
    if (!demand.report_only) return tls_failure(std::move(*fault), "4.7.5");
    tls.fault = std::move(*fault);
  }
  // Whatever was said before the handshake may have been said by anybody (RFC 3207 4.2).
  extensions_ = {};
  Result<void> greeted = hello(settings, false);
  closed_at_ehlo_ = false;  // HELO over a new connection would be no cure
  if (!greeted) {
    const Failure failure = greeted.failure();
    tls_failure({"validation-failure", failure.text}, "4.7.5");
    return failure;
  }
  return {};
}

const ssl_st* SmtpSession::tls_connection() const {
  return stream_ ? stream_->connection() : nullptr;
}

Result<void> SmtpSession::ask_for_tls() {
  Result<void> sent = send("STARTTLS\r\n", Phase::starttls);
  Result<ServerReply> reply = sent ? read_reply(Phase::starttls) : Result<ServerReply>(sent.failure());
  if (!reply) return tls_failure({"starttls-not-supported", reply.failure().text}, "4.7.4");
  if (reply->code != 220) {
    const std::string words = printable(reply->text(kRefusalLimitBytes), kRefusalLimitBytes);
    return tls_failure({"starttls-not-supported", "STARTTLS was refused: " + std::to_string(reply->code) +
                                                      " " + reply->status() + " " + words},
                       "4.7.4");
  }
  // The client speaks first now. What has come already was not said by who has the key: it is an injection,
  // and must never be taken for a reply.
  injected_bytes_ = received_.size();
  received_.clear();
  return {};
}

Result<void> SmtpSession::shake_hands(TlsContext& context, const TlsDemand& demand) {
  const int64_t deadline = now_milliseconds() + 1000 * timeouts_.starttls;
  const std::string doing = "shake hands for TLS with " + target_text(target_);
  Result<std::unique_ptr<TlsStream>> stream =
      TlsStream::make(socket_.get(), context, demand, target_.address + ":" + std::to_string(target_.port));
  if (!stream) {
    const Failure failure = stream.failure();
    tls_failure({"validation-failure", failure.text}, failure.status);
    usable = false;
    return failure;
  }
  for (;;) {
    switch ((*stream)->shake_hands()) {
      case TlsStream::Step::done:
        stream_ = std::move(*stream);
        return {};
      case TlsStream::Step::failed:
        usable = false;  // neither side knows what the other one has
        return tls_failure({"validation-failure", "handshake: " + (*stream)->error_text()}, "4.7.5");
      case TlsStream::Step::wait:
        break;
    }
    const bool late = now_milliseconds() >= deadline;
    const Result<void> ready =
        late ? Result<void>(lost(doing, ETIMEDOUT)) : wait((*stream)->awaited(), deadline, doing);
    if (!ready) return tls_failure({"validation-failure", ready.failure().text}, "4.7.5");
  }
}

}  // namespace postern
