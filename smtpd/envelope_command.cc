#include "smtpd/envelope_command.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "lib/text.h"
#include "lib/utf8.h"
#include "lib/xtext.h"
#include "smtpd/path.h"

namespace postern::smtpd {

namespace {

constexpr size_t kEnvidLimitBytes = 100;  // RFC 3461, 4.4
constexpr size_t kOrcptLimitBytes = 500;  // 4.2

std::string_view trim_spaces(std::string_view text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool is_keyword_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

struct Parameter {
  std::string_view keyword;
  std::optional<std::string_view> value;
};

// esmtp-param of RFC 5321, 4.1.2, with RFC 6531's characters in the value.
std::optional<Parameter> parse_parameter(std::string_view text) {
  const size_t equals = text.find('=');
  Parameter parameter{.keyword = text.substr(0, equals), .value = std::nullopt};
  if (equals != std::string_view::npos) parameter.value = text.substr(equals + 1);
  if (parameter.keyword.empty() || parameter.keyword.front() == '-') return std::nullopt;
  if (!std::all_of(parameter.keyword.begin(), parameter.keyword.end(), is_keyword_char)) return std::nullopt;
  if (parameter.value && (parameter.value->empty() || parameter.value->find('=') != std::string_view::npos)) {
    return std::nullopt;
  }
  return parameter;
}

struct PathAndRest {
  Path path;
  std::string_view rest;  // parameters
};

// "FROM:<path>", or with spaces behind the colon, as many clients write it: they cannot mean anything else.
std::optional<PathAndRest> take_path(std::string_view argument, std::string_view keyword, Reply bad_syntax,
                                     Reply bad_path, Malformed malformed, Reply& reply) {
  reply = bad_syntax;
  if (argument.size() < keyword.size() || !equal_ignoring_case(argument.substr(0, keyword.size()), keyword)) {
    return std::nullopt;
  }
  argument = trim_spaces(argument.substr(keyword.size()));
  if (!argument.starts_with('<')) return std::nullopt;
  reply = bad_path;
  std::optional<Path> path = parse_path(argument);
  if (!path && malformed == Malformed::allow) path = parse_malformed_path(argument);
  if (!path) return std::nullopt;
  const std::string_view rest = argument.substr(path->length);
  reply = bad_syntax;
  if (!rest.empty() && rest.front() != ' ') return std::nullopt;
  return PathAndRest{.path = *path, .rest = rest};
}

// Each parameter with its value, none twice; `take` gives the reply, Reply::ok to go on.
template <typename Take>
Reply take_parameters(std::string_view rest, Take&& take) {
  std::vector<std::string_view> seen;
  for (const std::string_view word : words(rest)) {
    const std::optional<Parameter> parameter = parse_parameter(word);
    if (!parameter) return Reply::bad_parameter;
    const auto same = [&](std::string_view keyword) {
      return equal_ignoring_case(keyword, parameter->keyword);
    };
    if (std::any_of(seen.begin(), seen.end(), same)) return Reply::repeated_parameter;
    seen.push_back(parameter->keyword);
    if (const Reply reply = take(*parameter); reply != Reply::ok) return reply;
  }
  return Reply::ok;
}

// One of a few words, in any case; kept as it stands here.
Reply set_word(std::string& to, const Parameter& parameter, std::string_view one, std::string_view other) {
  for (const std::string_view known : {one, other}) {
    if (!parameter.value || !equal_ignoring_case(*parameter.value, known)) continue;
    to = known;
    return Reply::ok;
  }
  return Reply::bad_parameter;
}

// RFC 1870: 1 to 20 digits; what does not fit in 64 bits is larger than anything.
Reply set_size(MailArgument& mail, const Parameter& parameter) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!parameter.value || parameter.value->size() > 20) return Reply::bad_parameter;
  if (!std::all_of(parameter.value->begin(), parameter.value->end(), is_digit)) return Reply::bad_parameter;
  mail.size_bytes = parse_number(*parameter.value).value_or(UINT64_MAX);
  return Reply::ok;
}

// RFC 3461, 4: printable ASCII, "+" only before two capital hexadecimal digits ("=" cannot come here).
// Nothing that is encoded may be what RFC 3461 lets no encoded character be: outside 32 to 126.
bool is_xtext(std::string_view text) {
  const auto digit = [](char c) -> unsigned {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    return c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A') + 10 : 16;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] <= 0x20 || text[i] > 0x7e) return false;
    if (text[i] != '+') continue;
    if (text.size() - i < 3) return false;
    const unsigned high = digit(text[i + 1]);
    const unsigned low = digit(text[i + 2]);
    if (high > 15 || low > 15 || high * 16 + low < 0x20 || high * 16 + low > 0x7e) return false;
    i += 2;
  }
  return true;
}

Reply set_envid(MailArgument& mail, const Parameter& parameter) {
  if (!parameter.value || parameter.value->size() > kEnvidLimitBytes || !is_xtext(*parameter.value))
    return Reply::bad_parameter;
  mail.envid = *parameter.value;
  return Reply::ok;
}

// RFC 4954, 5: <> or a mailbox, in xtext.
Reply set_auth(MailArgument& mail, const Parameter& parameter) {
  if (!parameter.value || parameter.value->size() > kOrcptLimitBytes || !is_xtext(*parameter.value))
    return Reply::bad_parameter;
  const std::string mailbox = decode_xtext(*parameter.value);
  const std::string path = mailbox == "<>" ? mailbox : "<" + mailbox + ">";
  const std::optional<Path> parsed = parse_path(path);
  if (!parsed || parsed->length != path.size()) return Reply::bad_parameter;
  if (!parsed->address.empty() && parsed->address.find('@') == std::string::npos) return Reply::bad_parameter;
  mail.has_auth = true;
  return Reply::ok;
}

// NEVER alone, or some of the three others, none twice.
Reply set_notify(RcptArgument& rcpt, const Parameter& parameter) {
  static constexpr std::array<std::string_view, 3> kEvents = {"SUCCESS", "FAILURE", "DELAY"};
  if (!parameter.value) return Reply::bad_parameter;
  if (equal_ignoring_case(*parameter.value, "NEVER")) {
    rcpt.notify = "NEVER";
    return Reply::ok;
  }
  std::array<bool, kEvents.size()> asked{};
  for (const std::string_view word : split(*parameter.value, ',')) {
    const auto known = std::find_if(kEvents.begin(), kEvents.end(),
                                    [&](std::string_view event) { return equal_ignoring_case(word, event); });
    if (known == kEvents.end()) return Reply::bad_parameter;
    bool& one = asked[static_cast<size_t>(known - kEvents.begin())];
    if (one) return Reply::bad_parameter;
    one = true;
  }
  for (size_t i = 0; i < kEvents.size(); ++i) {
    if (asked[i]) rcpt.notify.append(rcpt.notify.empty() ? "" : ",").append(kEvents[i]);
  }
  return Reply::ok;
}

bool is_type_char(char c) {
  static constexpr std::string_view kOther = "!#$%&'*-/?^_`{|}~.";
  return is_keyword_char(c) || kOther.find(c) != std::string_view::npos;
}

// addr-type ";" xtext. With RFC 6533's type utf-8 the address may hold UTF-8 itself in an SMTPUTF8
// transaction; its \x{...} form is xtext as it stands.
Reply set_orcpt(RcptArgument& rcpt, const Parameter& parameter, bool smtputf8) {
  if (!parameter.value || parameter.value->size() > kOrcptLimitBytes) return Reply::bad_parameter;
  const size_t semicolon = parameter.value->find(';');
  if (semicolon == 0 || semicolon == std::string_view::npos) return Reply::bad_parameter;
  const std::string_view type = parameter.value->substr(0, semicolon);
  const std::string_view address = parameter.value->substr(semicolon + 1);
  if (!std::all_of(type.begin(), type.end(), is_type_char) || address.empty()) return Reply::bad_parameter;
  std::string ascii(address);
  if (smtputf8 && equal_ignoring_case(type, "utf-8") && is_utf8(address)) {
    std::erase_if(ascii, [](char c) { return static_cast<unsigned char>(c) > 0x7f; });
  }
  if (!is_xtext(ascii)) return Reply::bad_parameter;
  rcpt.orcpt = *parameter.value;
  return Reply::ok;
}

}  // namespace

