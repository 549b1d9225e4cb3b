#include "receipt/send_as.h"

#include <algorithm>

#include "lib/text.h"
#include "receipt/from_field.h"

namespace postern {

namespace {

Failure wrong(const std::string& path, size_t number, std::string_view line, const std::string& why) {
  return temporary(path + ":" + std::to_string(number) + ": \"" + printable(line, 100) + "\" " + why, 55);
}

bool is_entry(std::string_view word) {
  if (word == "*") return true;
  const size_t sign = word.rfind('@');
  return sign != std::string_view::npos && sign + 1 < word.size() &&
         word.find_first_of(" \t") == std::string_view::npos;
}

}  // namespace

Result<SendAs> SendAs::parse(std::string_view text, const std::string& path,
                             std::vector<std::string> domains) {
  SendAs table;
  table.domains_ = std::move(domains);
  Entry* entry = nullptr;
  size_t number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    const bool goes_on = line.starts_with(' ') || line.starts_with('\t');
    std::string_view rest = trim(line);
    if (rest.empty() || rest.starts_with('#')) continue;
    if (goes_on && entry == nullptr)
      return wrong(path, number, rest, "goes on with no line; begin it with a user and a colon");
    if (!goes_on) {
      const size_t colon = rest.find(':');
      const std::string_view user = trim(rest.substr(0, colon));
      if (colon == std::string_view::npos || user.empty())
        return wrong(path, number, rest, "names no user; write USER: ADDRESS, @DOMAIN");
      entry = &table.entries_[lower(user)];
      entry->lines += (entry->lines.empty() ? path + ":" : ",") + std::to_string(number);
      rest.remove_prefix(colon + 1);
    }
    for (const std::string_view part : split(rest, ',')) {
      const std::string_view word = trim(part);
      if (word.empty()) continue;
      if (!is_entry(word)) return wrong(path, number, word, "is no address; write user@domain, @domain or *");
      entry->addresses.push_back(comparable_address(word));
    }
  }
  return table;
}

bool SendAs::may(std::string_view user, std::string_view address) const {
  const size_t sign = address.rfind('@');
  if (user.empty() || sign == std::string_view::npos) return false;
  const std::string wanted = comparable_address(address);
  const std::string domain = wanted.substr(wanted.rfind('@'));
  if (user.find('@') != std::string_view::npos) {
    if (comparable_address(user) == wanted) return true;
  } else if (std::any_of(domains_.begin(), domains_.end(), [&](const std::string& ours) {
               return comparable_address(std::string(user) + "@" + ours) == wanted;
             })) {
    return true;
  }
  const auto entry = entries_.find(lower(user));
  if (entry == entries_.end()) return false;
  return std::any_of(
      entry->second.addresses.begin(), entry->second.addresses.end(),
      [&](const std::string& allowed) { return allowed == "*" || allowed == wanted || allowed == domain; });
}

std::string SendAs::lines_of(std::string_view user) const {
  const auto entry = entries_.find(lower(user));
  return entry == entries_.end() ? "no line of control/sendas names this user" : entry->second.lines;
}

}  // namespace postern
