// Bounce verification, inbound: is what comes with the null reverse-path an answer to a message of ours? Then
// its recipient has the tag that our envelope sender had (lib/prvs.h); the keys are @signq's alone.
//
// - The tag is taken off whatever the policy says and whatever the tag is: the tagged address is no mailbox.
//   So people may answer to what stands in old mail. Only of a client that may relay, whose recipients may be
//   others', a tag must be ours.
// - Only the null reverse-path is held to its tag, and only where the policy's bounce_tags says so. Where
//   there are no keys nothing of ours is tagged, and nobody is held to anything.
// - Not held to it: clients that may relay (what they bounce is others' mail), sender groups by their policy,
//   and postmaster, whom RFC 5321, 4.5.1 wants to be reached.
// - An automatic reply (RFC 3834) without a tag cannot be told from a forged bounce before DATA, and behind
//   it only by its own word. With untagged_replies_valid that word is heard.
#pragma once

#include <string>
#include <string_view>

#include "receipt/ask_program.h"
#include "receipt/decision.h"
#include "receipt/mail_flow_policy.h"

namespace postern {

enum class TagState : uint8_t { untagged, valid, expired, forged, keyless };
struct TagAnswer {
  TagState state = TagState::untagged;
  std::string address;  // without the tag
};
// "STATE TAB ADDRESS LF" of postern-signq(8); anything else is a temporary failure.
Result<TagAnswer> parse_tag_answer(std::string_view output);

constexpr std::string_view kBounceTagStep = "bounce-verification";
// What says of a message that the policy lets pass that it is no bounce of ours.
constexpr std::string_view kBounceField = "X-Postern-Invalid-Bounce";
// To what was to be an automatic reply, and is none.
SmtpReply no_bounce_of_ours();

class BounceVerification {
 public:
  BounceVerification(const MailFlowPolicy& policy, bool client_relays, AskProgram ask)
      : policy_(policy), relays_(client_relays), ask_(std::move(ask)) {}
  // May take the tag off `address`; refuses what the policy does not take.
  Decision verify(std::string& address, std::string_view sender);
  // Of the last one that passed: what the header is to say: "untagged", "expired", "forged", or "unchecked"
  // where nobody could be asked. Empty: nothing.
  [[nodiscard]] std::string_view mark() const { return mark_; }
  // The last one passes only if the message is an automatic reply.
  [[nodiscard]] bool must_be_reply() const { return must_be_reply_; }

 private:
  Decision judge(TagState state, std::string_view address);
  Decision unanswered(std::string& address, const std::string& without_tag, bool is_held,
                      const Failure& failure);
  Result<TagAnswer> ask(std::string_view address) const;

  const MailFlowPolicy& policy_;
  bool relays_;
  AskProgram ask_;
  std::string_view mark_;
  bool must_be_reply_ = false;
};

}  // namespace postern
