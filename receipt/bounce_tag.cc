#include "receipt/bounce_tag.h"

#include <array>

#include "lib/child.h"
#include "lib/log.h"
#include "lib/prvs_address.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr int64_t kAskMilliseconds = 10000;
constexpr std::array<std::string_view, 5> kStates = {"untagged", "valid", "expired", "forged", "keyless"};

std::string_view name_of(TagState state) {
  return kStates.at(static_cast<size_t>(state));
}

Decision pass_here(std::string why = {}) {
  return pass(std::string(kBounceTagStep), std::move(why));
}

}  // namespace

Result<TagAnswer> parse_tag_answer(std::string_view output) {
  const size_t tab = output.find('\t');
  const bool whole = tab != std::string_view::npos && output.ends_with('\n');
  for (size_t i = 0; whole && i < kStates.size(); ++i) {
    if (output.substr(0, tab) != kStates.at(i)) continue;
    const std::string_view address = output.substr(tab + 1, output.size() - tab - 2);
    if (address.empty() || address.size() > kAddressLimitBytes ||
        address.find('\n') != std::string_view::npos)
      break;
    return TagAnswer{.state = static_cast<TagState>(i), .address = std::string(address)};
  }
  return temporary("read the answer of @signq: \"" + printable(output, 80) + "\" is none");
}

SmtpReply no_bounce_of_ours() {
  return {.code = "550", .status = "5.7.1", .text = "this is no bounce of a message from here"};
}

Decision BounceVerification::verify(std::string& address, std::string_view sender) {
  mark_ = {};
  must_be_reply_ = false;
  const std::optional<PrvsAddress> tagged = parse_prvs(address);
  const bool is_held = sender.empty() && !relays_ && policy_.bounce_tags != BounceTags::off &&
                       (tagged || !policy_.untagged_bounces_valid);
  const std::string without_tag = tagged ? tagged->address : address;
  if (!is_held && !tagged) return pass_here();
  if (!is_held && !relays_) {
    address = without_tag;
    return pass_here("what looks like a tag is taken off; it need not be valid");
  }
  const Result<TagAnswer> answer = ask(address);
  if (!answer) return unanswered(address, without_tag, is_held, answer.failure());
  // Of what a client that relays sends to others, a tag is a part of the address unless it is ours.
  const bool ours = answer->state == TagState::valid || answer->state == TagState::expired;
  if (is_held || ours) address = without_tag;
  if (is_held) return judge(answer->state, address);
  return pass_here("the tag is " + std::string(name_of(answer->state)));
}

Decision BounceVerification::judge(TagState state, std::string_view address) {
  if (state == TagState::valid) return pass_here("the tag is valid");
  if (state == TagState::keyless) return pass_here("there are no bounce keys, so nothing of ours is tagged");
  if (equal_ignoring_case(local_part_of(address), "postmaster"))
    return pass_here("postmaster gets whatever there is (RFC 5321 4.5.1)");
  const std::string why =
      "the null reverse-path, and the recipient is " + std::string(name_of(state)) +
      (policy_.name.empty() ? "" : " (bounce_tags of the policy " + policy_.name + " in control/policies)");
  must_be_reply_ = policy_.bounce_tags == BounceTags::reject && policy_.untagged_replies_valid &&
                   state == TagState::untagged;
  if (policy_.bounce_tags == BounceTags::reject && !must_be_reply_)
    return refuse(std::string(kBounceTagStep), no_bounce_of_ours(), why);
  mark_ = name_of(state);
  return pass_here(why);
}

// Who has no policy that rejects does not wait for a service that is down.
Decision BounceVerification::unanswered(std::string& address, const std::string& without_tag, bool is_held,
                                        const Failure& failure) {
  log_warning("check the tag of <" + printable(address) + ">", failure);
  const std::string why = "@signq does not answer";
  if (!is_held) return pass_here(why);
  if (policy_.bounce_tags == BounceTags::reject)
    return refuse(std::string(kBounceTagStep),
                  {.code = "451", .status = "4.3.0", .text = "unable to verify this bounce now"}, why);
  address = without_tag;
  mark_ = "unchecked";
  return pass_here(why);
}

Result<TagAnswer> BounceVerification::ask(std::string_view address) const {
  const Request request{.arguments = {"check", std::string(address)}, .environment = {}, .fds = {}};
  Result<Reply> reply = ask_program(ask_, "@signq", request, now_milliseconds() + kAskMilliseconds);
  if (!reply) return reply.failure();
  if (reply->exit_code != 0)
    return temporary("ask @signq: it answers with " + std::to_string(reply->exit_code));
  return parse_tag_answer(reply->output);
}

}  // namespace postern
