#include "smtpd/event_log.h"

#include "lib/text.h"
#include "receipt/policies.h"

namespace postern::smtpd {

namespace {

constexpr size_t kWhyLimitBytes = 400;

std::string mid_of(uint64_t mid) {
  return "MID " + std::to_string(mid);
}
std::string in_brackets(std::string_view address) {
  return "<" + printable(address) + ">";
}

}  // namespace

EventLog::EventLog(uint64_t icid, int fd) : lines_(fd), icid_("ICID " + std::to_string(icid)) {}

void EventLog::line(std::string_view text) {
  lines_.info(text);
}

void EventLog::flush() {
  lines_.flush();
}

void EventLog::connected(const Settings& settings) {
  const SenderGroup& group = settings.sender_group;
  line("New SMTP " + icid_ + " interface " + printable(settings.listener, 64) + " (" + settings.local_ip +
       ") address " + settings.remote_ip + " reverse dns host " + settings.remote_host + " verified " +
       (group.host_verified ? "yes" : "no"));
  line(icid_ + " " + std::string(access_rule_name(settings.policy.rule)) + " SG " + group.name + " match " +
       group.entry + " SBRS " + group.score);
}

void EventLog::delayed_rejection(std::string_view what, std::string_view remote_ip) {
  line(icid_ + " Delayed HAT REJECT " + std::string(what) + " (" + std::string(remote_ip) + ")");
}

void EventLog::thrown_away(size_t bytes) {
  line(icid_ + " STARTTLS: " + std::to_string(bytes) + " bytes behind it were thrown away");
}

void EventLog::tls_begun(const TlsFacts& facts) {
  const auto or_unknown = [](const std::string& word) { return word.empty() ? "unknown" : word; };
  std::string text =
      icid_ + " TLS success protocol " + or_unknown(facts.protocol) + " cipher " + or_unknown(facts.cipher);
  if (facts.resumed) text += " resumed";
  if (!facts.server_name.empty()) text += " name " + facts.server_name;
  if (!facts.peer_fingerprint.empty()) {
    text += " client certificate '" + printable(facts.peer_subject, 256) + "' sha256 " +
            facts.peer_fingerprint + (facts.peer_verified ? " verified yes" : " verified no");
  }
  line(text);
}

void EventLog::tls_failed(std::string_view why) {
  line(icid_ + " TLS failed: " + printable(why, 256));
}

void EventLog::message_started(uint64_t mid, std::string_view sender) {
  line("Start " + mid_of(mid) + " " + icid_);
  line(mid_of(mid) + " " + icid_ + " From: " + in_brackets(sender));
}

void EventLog::recipient(uint64_t mid, size_t rid, std::string_view address) {
  line(mid_of(mid) + " " + icid_ + " RID " + std::to_string(rid) + " To: " + in_brackets(address));
}

void EventLog::recipient_refused(uint64_t mid, std::string_view address, const SmtpReply& reply) {
  line(mid_of(mid) + " " + icid_ + " To: " + in_brackets(address) + " rejected: " + printable(reply.line()));
}

void EventLog::invalid_bounce(uint64_t mid, std::string_view address, std::string_view what) {
  line(mid_of(mid) + " " + icid_ + " invalid bounce, rcpt address " + in_brackets(address) + " " +
       std::string(what) + " by bounce verification.");
}

void EventLog::recipient_decided(uint64_t mid, std::string_view address, const Decision& decision) {
  line(mid_of(mid) + " " + icid_ + " To: " + in_brackets(address) + " decided by " + decision.step + ": " +
       one_line(decision.why, kWhyLimitBytes));
}

void EventLog::recipient_rewritten(uint64_t mid, std::string_view address, std::string_view why) {
  line(mid_of(mid) + " " + icid_ + " To: " + in_brackets(address) +
       " rewritten: " + printable(why, kWhyLimitBytes));
}

void EventLog::recipient_dropped(uint64_t mid, std::string_view address, std::string_view why) {
  line(mid_of(mid) + " " + icid_ + " To: " + in_brackets(address) +
       " dropped: " + printable(why, kWhyLimitBytes));
}

void EventLog::message_dropped(uint64_t mid) {
  line("Message dropped " + mid_of(mid) + " all of its recipients are dropped");
}

void EventLog::fields(uint64_t mid, const HeaderScan& header) {
  if (!header.message_id().empty())
    line(mid_of(mid) + " Message-ID '" + printable(header.message_id(), 256) + "'");
  if (!header.subject().empty()) line(mid_of(mid) + " Subject '" + printable(header.subject(), 256) + "'");
}

// Cisco's words: "SPF: mailfrom identity a@example.org Pass"; the reason behind them is ours.
void EventLog::spf(uint64_t mid, const SpfAnswer& answer, std::string_view sender) {
  std::string word(spf_word(answer.result));
  word.front() = static_cast<char>(word.front() - 'a' + 'A');
  const std::string_view identity = answer.identity == "helo" ? std::string_view(answer.domain) : sender;
  line((mid != 0 ? mid_of(mid) : icid_) + " SPF: " + answer.identity + " identity " +
       printable(identity, 256) + " " + word + " (" + printable(answer.reason) + ")");
}

void EventLog::because(const Decision& decision) {
  if (!decision.why.empty()) line(icid_ + " " + decision.step + ": " + one_line(decision.why));
}

void EventLog::ready(uint64_t mid, uint64_t size_bytes, std::string_view sender) {
  line(mid_of(mid) + " ready " + std::to_string(size_bytes) + " bytes from " + in_brackets(sender));
}

void EventLog::refused(uint64_t mid, const SmtpReply& reply) {
  line(mid_of(mid) + " " + icid_ + " rejected: " + printable(reply.line()));
}

void EventLog::refused(const SmtpReply& reply) {
  line(icid_ + " rejected: " + printable(reply.line()));
}

void EventLog::authenticated(std::string_view user, std::string_view mechanism) {
  line("SMTP Auth: (" + icid_ + ") succeeded for user: " + printable(user, 255) +
       " using AUTH mechanism: " + printable(mechanism, 40));
}

void EventLog::authentication_failed(std::string_view user, std::string_view mechanism,
                                     std::string_view why) {
  line("SMTP Auth: (" + icid_ + ") failed for user: " + (user.empty() ? "?" : printable(user, 255)) +
       " using AUTH mechanism: " + printable(mechanism, 40) + (why.empty() ? "" : ": " + std::string(why)));
}

void EventLog::limited(std::string_view why) {
  line(icid_ + " rate limit met: " + std::string(why));
}

void EventLog::aborted(uint64_t mid) {
  line("Message aborted " + mid_of(mid) + " Receiving aborted");
}

void EventLog::closed() {
  line(icid_ + " close");
  flush();
}

}  // namespace postern::smtpd
