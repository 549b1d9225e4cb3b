// The parameters of control/policies, one row each: how a value is read, and how it is said.
#pragma once

#include <array>
#include <limits>
#include <string>
#include <string_view>

#include "lib/parameters.h"
#include "lib/text.h"
#include "receipt/mail_flow_policy.h"

namespace postern {

struct PolicyParameter {
  std::string_view name;
  std::string (*set)(std::string_view value, MailFlowPolicy& into);
  std::string (*get)(const MailFlowPolicy& from);
};

inline constexpr std::array<ParameterWord<TlsUse>, 3> kTlsWords = {
    {{"off", TlsUse::off}, {"preferred", TlsUse::preferred}, {"required", TlsUse::required}}};
inline constexpr std::array<ParameterWord<AuthUse>, 3> kAuthWords = {
    {{"off", AuthUse::off}, {"preferred", AuthUse::preferred}, {"required", AuthUse::required}}};
inline constexpr std::array<ParameterWord<SpfUse>, 3> kSpfWords = {
    {{"off", SpfUse::off}, {"mark", SpfUse::mark}, {"reject", SpfUse::reject}}};
inline constexpr std::array<ParameterWord<BounceTags>, 3> kBounceTagWords = {
    {{"off", BounceTags::off}, {"header", BounceTags::header}, {"reject", BounceTags::reject}}};

// "10", "10K", "10M", "10G" to bytes.
inline std::string set_size(std::string_view text, uint64_t least, uint64_t& into) {
  unsigned shift = 0;
  if (!text.empty()) {
    const char last = lower(text.substr(text.size() - 1))[0];
    shift = last == 'k' ? 10 : last == 'm' ? 20 : last == 'g' ? 30 : 0;
    if (shift != 0) text.remove_suffix(1);
  }
  const std::optional<uint64_t> value = parse_number(text);
  const uint64_t most = std::numeric_limits<uint64_t>::max() >> shift;
  if (!value || *value > most || (*value != 0 && *value << shift < least))
    return "it is a number of bytes, at least " + std::to_string(least) +
           ", with K, M or G behind it if you like; 0 is no limit";
  into = *value << shift;
  return {};
}

// "CODE TEXT", either alone too: the code of one of `classes`.
inline std::string set_reply(std::string_view text, std::string_view classes, CustomReply& into) {
  constexpr size_t kLongest =
      400;  // a reply line has 512 bytes (RFC 5321 4.5.3.1.5), and holds more than this
  CustomReply reply;
  const std::string_view first = text.substr(0, text.find(' '));
  if (first.size() == 3 && parse_number(first)) {
    reply.code = static_cast<uint16_t>(*parse_number(first));
    if (classes.find(first[0]) == std::string_view::npos || first[1] > '5')
      return "its code begins with " + std::string(1, classes[0]) +
             (classes.size() > 1 ? std::string(" or ") + classes[1] : "") +
             (classes.size() > 1 ? ", as 451 and 554" : ", as 220");
    text = trim(text.substr(first.size()));
  }
  for (const char c : text)
    if (c < 0x20 || c > 0x7e) return "a reply holds ASCII characters alone";
  if (text.size() > kLongest) return "it is longer than 400 bytes";
  reply.text = text;
  into = reply;
  return {};
}

// The rows' functions; which member they are about is a template's argument, so that a row is one line.
namespace policy_row {

template <auto kMember>
std::string set_switch(std::string_view value, MailFlowPolicy& into) {
  return switch_parameter(value, into.*kMember);
}
template <auto kMember>
std::string get_switch(const MailFlowPolicy& from) {
  return from.*kMember ? "on" : "off";
}
// -1 is what others write for no limit.
template <auto kMember, uint64_t kLeast, uint64_t kMost>
std::string set_number(std::string_view value, MailFlowPolicy& into) {
  return number_parameter(kLeast == 0 && value == "-1" ? "0" : value, kLeast, kMost, into.*kMember);
}
template <auto kMember>
std::string get_number(const MailFlowPolicy& from) {
  return std::to_string(from.*kMember);
}
template <auto kMember, const auto& kWords>
std::string set_word(std::string_view value, MailFlowPolicy& into) {
  return choose_parameter(kWords, value, into.*kMember);
}
template <auto kMember, const auto& kWords>
std::string get_word(const MailFlowPolicy& from) {
  for (const auto& [word, value] : kWords)
    if (value == from.*kMember) return std::string(word);
  return {};
}
template <auto kMember>
std::string set_refusal(std::string_view value, MailFlowPolicy& into) {
  return set_reply(value, "45", into.*kMember);
}
template <auto kMember>
std::string get_reply(const MailFlowPolicy& from) {
  const CustomReply& reply = from.*kMember;
  return (reply.code == 0 ? "" : std::to_string(reply.code) + (reply.text.empty() ? "" : " ")) + reply.text;
}

template <auto kMember>
constexpr PolicyParameter switched(std::string_view name) {
  return {name, set_switch<kMember>, get_switch<kMember>};
}
template <auto kMember, uint64_t kMost = 1000000000, uint64_t kLeast = 0>
constexpr PolicyParameter number(std::string_view name) {
  return {name, set_number<kMember, kLeast, kMost>, get_number<kMember>};
}
template <auto kMember, const auto& kWords>
constexpr PolicyParameter word(std::string_view name) {
  return {name, set_word<kMember, kWords>, get_word<kMember, kWords>};
}
template <auto kMember>
constexpr PolicyParameter refusal(std::string_view name) {
  return {name, set_refusal<kMember>, get_reply<kMember>};
}

using P = MailFlowPolicy;

inline std::string set_banner(std::string_view value, P& into) {
  return set_reply(value, "2", into.banner);
}
inline std::string set_banner_host(std::string_view value, P& into) {
  if (value.empty() || value.size() > 253 || value.find_first_of(" \t\\") != std::string_view::npos)
    return "it is a host name, or none";
  into.banner_host = value;
  return {};
}
inline std::string get_banner_host(const P& from) {
  return from.banner_host;
}
inline std::string set_message_size(std::string_view value, P& into) {
  constexpr uint64_t kLeast = 1024;
  return set_size(value == "-1" ? "0" : value, kLeast, into.max_message_size);
}

}  // namespace policy_row

namespace policy_row {
inline constexpr uint64_t kLongestDelay = 300000;  // milliseconds: no client waits longer than 5 minutes
inline constexpr std::array kRows = {
    PolicyParameter{"banner", set_banner, get_reply<&P::banner>},
    PolicyParameter{"banner_host", set_banner_host, get_banner_host},
    refusal<&P::reject>("reject"),
    switched<&P::delayed_reject>("delayed_reject"),
    PolicyParameter{"max_message_size", set_message_size, get_number<&P::max_message_size>},
    number<&P::max_connections>("max_connections"),
    refusal<&P::too_many_connections>("too_many_connections"),
    number<&P::max_connections_per_hour>("max_connections_per_hour"),
    number<&P::max_messages_per_connection>("max_messages_per_connection"),
    refusal<&P::message_limit>("message_limit"),
    number<&P::max_recipients_per_message>("max_recipients_per_message"),
    number<&P::max_recipients_per_hour>("max_recipients_per_hour"),
    refusal<&P::recipient_rate>("recipient_rate"),
    number<&P::max_recipients_per_sender>("max_recipients_per_sender"),
    number<&P::sender_minutes, 1440, 1>("sender_minutes"),
    refusal<&P::sender_rate>("sender_rate"),
    number<&P::max_invalid_recipients>("max_invalid_recipients"),
    refusal<&P::harvest>("harvest"),
    switched<&P::drop_harvesters>("drop_harvesters"),
    number<&P::max_messages_per_minute>("max_messages_per_minute"),
    number<&P::max_messages_per_hour>("max_messages_per_hour"),
    number<&P::max_messages_per_day>("max_messages_per_day"),
    number<&P::max_connections_per_user>("max_connections_per_user"),
    refusal<&P::user_rate>("user_rate"),
    number<&P::similarity_v4, 32, 8>("similarity_v4"),
    number<&P::similarity_v6, 128, 16>("similarity_v6"),
    switched<&P::use_reputation>("use_reputation"),
    switched<&P::anti_spam>("anti_spam"),
    switched<&P::anti_virus>("anti_virus"),
    word<&P::tls, kTlsWords>("tls"),
    word<&P::auth, kAuthWords>("auth"),
    switched<&P::auth_without_tls>("auth_without_tls"),
    switched<&P::check_user>("check_user"),
    word<&P::spf, kSpfWords>("spf"),
    switched<&P::check_helo>("check_helo"),
    switched<&P::helo_dns>("helo_dns"),
    switched<&P::verify_sender>("verify_sender"),
    refusal<&P::malformed>("malformed"),
    refusal<&P::no_such_domain>("no_such_domain"),
    refusal<&P::unresolvable>("unresolvable"),
    switched<&P::allow_malformed>("allow_malformed"),
    switched<&P::exceptions>("exceptions"),
    word<&P::bounce_tags, kBounceTagWords>("bounce_tags"),
    switched<&P::untagged_bounces_valid>("untagged_bounces_valid"),
    switched<&P::untagged_replies_valid>("untagged_replies_valid"),
    switched<&P::received_header>("received_header"),
    number<&P::greet_delay, kLongestDelay>("greet_delay"),
    number<&P::tarpit, kLongestDelay>("tarpit"),
};
}  // namespace policy_row

inline constexpr const auto& kPolicyRows = policy_row::kRows;
// The same as lib/parameters.h reads it.
inline constexpr auto kPolicyParameters = [] {
  std::array<Parameter<MailFlowPolicy>, policy_row::kRows.size()> parameters{};
  for (size_t i = 0; i < parameters.size(); ++i)
    parameters[i] = {policy_row::kRows[i].name, policy_row::kRows[i].set};
  return parameters;
}();

}  // namespace postern
