#include "smtpd/command.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "lib/text.h"
#include "lib/utf8.h"
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
    Word{"EXPN", Verb::expn},
    Word{"AUTH", Verb::auth},
    Word{"STARTTLS", Verb::starttls},
    Word{"BDAT", Verb::bdat},
    Word{"XCLIENT", Verb::xclient},
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

bool is_control_byte(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool takes_addresses(Verb verb) {
  return verb == Verb::mail || verb == Verb::rcpt || verb == Verb::vrfy || verb == Verb::expn;
}

std::string_view trim_spaces(std::string_view text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

}  // namespace

Command parse_command(std::string_view line) {
  if (std::any_of(line.begin(), line.end(), is_control_byte))
    return {.verb = Verb::forbidden_bytes, .argument = {}};
  const size_t end = line.find(' ');
  const std::string_view word = line.substr(0, end);
  Command command{
      .verb = Verb::unknown,
      .argument = end == std::string_view::npos ? std::string_view{} : trim_spaces(line.substr(end))};
  for (const Word& known : kVerbs) {
    if (equal_ignoring_case(word, known.word)) command.verb = known.verb;
  }
  if (has_8bit_byte(line) && !takes_addresses(command.verb))
    return {.verb = Verb::forbidden_bytes, .argument = {}};
  return command;
}

bool ends_a_group(Verb verb) {
  return verb == Verb::ehlo || verb == Verb::helo || verb == Verb::data || verb == Verb::noop ||
         verb == Verb::vrfy || verb == Verb::expn || verb == Verb::auth || verb == Verb::xclient;
}

bool is_greeting_name(std::string_view argument) {
  static constexpr std::string_view kMeaning = " ()<>\"\\,;@";
  if (argument.empty() || argument.size() > kDomainLimitBytes) return false;
  return std::none_of(argument.begin(), argument.end(), [](char c) {
    return is_control_byte(c) || static_cast<unsigned char>(c) > 0x7f ||
           kMeaning.find(c) != std::string_view::npos;
  });
}

bool is_plain_or_announced_utf8(std::string_view argument) {
  if (!has_8bit_byte(argument)) return true;
  const std::vector<std::string_view> parts = words(argument);
  return parts.size() > 1 && equal_ignoring_case(parts.back(), "SMTPUTF8") && is_utf8(argument);
}

ChunkArgument parse_chunk(std::string_view argument) {
  const std::vector<std::string_view> parts = words(argument);
  const std::optional<uint64_t> size = parts.empty() ? std::optional<uint64_t>() : parse_number(parts[0]);
  if (!size) return {.reply = Reply::bad_chunk_size, .size_bytes = 0, .last = false};
  ChunkArgument chunk{.reply = Reply::chunk_ok, .size_bytes = *size, .last = parts.size() == 2};
  const bool last_is_known = !chunk.last || equal_ignoring_case(parts[1], "LAST");
  if (parts.size() > 2 || !last_is_known) chunk.reply = Reply::bad_chunk_keyword;
  return chunk;
}

}  // namespace postern::smtpd
