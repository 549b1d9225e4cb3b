#include "remote/tag_record.h"

#include "lib/dns_answer.h"
#include "lib/text.h"

namespace postern {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// One character of a master file's string at `at`, which moves behind it.
std::optional<char> take_character(std::string_view data, size_t& at) {
  if (data[at] != '\\') return data[at++];
  if (at + 1 >= data.size()) return std::nullopt;
  if (!is_digit(data[at + 1])) {
    at += 2;
    return data[at - 1];
  }
  if (at + 3 >= data.size() || !is_digit(data[at + 2]) || !is_digit(data[at + 3])) return std::nullopt;
  const int value = (data[at + 1] - '0') * 100 + (data[at + 2] - '0') * 10 + (data[at + 3] - '0');
  at += 4;
  if (value > 255) return std::nullopt;
  return static_cast<char>(value);
}

}  // namespace

std::optional<std::string> txt_bytes(std::string_view data) {
  std::string bytes;
  bool quoted = false;
  for (size_t at = 0; at < data.size();) {
    if (data[at] == '"') {
      quoted = !quoted;
      ++at;
    } else if (!quoted && (data[at] == ' ' || data[at] == '\t')) {
      ++at;
    } else {
      const std::optional<char> c = take_character(data, at);
      if (!c) return std::nullopt;
      bytes += *c;
    }
  }
  if (quoted) return std::nullopt;
  return bytes;
}

Result<std::vector<std::string>> ask_txt(std::string_view dns_program, const std::string& name,
                                         int64_t deadline_milliseconds) {
  Result<DnsAnswer> answer = ask_dns(dns_program, {"txt", name}, deadline_milliseconds);
  if (!answer) return answer.failure();
  std::vector<std::string> records;
  for (const DnsRrset& rrset : answer->rrsets) {
    for (const std::string& data : rrset.data) {
      if (std::optional<std::string> bytes = txt_bytes(data)) records.push_back(std::move(*bytes));
    }
  }
  return records;
}

std::optional<std::string_view> only_record(const std::vector<std::string>& records, std::string_view begin) {
  std::optional<std::string_view> found;
  for (const std::string& record : records) {
    if (!record.starts_with(begin) || !trim(std::string_view(record).substr(begin.size())).starts_with(';'))
      continue;
    if (found) return std::nullopt;
    found = record;
  }
  return found;
}

std::optional<std::string_view> tag_of(std::string_view record, std::string_view name) {
  for (std::string_view part : split(record, ';')) {
    part = trim(part);
    if (part.size() > name.size() && part.starts_with(name) && part[name.size()] == '=')
      return part.substr(name.size() + 1);
  }
  return std::nullopt;
}

std::vector<std::string_view> loose_tags_of(std::string_view record, std::string_view name) {
  std::vector<std::string_view> values;
  for (const std::string_view part : split(record, ';')) {
    const size_t equals = part.find('=');
    if (equals != std::string_view::npos && trim(part.substr(0, equals)) == name)
      values.push_back(trim(part.substr(equals + 1)));
  }
  return values;
}

}  // namespace postern