MailArgument parse_mail(std::string_view argument, Malformed malformed) {
  MailArgument mail;
  const std::optional<PathAndRest> found =
      take_path(argument, "FROM:", Reply::bad_mail, Reply::bad_sender, malformed, mail.reply);
  if (!found) return mail;
  mail.sender = found->path.address;
  const bool without_domain = !mail.sender.empty() && mail.sender.find('@') == std::string::npos;
  mail.reply = Reply::sender_ok;
  const Reply parameters = take_parameters(found->rest, [&](const Parameter& parameter) {
    if (equal_ignoring_case(parameter.keyword, "SIZE")) return set_size(mail, parameter);
    if (equal_ignoring_case(parameter.keyword, "BODY"))
      return set_word(mail.body, parameter, "7BIT", "8BITMIME");
    if (equal_ignoring_case(parameter.keyword, "RET")) return set_word(mail.ret, parameter, "FULL", "HDRS");
    if (equal_ignoring_case(parameter.keyword, "ENVID")) return set_envid(mail, parameter);
    if (equal_ignoring_case(parameter.keyword, "AUTH")) return set_auth(mail, parameter);
    if (!equal_ignoring_case(parameter.keyword, "SMTPUTF8")) return Reply::unknown_parameter;
    mail.smtputf8 = true;
    return parameter.value ? Reply::bad_parameter : Reply::ok;
  });
  if (parameters != Reply::ok) {
    mail.reply = parameters;
  } else if (found->path.utf8 && !mail.smtputf8) {
    mail.reply = Reply::needs_smtputf8;
  } else if (without_domain) {
    mail.reply = Reply::bad_sender;
    mail.bare = true;
  }
  return mail;
}

RcptArgument parse_rcpt(std::string_view argument, bool smtputf8) {
  RcptArgument rcpt;
  const std::optional<PathAndRest> found =
      take_path(argument, "TO:", Reply::bad_rcpt, Reply::bad_recipient, Malformed::refuse, rcpt.reply);
  if (!found) return rcpt;
  rcpt.recipient = found->path.address;
  rcpt.reply = rcpt.recipient.empty() ? Reply::bad_recipient : Reply::recipient_ok;
  if (rcpt.reply != Reply::recipient_ok) return rcpt;
  const Reply parameters = take_parameters(found->rest, [&](const Parameter& parameter) {
    if (equal_ignoring_case(parameter.keyword, "NOTIFY")) return set_notify(rcpt, parameter);
    if (equal_ignoring_case(parameter.keyword, "ORCPT")) return set_orcpt(rcpt, parameter, smtputf8);
    return Reply::unknown_parameter;
  });
  if (parameters != Reply::ok) {
    rcpt.reply = parameters;
  } else if (found->path.utf8 && !smtputf8) {
    rcpt.reply = Reply::needs_smtputf8;
  } else if (rcpt.recipient.find('@') == std::string::npos &&
             !equal_ignoring_case(rcpt.recipient, "postmaster")) {
    rcpt.reply = Reply::bad_recipient;
    rcpt.bare = true;
  }
  return rcpt;
}

}  // namespace postern::smtpd
