// parts: smtpd/client.cc smtpd/command.cc smtpd/data.cc smtpd/ask_auth.cc smtpd/session_auth.cc
// parts: smtpd/stress.cc
// parts: smtpd/envelope_command.cc smtpd/event_log.cc smtpd/header_scan.cc smtpd/message.cc
// parts: smtpd/path.cc smtpd/replies.cc smtpd/session.cc smtpd/session_message.cc smtpd/session_tls.cc
// parts: smtpd/session_begin.cc smtpd/settings.cc smtpd/tls_layer.cc receipt/policies.cc
// parts: smtpd/session_recipient.cc receipt/recipient.cc receipt/recipient_inquiries.cc
// parts: receipt/recipient_settings.cc receipt/recipient_table.cc receipt/line_table.cc
// parts: receipt/domain_map.cc receipt/alias_table.cc receipt/rcpthosts.cc smtpd/session_sender.cc
// parts: receipt/sender_dns.cc receipt/sender_spf.cc receipt/helo_check.cc receipt/default_domain.cc
// parts: receipt/send_as.cc receipt/from_field.cc receipt/encoded_words.cc receipt/spoof.cc
// parts: receipt/rates.cc receipt/rated_line.cc receipt/rate_check.cc receipt/client_notes.cc
// parts: smtpd/session_access.cc smtpd/session_xclient.cc smtpd/xclient.cc
// parts: receipt/access_question.cc receipt/bounce_tag.cc receipt/address_prefix.cc
//
// The whole conversation. The first byte chooses the settings, a byte 0xff ends a packet; with TLS on offer,
// a byte 0xfe ends what is said in clear. Behind it stands a plain model that knows only this: a message ends
// at CR LF . CR LF after a 354 or with a BDAT LAST, so there are no more messages than such ends; each
// accepted one has its own 250, and each 250 of that kind its message.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/text.h"
#include "lib/utf8.h"
#include "tests/fuzz/must.h"
#include "tests/smtpd_conversation.h"

using namespace postern;
using namespace postern::smtpd;

