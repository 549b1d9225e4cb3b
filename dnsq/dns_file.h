// --dns FILE: a file in place of the network, for tests and for tracing (design, Joint 6).
//
// Lines "NAME [TTL] [IN] TYPE DATA" in master-file form, names absolute with or without the last dot, ";" or
// "#" begins a comment. DATA may be TIMEOUT, SERVFAIL, NXDOMAIN or BOGUS; with TYPE ANY that holds for every
// type of the name. CNAMEs are followed; an unknown name is NXDOMAIN, a known one of another type has no
// data. Nothing is signed: answers are insecure.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "dnsq/dns_source.h"
#include "lib/result.h"

namespace postern {

class DnsFile : public DnsSource {
 public:
  // The failure names the line and what is wrong with it.
  static Result<std::unique_ptr<DnsFile>> parse(std::string_view text, std::string_view file_name);
  static Result<std::unique_ptr<DnsFile>> open(const std::string& path);

  uint64_t look_up(const std::string& name, uint16_t type, LookupDone done) override;
  void forget(uint64_t) override {}
  // The same, at once.
  [[nodiscard]] DnsRrset answer(std::string_view name, uint16_t type) const;

 private:
  struct Entry {
    uint32_t ttl = 0;
    std::vector<std::string> data;
    std::string word;  // TIMEOUT and the like; empty: data
  };
  Result<void> add_line(std::string_view line);
  [[nodiscard]] const Entry* find(const std::string& name, uint16_t type) const;
  [[nodiscard]] bool known(const std::string& name) const;

  std::map<std::pair<std::string, uint16_t>, Entry> entries_;  // by name as text, and type
};

}  // namespace postern
