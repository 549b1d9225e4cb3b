#include "smtpd/command.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "lib/text.h"
#include "smtpd/path.h"

namespace postern::smtpd {

namespace {

struct Word {
  std::string_view word;
  Verb verb;
};

constexpr std::array kVerbs = {
    Word{"EHLO", Verb::ehlo},
    Word{"HELO", Verb::helo},
    Word{"MAIL", Verb::mail},
    Word{"RCPT", Verb::rcpt},
    Word{"DATA", Verb::data},
    Word{"RSET", Verb::rset},
    Word{"NOOP", Verb::noop},
    Word{"QUIT", Verb::quit},
    Word{"VRFY", Verb::vrfy},
    Word{"HELP", Verb::help},
    Word{"EXPN", Verb::not_implemented},
    Word{"AUTH", Verb::not_implemented},
    Word{"STARTTLS", Verb::not_implemented},
    Word{"BDAT", Verb::not_implemented},
    Word{"ETRN", Verb::not_implemented},
    Word{"TURN", Verb::not_implemented},
    Word{"SEND", Verb::not_implemented},
    Word{"SOML", Verb::not_implemented},
    Word{"SAML", Verb::not_implemented},
    Word{"GET", Verb::not_smtp},
    Word{"POST", Verb::not_smtp},
    Word{"PUT", Verb::not_smtp},
    Word{"HEAD", Verb::not_smtp},
    Word{"OPTIONS", Verb::not_smtp},
    Word{"CONNECT", Verb::not_smtp},
};

bool is_forbidden_byte(char c) {
  return c < 0x20 || c > 0x7e;
}  // 8-bit characters are negative or above

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

// esmtp-param of RFC 5321, 4.1.2.
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
                                     Reply bad_path, Reply& reply) {
  reply = bad_syntax;
  if (argument.size() < keyword.size() || !equal_ignoring_case(argument.substr(0, keyword.size()), keyword)) {
    return std::nullopt;
  }
  argument = trim_spaces(argument.substr(keyword.size()));
  if (!argument.starts_with('<')) return std::nullopt;
  reply = bad_path;
  const std::optional<Path> path = parse_path(argument);
  if (!path) return std::nullopt;
  const std::string_view rest = argument.substr(path->length);
  reply = bad_syntax;
  if (!rest.empty() && rest.front() != ' ') return std::nullopt;
  return PathAndRest{.path = *path, .rest = rest};
}

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// RFC 1870: 1 to 20 digits; what does not fit in 64 bits is larger than anything.
Reply set_size(MailArgument& mail, std::string_view value) {
  if (value.size() > 20 || !all_digits(value)) return Reply::bad_parameter;
  mail.size_bytes = parse_number(value).value_or(UINT64_MAX);
  return Reply::sender_ok;
}

Reply set_body(MailArgument& mail, std::string_view value) {
  for (const std::string_view known : {"7BIT", "8BITMIME"}) {
    if (equal_ignoring_case(value, known)) {
      mail.body = known;
      return Reply::sender_ok;
    }
  }
  return Reply::bad_parameter;
}

Reply take_mail_parameters(MailArgument& mail, std::string_view rest) {
  bool size_seen = false;
  for (const std::string_view word : words(rest)) {
    const std::optional<Parameter> parameter = parse_parameter(word);
    if (!parameter) return Reply::bad_parameter;
    Reply reply = Reply::unknown_parameter;
    if (equal_ignoring_case(parameter->keyword, "SIZE")) {
      if (size_seen || !parameter->value) return Reply::bad_parameter;
      size_seen = true;
      reply = set_size(mail, *parameter->value);
    } else if (equal_ignoring_case(parameter->keyword, "BODY")) {
      if (!mail.body.empty() || !parameter->value) return Reply::bad_parameter;
      reply = set_body(mail, *parameter->value);
    }
    if (reply != Reply::sender_ok) return reply;
  }
  return Reply::sender_ok;
}

}  // namespace

Command parse_command(std::string_view line) {
  if (std::any_of(line.begin(), line.end(), is_forbidden_byte))
    return {.verb = Verb::forbidden_bytes, .argument = {}};
  const size_t end = line.find(' ');
  const std::string_view word = line.substr(0, end);
  const std::string_view argument =
      end == std::string_view::npos ? std::string_view{} : trim_spaces(line.substr(end));
  for (const Word& known : kVerbs) {
    if (equal_ignoring_case(word, known.word)) return {.verb = known.verb, .argument = argument};
  }
  return {.verb = Verb::unknown, .argument = argument};
}

bool is_greeting_name(std::string_view argument) {
  static constexpr std::string_view kMeaning = " ()<>\"\\,;@";
  if (argument.empty() || argument.size() > kDomainLimitBytes) return false;
  return std::none_of(argument.begin(), argument.end(), [](char c) {
    return is_forbidden_byte(c) || kMeaning.find(c) != std::string_view::npos;
  });
}

MailArgument parse_mail(std::string_view argument) {
  MailArgument mail;
  const std::optional<PathAndRest> found =
      take_path(argument, "FROM:", Reply::bad_mail, Reply::bad_sender, mail.reply);
  if (!found) return mail;
  mail.sender = found->path.address;
  const bool without_domain = !mail.sender.empty() && mail.sender.find('@') == std::string::npos;
  mail.reply = without_domain ? Reply::bad_sender : take_mail_parameters(mail, found->rest);
  return mail;
}

RcptArgument parse_rcpt(std::string_view argument) {
  RcptArgument rcpt;
  const std::optional<PathAndRest> found =
      take_path(argument, "TO:", Reply::bad_rcpt, Reply::bad_recipient, rcpt.reply);
  if (!found) return rcpt;
  rcpt.recipient = found->path.address;
  rcpt.reply = rcpt.recipient.empty() ? Reply::bad_recipient : Reply::recipient_ok;
  for (const std::string_view word : words(found->rest)) {
    if (rcpt.reply != Reply::recipient_ok) break;
    rcpt.reply = parse_parameter(word) ? Reply::unknown_parameter : Reply::bad_parameter;
  }
  return rcpt;
}

}  // namespace postern::smtpd
