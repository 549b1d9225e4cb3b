#include "receipt/recipient_table.h"

#include <algorithm>
#include <array>

#include "lib/record.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kReplyTextLimitBytes = 400;

struct BypassWord {
  std::string_view word;
  char letter;
  bool Bypass::*flag;
};
constexpr std::array kBypassWords = {
    BypassWord{"users", 'u', &Bypass::users}, BypassWord{"program", 'p', &Bypass::program},
    BypassWord{"ldap", 'l', &Bypass::ldap}, BypassWord{"call-ahead", 'c', &Bypass::call_ahead},
    BypassWord{"rates", 'r', &Bypass::rates}};

bool is_digits(std::string_view text, size_t most) {
  return !text.empty() && text.size() <= most &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_status(std::string_view text, char first) {
  const std::vector<std::string_view> parts = split(text, '.');
  return parts.size() == 3 && parts[0].size() == 1 && parts[0][0] == first && is_digits(parts[1], 3) &&
         is_digits(parts[2], 3);
}

// Where the entries end and the verdict begins; `accepts` is what that says.
struct Line {
  std::string_view entries;
  bool accepts = false;
  std::string_view rest;
};
std::optional<Line> cut_line(std::string_view line) {
  for (const std::string_view word : words(line)) {
    const bool accepts = equal_ignoring_case(word, "ACCEPT");
    if (!accepts && !equal_ignoring_case(word, "REJECT")) continue;
    const size_t at = static_cast<size_t>(word.data() - line.data());
    return Line{trim(line.substr(0, at)), accepts, trim(line.substr(at + word.size()))};
  }
  return std::nullopt;
}

Result<std::string> key_of(std::string_view entry) {
  if (equal_ignoring_case(entry, "ALL")) return std::string("*");
  const size_t at = entry.rfind('@');
  if (at == std::string_view::npos) {
    Result<std::string> domain = table_domain(entry);
    if (!domain) return domain;
    return "@" + *domain;
  }
  if (at == 0 || at + 1 < entry.size()) return table_address(entry);
  const std::string_view user = entry.substr(0, at);
  if (user.find_first_of("@<>,\\") != std::string_view::npos)
    return permanent("\"" + printable(entry, 100) + "\" is no user");
  return lower(entry);
}

// Takes "bypass=…" off the front.
std::string take_bypass(std::string_view& rest, std::string& letters) {
  static constexpr std::string_view kBypass = "bypass=";
  while (equal_ignoring_case(rest.substr(0, kBypass.size()), kBypass)) {
    const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
    rest = trim(rest.substr(word.size()));
    for (const std::string_view name : split(word.substr(kBypass.size()), ',')) {
      const auto known = std::find_if(kBypassWords.begin(), kBypassWords.end(), [&](const BypassWord& one) {
        return equal_ignoring_case(one.word, name);
      });
      if (known == kBypassWords.end())
        return "\"" + printable(name, 40) +
               "\" is no check; bypass= takes users, program, ldap, call-ahead and rates, with commas "
               "between";
      if (letters.find(known->letter) == std::string::npos) letters += known->letter;
    }
  }
  return {};
}

// The verdict as the compiled table holds it, or what is wrong.
Result<std::string> value_of(const Line& line) {
  std::string letters;
  std::string_view rest = line.rest;
  if (const std::string wrong = take_bypass(rest, letters); !wrong.empty()) return permanent(wrong);
  if (!letters.empty() && !line.accepts)
    return permanent("what is refused goes through no check: no bypass=");
  std::string value;
  append_record(value, line.accepts ? 'a' : 'r', letters);
  if (rest.empty()) return value;
  const std::optional<SmtpReply> reply =
      parse_reply(rest, line.accepts ? "2" : "45", line.accepts ? ".1.5" : ".7.1");
  if (!reply)
    return permanent("\"" + printable(rest, 100) + "\" is no reply; write " +
                     (line.accepts ? "250 and a text" : "a code from 400 to 599 and a text") +
                     ", in ASCII, or nothing");
  append_record(value, 'c', reply->code);
  append_record(value, 's', reply->status);
  append_record(value, 't', reply->text);
  return value;
}

}  // namespace

