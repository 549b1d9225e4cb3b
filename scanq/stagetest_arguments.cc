#include "scanq/stagetest_arguments.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "lib/envelope.h"
#include "lib/text.h"
#include "scanq/edits.h"

namespace postern::stagetest {

namespace {

constexpr size_t kNameLimitBytes = 64;
constexpr size_t kReasonLimitBytes = 2048;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alphanumeric(char c) {
  return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool is_made_of(std::string_view name, std::string_view others) {
  return !name.empty() && name.size() <= kNameLimitBytes &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_alphanumeric(c) || others.find(c) != std::string_view::npos; });
}

bool is_reply_code(std::string_view code) {
  return code.size() == 3 && (code[0] == '4' || code[0] == '5') && is_digit(code[1]) && is_digit(code[2]);
}

// A status is DIGIT.DIGITS.DIGITS (RFC 3463); a text that begins with none has none to be wrong.
bool contradicts(std::string_view code, std::string_view text) {
  const bool has_status = text.size() > 4 && is_digit(text[0]) && text[1] == '.' && is_digit(text[2]);
  return has_status && !code.empty() && text[0] != code[0];
}

// A directory's name too.
bool is_quarantine(std::string_view name) {
  return is_made_of(name, " -_") && name.front() != ' ' && name.front() != '-' && name.back() != ' ';
}

bool is_tag_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameLimitBytes && std::all_of(name.begin(), name.end(), [](char c) {
    return is_digit(c) || (c >= 'A' && c <= 'Z') || c == '_';
  });
}

bool is_until(std::string_view until) {
  if (until.starts_with('+')) until.remove_prefix(1);
  const auto seconds = parse_number(until);
  return seconds && *seconds >> 40 == 0;
}

bool is_points(std::string_view points) {
  if (points.starts_with('-') || points.starts_with('+')) points.remove_prefix(1);
  const size_t dot = points.find('.');
  const auto digits = [](std::string_view text) {
    return !text.empty() && text.size() <= 9 && std::all_of(text.begin(), text.end(), is_digit);
  };
  return digits(points.substr(0, dot)) && (dot == std::string_view::npos || digits(points.substr(dot + 1)));
}

bool is_address(std::string_view address) {
  return !address.empty() && address.size() <= kAddressLimitBytes && !has_control(address);
}

bool is_ip(std::string_view text) {
  std::array<unsigned char, 16> address{};
  const std::string ended(text);
  return ::inet_pton(AF_INET, ended.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, ended.c_str(), address.data()) == 1;
}

bool is_port(std::string_view port) {
  const auto number = parse_number(port);
  return number && *number > 0 && *number < 65536;
}

// A name or an address literal in brackets, then perhaps a port.
bool is_host(std::string_view host) {
  size_t end = 0;
  if (host.starts_with('[')) {
    end = host.find(']');
    if (end == std::string_view::npos) return false;
    std::string_view literal = host.substr(1, end - 1);
    if (literal.starts_with("IPv6:")) literal.remove_prefix(5);
    if (!is_ip(literal)) return false;
    ++end;
  } else {
    end = std::min(host.find(':'), host.size());
    const std::string_view name = host.substr(0, end);
    if (name.empty() || name.size() > 255 || !std::all_of(name.begin(), name.end(), [](char c) {
          return is_alphanumeric(c) || c == '.' || c == '-' || c == '_';
        })) {
      return false;
    }
  }
  return end == host.size() || (host[end] == ':' && is_port(host.substr(end + 1)));
}

bool is_one_of(const std::vector<std::string>& recipients, std::string_view address) {
  return std::find(recipients.begin(), recipients.end(), address) != recipients.end();
}

std::string unless(bool right, std::string_view argument, std::string_view demanded) {
  if (right) return {};
  return "\"" + printable(argument, 60) + "\" is not " + std::string(demanded);
}

}  // namespace

const StageVerb* find_stage_verb(std::string_view verb) {
  const auto rule = std::find_if(kStageVerbs.begin(), kStageVerbs.end(),
                                 [&](const StageVerb& known) { return known.verb == verb; });
  return rule == kStageVerbs.end() ? nullptr : &*rule;
}

std::string argument_fault(ArgumentKind kind, std::string_view argument, std::string_view before,
                           const std::vector<std::string>& recipients) {
  switch (kind) {
    case ArgumentKind::text:
      return {};
    case ArgumentKind::reason:
      return unless(argument.size() <= kReasonLimitBytes, argument, "a text of at most 2048 bytes");
    case ArgumentKind::reply_code:
      return unless(is_reply_code(argument), argument, "a reply code 4yz or 5yz");
    case ArgumentKind::reply_text:
      return unless(!contradicts(before, argument), argument, "of the class of its reply code");
    case ArgumentKind::field_name:
      return unless(check_header(argument, "").ok(), argument, "a header field's name");
    case ArgumentKind::field_value:
      return unless(check_header("X", argument).ok(), argument, "a header field's value of up to 64 KiB");
    case ArgumentKind::sender:
      return unless(argument.empty() || is_address(argument), argument, "an address");
    case ArgumentKind::address:
      return unless(is_address(argument), argument, "an address");
    case ArgumentKind::named:
      return unless(is_one_of(recipients, argument), argument, "one of the envelope's recipients");
    case ArgumentKind::name:
      return unless(is_made_of(argument, "-_"), argument, "a name of 1 to 64 A-Z, a-z, 0-9, - and _");
    case ArgumentKind::symbol:
      return unless(is_made_of(argument, "-_."), argument, "a symbol of 1 to 64 A-Z, a-z, 0-9, -, . and _");
    case ArgumentKind::quarantine:
      return unless(is_quarantine(argument), argument,
                    "a quarantine's name of 1 to 64 A-Z, a-z, 0-9, -, _ and inner blanks");
    case ArgumentKind::tag:
      return unless(is_tag_name(argument), argument, "a tag's name, made of A-Z, 0-9 and _");
    case ArgumentKind::until:
      return unless(is_until(argument), argument, "a time: seconds since 1970, or +SECONDS");
    case ArgumentKind::points:
      return unless(is_points(argument), argument, "a decimal number");
    case ArgumentKind::host:
      return unless(is_host(argument), argument, "HOST or HOST:PORT");
    case ArgumentKind::source_address:
      return unless(is_ip(argument), argument, "an IP address");
  }
  return {};
}

ArgumentFault first_argument_fault(const StageVerb& rule, const VerdictLine& line,
                                   const std::vector<std::string>& recipients) {
  for (size_t i = 0; i < line.arguments.size(); ++i) {
    const ArgumentKind kind = rule.kinds.at(std::min(i, rule.kinds.size() - 1));
    std::string fault =
        argument_fault(kind, line.arguments[i], i > 0 ? line.arguments[i - 1] : "", recipients);
    if (!fault.empty()) return {kind, "\"" + line.verb + "\": " + std::move(fault)};
  }
  return {};
}

}  // namespace postern::stagetest
