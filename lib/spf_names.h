// The names of the client's address: what its PTR records say, and which of them lead back to it (RFC 7208,
// 5.5). All is asked once in a check, so that whatever a record says and however often, ptr and %{p} cost it
// one PTR question and kSpfNameLimit addresses.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/dns_answer.h"

namespace postern {

constexpr size_t kSpfNameLimit = 10;  // RFC 7208, 4.6.4

class SpfNames {
 public:
  // `leads_back`: whether the name has the client's address; trouble with the DNS is a no.
  SpfNames(std::string address, const AskDns& ask, std::function<bool(const std::string& name)> leads_back)
      : address_(std::move(address)), ask_(ask), leads_back_(std::move(leads_back)) {}

  // What became of the PTR question.
  DnsOutcome outcome();
  // Mechanism ptr: a name of the address is the domain or below it, and leads back.
  bool has_one_of(std::string_view domain);
  // Macro p (7.3): the domain itself, else a name below it, else any, of those that lead back; "unknown".
  const std::string& validated(const std::string& domain);

 private:
  const std::vector<std::string>& all();
  bool is_validated(const std::string& name);

  std::string address_;
  const AskDns& ask_;
  std::function<bool(const std::string& name)> leads_back_;
  DnsOutcome outcome_ = DnsOutcome::failed;
  std::optional<std::vector<std::string>> names_;  // at most kSpfNameLimit
  std::map<std::string, bool> is_validated_;       // of names_
  std::map<std::string, std::string> validated_;   // by domain; a check evaluates at most eleven records
};

}  // namespace postern
