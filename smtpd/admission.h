// What the Host Access Table makes of the client, before a word is said: its sender group and policy, and
// what of that travels in the environment. tcprules' environment wins: POSTERN_POLICY names the policy, and
// RELAYCLIENT makes the client one that relays, whatever the table says; then nobody is looked up.
#pragma once

#include <string>

#include "lib/environment.h"
#include "lib/result.h"
#include "receipt/mail_flow_policy.h"

namespace postern::smtpd {

// Why the client has its policy; its words stand in the log.
struct SenderGroup {
  std::string name = "None";
  std::string entry = "ALL";
  std::string score = "None";
  std::string where{};  // "control/hat:12"; empty: no table, or no line of it
  bool host_verified = false;
  std::string list_text{};  // what the DNS list that matched says to people
};

struct Admission {
  MailFlowPolicy policy{};  // without a table the one that checks nothing
  SenderGroup group{};
};

// Sets POSTERN_SENDERGROUP, POSTERN_POLICY, POSTERN_SKIP, RELAYCLIENT and TCPREMOTEHOST where they follow
// from it. A failure is temporary: a table that cannot be read lets nobody in.
Result<Admission> admit(Environment& environment);

// For who is not to relay, nor to be spared a scan, whatever was found of his address: RELAY becomes ACCEPT.
void do_not_relay(Admission& admission, Environment& environment);

}  // namespace postern::smtpd
