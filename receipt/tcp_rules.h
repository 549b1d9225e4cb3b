// The rules that tcprules(1) compiles (control/tcp.smtp.cdb): whether a client may connect, and what its
// session's environment says.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/result.h"

namespace postern {

struct TcpRule {
  bool deny = false;
  std::vector<std::pair<std::string, std::string>> variables;
};

// As tcpserver(1) looks them up: the address itself, then its prefixes that end with a dot or a
// colon, the longest first, then the empty one. Nobody has asked for the client's host name or user, so keys
// with '=' or '@' are never met. No rule at all allows. A broken database is a temporary failure, and a
// missing one where it refuses: nobody is let in by a rule that could not be read.
enum class NoRules { refuse, allow };
Result<TcpRule> find_tcp_rule(const std::string& cdb_path, std::string_view address,
                              NoRules where_missing = NoRules::refuse);

// The rule of control/tcp.smtp.cdb. postern-smtpd --serve refuses without; under another UCSPI server, which
// has rules of its own, there need be none.
constexpr const char* kTcpRules = "control/tcp.smtp.cdb";
Result<TcpRule> tcp_rule_of(std::string_view address, NoRules where_missing);

// Whoever may write the rules may say who somebody is: with TCPREMOTEHOST of a rule comes this variable, by
// which the Host Access Table believes the name. Under tcpserver -p an operator may set it.
constexpr const char* kHostVerified = "POSTERN_HOST_VERIFIED";

// What stands behind an address in the database: 'D' denies, '+NAME=VALUE' NUL sets a variable.
Result<TcpRule> parse_tcp_rule(std::string_view instructions);

}  // namespace postern
