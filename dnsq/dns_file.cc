#include "dnsq/dns_file.h"

#include <algorithm>
#include <array>

#include "dnsq/dns_name.h"
#include "dnsq/dns_record.h"
#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kFileLimitBytes = 16 * 1024 * 1024;
constexpr uint32_t kDefaultTtl = 3600;
constexpr unsigned kCnameLimit = 10;
constexpr std::array<std::string_view, 4> kWords = {"TIMEOUT", "SERVFAIL", "NXDOMAIN", "BOGUS"};

void apply_word(std::string_view word, DnsRrset& rrset) {
  if (word == "NXDOMAIN") {
    rrset.outcome = DnsOutcome::nxdomain;
    return;
  }
  const bool bogus = word == "BOGUS";
  rrset.outcome = bogus ? DnsOutcome::bogus : DnsOutcome::failed;
  rrset.security = bogus ? DnsSecurity::bogus : DnsSecurity::failed;
  rrset.ttl = 0;
  rrset.why = word;
}

}  // namespace

Result<std::unique_ptr<DnsFile>> DnsFile::open(const std::string& path) {
  Result<std::string> text = read_file(path, kFileLimitBytes);
  if (!text) return text.failure();
  return parse(*text, path);
}

Result<std::unique_ptr<DnsFile>> DnsFile::parse(std::string_view text, std::string_view file_name) {
  auto file = std::make_unique<DnsFile>();
  size_t number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    const std::string_view content = trim(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') continue;
    if (Result<void> added = file->add_line(content); !added) {
      return temporary(printable(file_name) + ":" + std::to_string(number) + ": " + added.failure().text, 55);
    }
  }
  return file;
}

Result<void> DnsFile::add_line(std::string_view line) {
  std::optional<std::vector<DnsToken>> tokens = split_dns_line(line);
  if (!tokens) return temporary("a quote is not closed");
  size_t at = 1;
  uint32_t ttl = kDefaultTtl;
  if (at < tokens->size()) {
    if (const std::optional<uint64_t> number = parse_number((*tokens)[at].text);
        number && *number <= INT32_MAX) {
      ttl = static_cast<uint32_t>(*number);
      ++at;
    }
  }
  if (at < tokens->size() && equal_ignoring_case((*tokens)[at].text, "IN")) ++at;
  if (at + 1 >= tokens->size()) return temporary("a line reads NAME TYPE DATA");
  const std::optional<std::string> wire = parse_dns_name(tokens->front().text);
  if (!wire) return temporary("\"" + printable(tokens->front().text, 80) + "\" is not a domain name");
  const std::optional<uint16_t> type = parse_dns_type((*tokens)[at].text);
  if (!type) return temporary("\"" + printable((*tokens)[at].text, 40) + "\" is not a record type");
  const std::vector<DnsToken> rest(tokens->begin() + static_cast<std::ptrdiff_t>(at) + 1, tokens->end());
  Entry& entry = entries_[{format_dns_name(*wire), *type}];
  entry.ttl = ttl;
  if (rest.size() == 1 && !rest.front().quoted &&
      std::find(kWords.begin(), kWords.end(), rest.front().text) != kWords.end()) {
    entry.word = rest.front().text;
    return {};
  }
  const std::optional<std::string> data = *type == kTypeAny ? std::nullopt : normalise_dns_data(*type, rest);
  if (!data) return temporary("the data is not that of a record of type " + format_dns_type(*type));
  entry.data.push_back(*data);
  return {};
}

const DnsFile::Entry* DnsFile::find(const std::string& name, uint16_t type) const {
  const auto found = entries_.find({name, type});
  return found == entries_.end() ? nullptr : &found->second;
}

bool DnsFile::known(const std::string& name) const {
  const auto at = entries_.lower_bound({name, uint16_t{0}});
  return at != entries_.end() && at->first.first == name;
}

DnsRrset DnsFile::answer(std::string_view name, uint16_t type) const {
  DnsRrset rrset;
  rrset.type = format_dns_type(type);
  rrset.name = name;
  rrset.canonical = name;
  rrset.security = DnsSecurity::insecure;
  rrset.ttl = UINT32_MAX;
  for (unsigned step = 0; step <= kCnameLimit; ++step) {
    const Entry* entry = find(rrset.canonical, type);
    if (entry == nullptr) entry = find(rrset.canonical, kTypeAny);
    const Entry* alias = entry == nullptr ? find(rrset.canonical, kTypeCname) : nullptr;
    if (const Entry* used = entry != nullptr ? entry : alias; used != nullptr)
      rrset.ttl = std::min(rrset.ttl, used->ttl);
    if (alias != nullptr && alias->word.empty()) {
      rrset.canonical = alias->data.front();
      continue;
    }
    if (rrset.ttl == UINT32_MAX) rrset.ttl = kDefaultTtl;
    if (entry == nullptr) entry = alias;
    if (entry == nullptr) {
      rrset.outcome = known(rrset.canonical) ? DnsOutcome::nodata : DnsOutcome::nxdomain;
    } else if (!entry->word.empty()) {
      apply_word(entry->word, rrset);
    } else {
      rrset.outcome = DnsOutcome::found;
      rrset.data = entry->data;
    }
    return rrset;
  }
  apply_word("SERVFAIL", rrset);
  rrset.why = "a chain of more than " + std::to_string(kCnameLimit) + " CNAMEs";
  return rrset;
}

uint64_t DnsFile::look_up(const std::string& name, uint16_t type, LookupDone done) {
  done(answer(name, type));
  return 0;
}

}  // namespace postern
