// STARTTLS (RFC 3207), and TLS from the first byte (RFC 8314).
#include <algorithm>

#include "lib/log.h"
#include "smtpd/session.h"

namespace postern::smtpd {

namespace {

constexpr size_t kSubjectLimitBytes = 128;

// For a comment of a header field: RFC 5322's comments have a syntax, and the client chose these bytes.
std::string comment_text(std::string_view text) {
  std::string safe(text.substr(0, kSubjectLimitBytes));
  std::replace_if(
      safe.begin(), safe.end(),
      [](char c) { return c < 0x20 || c > 0x7e || c == '(' || c == ')' || c == '\\' || c == '"'; }, '?');
  return safe;
}

}  // namespace

bool Session::offers_tls() const {
  return !tls_ && settings_.policy.tls != TlsUse::off && tls_layer_.offered && tls_layer_.offered();
}

void Session::starttls(const Command& command) {
  if (!command.argument.empty()) return refuse(Reply::takes_no_argument);
  if (tls_) return refuse(Reply::tls_is_on);
  if (!offers_tls()) return refuse(Reply::not_implemented);
  if (!extended_) return refuse(Reply::not_greeted);
  if (too_many_commands()) return;
  if (const Result<void> there = tls_layer_.prepare(); !there) {
    log_warning("begin TLS", there.failure());
    return answer(Reply::no_tls_now);
  }
  abort_transaction();
  answer(Reply::begin_tls);
  // CVE-2011-0411: what somebody put behind the command, in clear, must not be taken for what the client says
  // under TLS.
  if (const size_t bytes = client_.throw_input_away(); bytes != 0) log_.thrown_away(bytes);
  client_.flush();
  begin_tls();
}

// RFC 3207, 4.2: whatever the client said before is forgotten.
void Session::begin_tls() {
  log_.flush();
  Result<TlsFacts> facts = tls_layer_.begin(client_);
  if (!facts) {
    log_.tls_failed(facts.failure().text);
    over_ = true;
    return;
  }
  log_.tls_begun(*facts);
  helo_.clear();
  extended_ = false;
  forget_user();
  recipient_checks_.reset();  // they know the connection as it was
  tls_is(std::move(*facts));
}

void Session::tls_is(TlsFacts facts) {
  tls_ = std::move(facts);
  environment_.set("POSTERN_TLS_PROTOCOL", tls_->protocol.empty() ? "TLS" : tls_->protocol);
  environment_.set("POSTERN_TLS_CIPHER", tls_->cipher);
  if (tls_->peer_fingerprint.empty()) return;
  environment_.set("POSTERN_TLS_PEER", tls_->peer_subject);
  environment_.set("POSTERN_TLS_PEER_SHA256", tls_->peer_fingerprint);
  environment_.set("POSTERN_TLS_PEER_VERIFIED", tls_->peer_verified ? "yes" : "no");
}

// Without a certificate here, or with tlsd away, the client could not do what 530 asks for.
bool Session::lacks_tls() {
  if (tls_ || settings_.policy.tls != TlsUse::required) return false;
  const Reply reply = offers_tls() ? Reply::needs_tls : Reply::no_tls_now;
  log_.refused(smtp_reply(reply));
  refuse(reply);
  return true;
}

std::string Session::tls_comment() const {
  if (!tls_ || tls_->protocol.empty()) return {};
  std::string text = "\n  (" + tls_->protocol + " cipher " + tls_->cipher;
  if (tls_->bits != 0) text += " bits " + std::to_string(tls_->bits);
  if (!tls_->peer_fingerprint.empty()) {
    text.append(",\n  client certificate ").append(comment_text(tls_->peer_subject));
    text += tls_->peer_verified ? ", verified" : ", not verified";
  }
  return text + ")";
}

}  // namespace postern::smtpd
