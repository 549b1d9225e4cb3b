#include "smtpd/event_log.h"

#include "lib/text.h"

namespace postern::smtpd {

namespace {

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
  line("New SMTP " + icid_ + " interface " + printable(settings.listener, 64) + " (" + settings.local_ip +
       ") address " + settings.remote_ip + " reverse dns host " + settings.remote_host + " verified no");
  line(icid_ +
       (settings.relay_suffix ? " RELAY SG RELAYLIST match RELAYCLIENT" : " ACCEPT SG None match ALL") +
       " SBRS None");
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

void EventLog::fields(uint64_t mid, const HeaderScan& header) {
  if (!header.message_id().empty())
    line(mid_of(mid) + " Message-ID '" + printable(header.message_id(), 256) + "'");
  if (!header.subject().empty()) line(mid_of(mid) + " Subject '" + printable(header.subject(), 256) + "'");
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

void EventLog::aborted(uint64_t mid) {
  line("Message aborted " + mid_of(mid) + " Receiving aborted");
}

void EventLog::closed() {
  line(icid_ + " close");
  flush();
}

}  // namespace postern::smtpd
