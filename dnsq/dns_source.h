// Where single RRsets come from: the network (dnsq/unbound_source) or a file (dnsq/dns_file).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "lib/dns_answer.h"

namespace postern {

using LookupDone = std::function<void(DnsRrset)>;

class DnsSource {
 public:
  DnsSource() = default;
  DnsSource(const DnsSource&) = delete;
  DnsSource& operator=(const DnsSource&) = delete;
  virtual ~DnsSource() = default;

  // Calls `done` once, perhaps before it returns. `name` is text that parse_dns_name has taken.
  virtual uint64_t look_up(const std::string& name, uint16_t type, LookupDone done) = 0;
  // `done` of that lookup will not be called any more; nothing happens when it was.
  virtual void forget(uint64_t lookup) = 0;
  // When it is readable, process() calls what is done; -1: nothing is ever outstanding.
  [[nodiscard]] virtual int descriptor() const { return -1; }
  virtual void process() {}
  // Lookups on their way, forgotten ones too.
  [[nodiscard]] virtual size_t outstanding() const { return 0; }
};

}  // namespace postern
