// What a Host Access Table needs to know of a client and does not hold: asked of the reputation service and
// of the DNS, within a bounded time. Whoever does not answer is as if there were nothing to say, and the log
// says who it was.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/dns_answer.h"
#include "receipt/hat.h"

namespace postern {

constexpr int64_t kScoreMilliseconds = 1000;     // for the reputation service
constexpr int64_t kDnsMilliseconds = 5000;       // for one question of the DNS
constexpr int64_t kDnsAgainMilliseconds = 1000;  // once it has not answered one
constexpr int64_t kClientMilliseconds = 20000;   // for all of a client's
constexpr size_t kMostPtrNames = 8;              // that are looked at

class ClientQuestions {
 public:
  // `given_name`: TCPREMOTEHOST; empty: the DNS is asked for names. Unless it `is_verified` it is what
  // somebody's PTR record says, and counts when it has the address.
  ClientQuestions(const AddressKey& address, std::string given_name, bool is_verified);
  ~ClientQuestions() = default;
  ClientQuestions(const ClientQuestions&) = delete;  // what questions() gives points here
  ClientQuestions& operator=(const ClientQuestions&) = delete;

  // In place of control/dnsq and control/reputation.
  void ask_dns_of(std::string program) { dns_program_ = std::move(program); }
  void take_score(std::optional<int> tenths) { given_score_ = tenths; }

  // Nobody has connected: @repd is asked without its keeping anything of the address.
  void only_look() { only_looks_ = true; }

  HatQuestions questions();

  // control/reputation, default @repd: `score IP` is answered with "-4.5" or "none". "none" in the file:
  // nobody is asked.
  std::optional<int> score();
  HostName host();
  DnsListing list(std::string_view zone);
  // What the list says about the address to people (its TXT record), made safe for a reply; empty: nothing.
  std::string list_text(std::string_view zone);

 private:
  [[nodiscard]] int64_t deadline(int64_t milliseconds) const;
  Result<DnsAnswer> ask_about(const std::vector<std::string>& question);
  HostName look_up_host();
  // Which of the claimed names have the address, or why none has.
  HostName verify(HostName claimed);
  void warn(const std::string& doing, const std::string& why) const;

  AddressKey address_;
  std::string ip_;
  std::string given_name_;
  bool is_verified_;
  std::optional<std::optional<int>> given_score_;
  std::string dns_program_;
  bool dns_failed_ = false;
  bool only_looks_ = false;
  int64_t last_;  // now_milliseconds() after which nothing is asked any more
};

}  // namespace postern
