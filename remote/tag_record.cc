#include "remote/tag_record.h"

#include "lib/dns_answer.h"
#include "lib/dns_text.h"
#include "lib/text.h"

namespace postern {

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
