// One question from start to answer: which RRsets it needs, and what they say together.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dnsq/dns_source.h"
#include "lib/dns_answer.h"
#include "lib/result.h"

namespace postern {

struct DnsQuestion {
  std::string kind;  // "mx", "ip", "ptr", "txt", "tlsa", "any"
  std::string name;  // normalised text; empty: what was asked for is no domain name
  std::string asked;
  uint16_t type = 0;  // of ptr, txt, tlsa, any
};

// A failure (exit code 100) for what is no question; a name that is no domain name is one, with the answer
// "invalid".
Result<DnsQuestion> parse_dns_question(const std::vector<std::string>& words);

class Inquiry {
 public:
  Inquiry(DnsQuestion question, DnsSource& source);
  ~Inquiry();
  Inquiry(const Inquiry&) = delete;
  Inquiry& operator=(const Inquiry&) = delete;

  void start();
  [[nodiscard]] bool finished() const { return finished_; }
  // What is not answered by now has failed.
  void give_up(std::string_view why);
  // Once it is finished.
  [[nodiscard]] const DnsAnswer& answer() const { return answer_; }

 private:
  void look_up(const std::string& name, uint16_t type, void (Inquiry::*then)(DnsRrset));
  void take_rrset(DnsRrset rrset);
  void take_mx(DnsRrset rrset);
  void take_host_rrset(DnsRrset rrset);
  void ask_hosts();
  void conclude();
  void finish();

  DnsQuestion question_;
  DnsSource& source_;
  DnsAnswer answer_;
  std::vector<uint64_t> lookups_;
  size_t awaited_ = 0;  // lookups not answered yet
  bool finished_ = false;
};

// The text for descriptor 1 and the exit code: 0 answered, 111 bogus or failed.
std::string answer_text(const DnsAnswer& answer);
int answer_exit_code(const DnsAnswer& answer);

}  // namespace postern