namespace {

constexpr size_t kMostPackets = 100;

size_t count(std::string_view text, std::string_view what) {
  size_t times = 0;
  for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++times;
  return times;
}

struct Replies {
  size_t go_ahead = 0;
  size_t taken = 0;
  size_t refused_inside = 0;
  bool out_of_step = false;
};

// Each line is a reply line, with a status of its code's class where there is one.
Replies check_replies(const std::string& text) {
  Replies replies;
  must(text.ends_with("\r\n"));
  std::string continued;
  for (std::string_view line : split(std::string_view(text).substr(0, text.size() - 2), '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    must(line.size() >= 4 && line.size() <= 510 && line.find('\r') == std::string_view::npos);
    must(line[0] >= '2' && line[0] <= '5' && (line[3] == ' ' || line[3] == '-'));
    must(continued.empty() || continued == line.substr(0, 3));
    continued = line[3] == '-' ? std::string(line.substr(0, 3)) : std::string();
    for (const char c : line) must(c >= 0x20 && c <= 0x7e);
    if (line.starts_with("354")) ++replies.go_ahead;
    if (line.starts_with("250 2.0.0 ok ")) ++replies.taken;
    if (line.ends_with("try again later, says the fuzzer")) ++replies.refused_inside;
    if (line.starts_with("554 5.5.0")) replies.out_of_step = true;
    if (line.size() > 6 && line[5] == '.') must(line[4] == line[0]);
  }
  must(continued.empty());
  return replies;
}

void check_address(const std::string& address) {
  must(address.size() <= kAddressLimitBytes && is_utf8(address));
  for (const char c : address) must(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

void check_message(const Conversation& conversation, const HandedOn& one) {
  const Envelope& envelope = one.envelope;
  check_address(envelope.sender);
  must(envelope.smtputf8 || !has_8bit_byte(envelope.sender));
  must(!envelope.recipients.empty() && envelope.recipients.size() <= conversation.rules.recipients->limit);
  for (const Recipient& recipient : envelope.recipients) {
    check_address(recipient.address);
    must(envelope.smtputf8 || (!has_8bit_byte(recipient.address) && !has_8bit_byte(recipient.orcpt)));
    if (!conversation.settings.relay_suffix) {
      const bool postmaster = equal_ignoring_case(recipient.address, "postmaster@mx.example.org");
      must(postmaster || domain_of(recipient.address) == "example.org");
      must(local_part_of(recipient.address).find_first_of("%!@") == std::string_view::npos);
    }
  }
  must(one.received.starts_with("Received: from ") && one.received.ends_with(" +0000\n"));
  must(count(one.received, "\n") == (one.received.find("\n  (TLS") != std::string::npos ? 4 : 3));
  const MessageLimits& limits = *conversation.rules.message;
  must(one.message.size() <= *conversation.rules.message_limit_bytes);
  if (limits.text.bare_line_ends != BareLineEnds::allow) must(one.message.find('\r') == std::string::npos);
  // It can go on to any receiver of the queue interface.
  const Result<Envelope> again = parse_envelope(serialise_envelope(envelope));
  must(again.ok());
}

Conversation conversation_of(uint8_t choice) {
  Conversation conversation;
  static constexpr BareLineEnds kModes[] = {BareLineEnds::refuse, BareLineEnds::strip, BareLineEnds::allow};
  conversation.rules.message->text.bare_line_ends = kModes[(choice & 3U) % 3];
  if ((choice & 4U) != 0) conversation.settings.relay_suffix = "";
  conversation.rules.message_limit_bytes = (choice & 8U) != 0 ? 200 : 100000;
  conversation.rules.message->text.line_bytes = (choice & 16U) != 0 ? 80 : 0;
  conversation.rules.message->header_bytes = (choice & 32U) != 0 ? 100 : 0;
  conversation.rules.message->hops = 5;
  conversation.rules.recipients->limit = 3;
  return conversation;
}

std::vector<std::string> packets_of(std::string_view bytes) {
  std::vector<std::string> packets;
  while (!bytes.empty() && packets.size() < kMostPackets) {
    const size_t end = bytes.find('\xff');
    packets.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  }
  return packets;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 8192) return 0;
  Conversation conversation = conversation_of(data[0]);
  std::string_view said(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (const size_t end = said.find('\xfe'); (data[0] & 128U) != 0 && end != std::string_view::npos) {
    conversation.tls_packets = packets_of(said.substr(end + 1));
    conversation.tls_facts = {.protocol = "TLSv1.3", .cipher = "TLS_AES_128_GCM_SHA256", .bits = 128};
    said = said.substr(0, end);
  }
  conversation.packets = packets_of(said);
  const bool refuses_some = (data[0] & 64U) != 0;
  size_t accepted = 0;
  size_t refused = 0;
  conversation.queue = [&](const HandedOn& one) {
    const bool refuse = refuses_some && one.message.size() % 2 == 1;
    ++(refuse ? refused : accepted);
    return refuse ? QueueAnswer{.exit_code = 82, .reason = "Ztry again later, says the fuzzer"}
                  : QueueAnswer{};
  };
  const Played played = play(conversation);
  const Replies replies = check_replies(played.replies);
  for (const HandedOn& one : played.handed_on) check_message(conversation, one);

  must(played.handed_on.size() == accepted + refused);
  must(replies.taken == accepted && replies.refused_inside == refused);
  std::string input;
  for (const std::string& packet : conversation.packets) input += packet;
  for (const std::string& packet : conversation.tls_packets.value_or(std::vector<std::string>()))
    input += packet;
  // An end of data may begin with the line end of its DATA line, so ends may share a CR LF.
  const size_t ends_of_data = std::min(count(input, "\r\n.\r\n"), replies.go_ahead);
  const std::string small = lower(input);
  must(played.handed_on.size() <= ends_of_data + count(small, "bdat"));
  if (small.find("bdat") == std::string::npos) must(played.handed_on.size() <= ends_of_data);

  // What arrives does not depend on the cut, as long as nobody has to wait.
  if (replies.out_of_step) return 0;
  // What stands behind STARTTLS is thrown away only as far as it has come.
  if (conversation.tls_packets) return 0;
  std::vector<std::string> finer;
  for (const std::string& packet : conversation.packets) {
    const size_t half = packet.size() / 2;
    finer.push_back(packet.substr(0, half));
    finer.push_back(packet.substr(half));
  }
  conversation.packets = std::move(finer);
  const Played other = play(conversation);
  must(other.handed_on.size() == played.handed_on.size());
  for (size_t i = 0; i < other.handed_on.size(); ++i)
    must(other.handed_on[i].message == played.handed_on[i].message);
  return 0;
}
