// parts: smtpd/client.cc smtpd/command.cc smtpd/data.cc smtpd/ask_auth.cc smtpd/session_auth.cc
// parts: smtpd/envelope_command.cc smtpd/event_log.cc smtpd/header_scan.cc smtpd/message.cc
// parts: smtpd/path.cc smtpd/replies.cc smtpd/session.cc smtpd/session_message.cc smtpd/session_tls.cc
// parts: smtpd/session_begin.cc smtpd/settings.cc smtpd/tls_layer.cc receipt/policies.cc
// parts: smtpd/session_recipient.cc receipt/recipient.cc receipt/recipient_inquiries.cc
// parts: receipt/recipient_settings.cc receipt/recipient_table.cc receipt/line_table.cc
// parts: receipt/domain_map.cc receipt/alias_table.cc receipt/rcpthosts.cc smtpd/session_sender.cc
// parts: receipt/sender_dns.cc receipt/sender_spf.cc receipt/helo_check.cc receipt/default_domain.cc
// parts: receipt/send_as.cc receipt/from_field.cc receipt/encoded_words.cc receipt/spoof.cc
// parts: receipt/rates.cc receipt/rated_line.cc receipt/rate_check.cc receipt/client_notes.cc
// parts: smtpd/stress.cc smtpd/session_access.cc smtpd/session_xclient.cc smtpd/xclient.cc
// parts: receipt/access_question.cc receipt/bounce_tag.cc receipt/address_prefix.cc
// parts: auth/exchange.cc auth/scram.cc auth/key.cc auth/prepare.cc
// libs: -lcrypto -lunistring
//
// A conversation with a submission port. The first byte chooses the policy, a byte 0xff ends a packet. A
// plain model: nobody is alice who has not sent her password in base64, alone or behind her name; without her
// nothing goes to others; with check_user she sends as herself.
#include <cstdint>

#include "auth/exchange.h"
#include "lib/base64.h"
#include "lib/text.h"
#include "receipt/from_field.h"
#include "tests/fuzz/must.h"
#include "tests/smtpd_conversation.h"

using namespace postern;
using namespace postern::smtpd;

namespace {

Result<postern::Reply> ask_here(const std::string& mechanism, const std::string& state,
                                const Secret* response, const Settings&) {
  static const auth::Key kKey(std::string(32, 'k'));
  static const auth::Checks kChecks{
      .password =
          [](const std::string& user, const Secret& password) {
            return user == "alice" && password.view() == "x" ? auth::Verdict::yes : auth::Verdict::no;
          },
      .verifier = [](const std::string& user) { return kKey.made_up_verifier(user, 4096); },
      .nonce = [] { return std::string("server"); }};
  const auth::Step step = auth::take_step(kKey, kChecks, mechanism, state, response, 1000);
  using Kind = auth::Step::Kind;
  if (step.kind == Kind::authenticated) return postern::Reply{0, step.user + "\t" + base64(step.challenge)};
  if (step.kind == Kind::go_on) return postern::Reply{2, step.state + "\t" + base64(step.challenge)};
  if (step.kind == Kind::refused) return postern::Reply{1, "0\t" + step.user};
  return postern::Reply{step.kind == Kind::unknown_mechanism ? 5 : 4, ""};
}

bool says_password(std::string_view input) {
  static const std::string kPassword = base64("x");  // "eA=="
  if (input.find(kPassword) != std::string_view::npos) return true;
  // PLAIN: some word of the input that ends with NUL "x".
  for (size_t i = 0; i < input.size(); ++i) {
    for (size_t length = 4; length <= 400 && i + length <= input.size(); length += 4) {
      const std::optional<std::string> bytes = from_base64(input.substr(i, length));
      if (!bytes) {
        if (input.substr(i + length - 4, 4).find_first_of("\r\n \xff") != std::string_view::npos) break;
        continue;
      }
      if (bytes->ends_with(std::string_view("\0x", 2))) return true;
    }
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 4096) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  Conversation conversation;
  conversation.ask_auth = ask_here;
  conversation.settings.policy.auth = (data[0] & 1U) != 0 ? AuthUse::required : AuthUse::preferred;
  conversation.settings.policy.auth_without_tls = true;
  conversation.settings.policy.check_user = (data[0] & 2U) != 0;
  conversation.rules.send_as = *SendAs::parse("alice: @a.example\n", "control/sendas", {"example.org"});
  for (std::string_view rest = input; !rest.empty() && conversation.packets.size() < 100;) {
    const size_t end = rest.find('\xff');
    conversation.packets.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  const Played played = play(conversation);
  const SendAs& may = *conversation.rules.send_as;
  for (const HandedOn& one : played.handed_on) {
    must(one.user.empty() || one.user == "alice");
    must(!one.user.empty() || (data[0] & 1U) == 0);
    if (one.user.empty()) {
      for (const Recipient& to : one.envelope.recipients)
        must(domain_of(to.address) == "example.org" ||
             equal_ignoring_case(to.address, "postmaster@mx.example.org"));
      continue;
    }
    // A packet's end or a fold may lie inside a word: the plain search is over what the session read.
    std::string read;
    for (const std::string& packet : conversation.packets) read += packet;
    must(says_password(read));
    must(one.received.find(" with ESMTPA id ") != std::string::npos ||
         one.received.find(" with UTF8SMTPA id ") != std::string::npos);
    if ((data[0] & 2U) == 0) continue;
    must(one.envelope.sender.empty() || may.may("alice", one.envelope.sender));
    must(lower("\n" + one.message).find("\nfrom") != std::string::npos);
  }
  return 0;
}