std::optional<SmtpReply> parse_reply(std::string_view text, std::string_view classes,
                                     std::string_view detail) {
  text = trim(text);
  SmtpReply reply{.code = std::string(text.substr(0, 3)), .status = {}, .text = {}};
  const bool ends = text.size() == 3 || (text.size() > 3 && text[3] == ' ');
  if (!ends || !is_digits(reply.code, 3) || classes.find(reply.code[0]) == std::string_view::npos ||
      reply.code[1] > '5')
    return std::nullopt;
  std::string_view rest = trim(text.substr(3));
  const std::string_view status = rest.substr(0, rest.find(' '));
  const bool has_status = is_status(status, reply.code[0]);
  reply.status = has_status ? std::string(status) : reply.code.substr(0, 1) + std::string(detail);
  reply.text = trim(has_status ? rest.substr(status.size()) : rest);
  if (reply.text.empty()) reply.text = reply.code[0] == '2' ? "recipient ok" : "recipient refused";
  const bool sendable =
      std::all_of(reply.text.begin(), reply.text.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (!sendable || reply.text.size() > kReplyTextLimitBytes) return std::nullopt;
  return reply;
}

Result<CdbRecords> parse_recipient_table(std::string_view text, std::string_view file,
                                         std::vector<std::string>& doubts) {
  LineTableMaker maker;
  for (const NumberedLine& whole : numbered_lines(text)) {
    const std::string_view line = whole.text;
    const auto at_line = [&](const std::string& why) {
      return std::string(file) + ":" + std::to_string(whole.number) + ": " + why;
    };
    const std::optional<Line> parts = cut_line(line);
    if (!parts || parts->entries.empty())
      return permanent(at_line("it should read ENTRY[, ENTRY…] ACCEPT or REJECT"));
    const Result<std::string> value = value_of(*parts);
    if (!value) return permanent(at_line(value.failure().text));
    std::string entries(parts->entries);
    std::replace(entries.begin(), entries.end(), ',', ' ');
    if (words(entries).empty())
      return permanent(at_line("it names nobody; write an entry before the verdict"));
    for (const std::string_view entry : words(entries)) {
      const Result<std::string> key = key_of(entry);
      if (!key)
        return permanent(at_line(key.failure().text +
                                 "; entries are user@domain, user@, domain, .domain, [address] and ALL"));
      if (!maker.add(*key, whole.number, *value))
        doubts.push_back(at_line("\"" + printable(entry, 100) + "\" stands in line " +
                                 std::to_string(maker.line_of(*key)) + ", which counts; remove one of them"));
    }
  }
  return maker.take();
}

std::optional<RecipientEntry> recipient_entry_of(const LineMatch& match) {
  RecipientEntry entry;
  entry.line = match.line;
  SmtpReply reply;
  std::string_view data = match.value;
  bool said = false;
  while (const std::optional<std::string_view> record = cut_record(data)) {
    if (record->empty()) return std::nullopt;
    const std::string_view value = record->substr(1);
    switch (record->front()) {
      case 'a':
      case 'r':
        said = true;
        entry.accepts = record->front() == 'a';
        for (const BypassWord& word : kBypassWords)
          entry.bypass.*(word.flag) = value.find(word.letter) != std::string_view::npos;
        break;
      case 'c':
        reply.code = value;
        break;
      case 's':
        reply.status = value;
        break;
      case 't':
        reply.text = value;
        break;
      default:
        return std::nullopt;
    }
  }
  if (!said || !data.empty()) return std::nullopt;
  if (!reply.code.empty()) entry.reply = std::move(reply);
  return entry;
}

}  // namespace postern
