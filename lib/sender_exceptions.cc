#include "lib/sender_exceptions.h"

#include <algorithm>

#include "lib/control.h"
#include "lib/idn.h"
#include "lib/text.h"

namespace postern {

namespace {

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// "user@example.org", "example.org", "@example.org" (the same) or ".example.org".
Result<std::string> parse_entry(std::string_view word) {
  if (word.starts_with('@')) word.remove_prefix(1);
  const size_t at = word.rfind('@');
  const std::string_view domain = at == std::string_view::npos ? word : word.substr(at + 1);
  const bool literal = domain.starts_with('[') && domain.ends_with(']');
  const Result<std::string> name = literal ? Result<std::string>(lower(domain)) : a_labels(domain);
  const std::string_view never = literal ? "*/,;" : "*/,;:[]";
  const bool good = name && !name->empty() && *name != "." && name->size() <= 254 &&
                    is_printable_ascii(*name) && name->find_first_of(never) == std::string::npos &&
                    name->find("..") == std::string::npos;
  if (!good || (at != std::string_view::npos && domain.starts_with('.')))
    return permanent(
        "begins with no address and no domain; write user@example.org, example.org or .example.org");
  return at == std::string_view::npos ? *name : lower(word.substr(0, at + 1)) + *name;
}

// "550 5.7.1 text", "550 text" or "text" behind "reject".
bool parse_reply(std::string_view text, SenderException& into) {
  const std::string_view word = text.substr(0, text.find(' '));
  const std::optional<uint64_t> code = word.size() == 3 ? parse_number(word) : std::nullopt;
  if (code) {
    if (*code < 400 || *code > 599) return false;
    into.code = static_cast<uint16_t>(*code);
    text = trim(text.substr(word.size()));
  }
  into.text = text;
  return is_printable_ascii(text) && text.size() <= 400;
}

// What stands behind the first word, without blanks at its ends.
std::string_view behind_first_word(std::string_view text) {
  return trim(text.substr(std::min(text.find_first_of(" \t"), text.size())));
}

bool parse_action(std::string_view text, SenderException& into) {
  const std::string_view action = text.substr(0, text.find_first_of(" \t"));
  const std::string_view rest = behind_first_word(text);
  into.accept = equal_ignoring_case(action, "accept");
  if (into.accept) return rest.empty();
  return equal_ignoring_case(action, "reject") && parse_reply(rest, into);
}

}  // namespace

Result<SenderException> parse_exception_line(std::string_view line) {
  line = trim(line);
  Result<std::string> entry = parse_entry(line.substr(0, line.find_first_of(" \t")));
  if (!entry) return entry.failure();
  SenderException exception{.entry = std::move(*entry)};
  if (!parse_action(behind_first_word(line), exception))
    return permanent("has no action behind its first word; write accept, reject or reject 550 5.7.1 TEXT");
  return exception;
}

std::string exception_value(const SenderException& exception, size_t line_number) {
  std::string value = std::to_string(line_number) + (exception.accept ? " accept" : " reject");
  if (exception.code != 0) value += " " + std::to_string(exception.code);
  if (!exception.text.empty()) value += " " + exception.text;
  return value;
}

Result<SenderExceptions> SenderExceptions::open() {
  SenderExceptions exceptions;
  Result<std::optional<CdbTable>> table =
      CdbTable::open(home_path("control/senderexceptions.cdb"), "postern-cdbmake senderexceptions");
  if (!table) return table.failure();
  exceptions.table_ = std::move(*table);
  return exceptions;
}

Result<std::optional<SenderException>> SenderExceptions::find(std::string_view sender) {
  if (!table_ || sender.empty()) return std::optional<SenderException>();
  const std::string address = lower(sender);
  std::string_view key = address;
  // The address, its domain "b.c", then ".c".
  for (size_t at = address.rfind('@');;) {
    Result<std::optional<std::string>> found = table_->find(key);
    if (!found) return found.failure();
    if (found->has_value()) {
      SenderException exception{.entry = std::string(key)};
      const std::string_view value = **found;
      exception.line = parse_number(value.substr(0, value.find(' '))).value_or(0);
      if (!parse_action(behind_first_word(value), exception))
        return temporary(home_path("control/senderexceptions.cdb") + ": the value of \"" +
                             printable(key, 80) +
                             "\" is none; make the table anew with postern-cdbmake senderexceptions",
                         55, "4.3.5");
      return std::optional(std::move(exception));
    }
    if (at == std::string::npos) return std::optional<SenderException>();
    const bool domain_is_next = address[at] == '@';
    key = std::string_view(address).substr(domain_is_next ? at + 1 : at);
    at = address.find('.', at + 1);
  }
}

}  // namespace postern
