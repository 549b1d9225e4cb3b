// control/policies: the mail flow policies (postern-policies(5)).
//
//   DEFAULT   PARAMETER=VALUE...        what the others inherit, wherever it stands
//   NAME RULE PARAMETER=VALUE...        RULE: ACCEPT REJECT TCPREFUSE RELAY CONTINUE
//
// A line that begins with a blank goes on where the one before it ended. A value with blanks stands between
// quotation marks: reject="554 5.7.1 go away".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/result.h"
#include "receipt/mail_flow_policy.h"

namespace postern {

// A policy as it is kept in a compiled table: its parameters as words, so that a table made by a version with
// fewer parameters is still read.
struct PolicyLine {
  std::string name;
  size_t line = 0;
  AccessRule rule = AccessRule::accept;
  std::vector<std::string> words;  // PARAMETER=VALUE, those of DEFAULT first
};

struct Policies {
  std::vector<PolicyLine> lines;                                      // without DEFAULT
  std::vector<std::string> default_words;                             // of DEFAULT
  [[nodiscard]] const PolicyLine* find(std::string_view name) const;  // letter case does not count
};

// The failure (permanent) is FILE:LINE: what is wrong; the remedy.
Result<Policies> parse_policies(std::string_view text, std::string_view file_name);

// The policy that the words make; the failure says which of them is none.
Result<MailFlowPolicy> make_policy(const PolicyLine& line);

std::optional<AccessRule> parse_access_rule(std::string_view word);
std::string_view access_rule_name(AccessRule rule);

// Every parameter with its value, in the words of control/policies.
std::vector<std::pair<std::string, std::string>> policy_parameters(const MailFlowPolicy& policy);

}  // namespace postern
