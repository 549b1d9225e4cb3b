// The questions about one recipient that other programs answer: has it a mailbox here, does the operator's
// program want it, does the directory know it, does the host that its mail will go to.
//
//   control/rcptcheck  SENDER RECIPIENT
//                      0 yes, 100 no, 111 later; a line of output with a code is the reply
//   users program      exists RECIPIENT
//                      0 yes or not known, 100 no; output: why
//   ldap program       accept RECIPIENT SENDER [QUERY]
//                      0 yes, 1 no; output: why. 111 trouble: "accept", "defer" or a reply, TAB, why
//   @callahead         check PROFILE RECIPIENT
//                      0 yes, 100 no, 111 not known; output: the reply, of a failure that refuses 5yz, then
//                      why
//
// Anything else is trouble; what becomes of the recipient then differs, see each.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lib/environment.h"
#include "lib/request.h"
#include "receipt/ask_program.h"
#include "receipt/decision.h"
#include "receipt/recipient_settings.h"

namespace postern {

// The names of the steps.
inline constexpr const char* kUsersStep = "local-users";
inline constexpr const char* kProgramStep = "recipient-program";
inline constexpr const char* kLdapStep = "ldap";
inline constexpr const char* kCallAheadStep = "call-ahead";

struct RecipientInQuestion {
  std::string_view address;
  std::string_view sender;
  int64_t deadline = 0;  // milliseconds, see now_milliseconds(): of all questions together
};

class RecipientInquiries {
 public:
  // `connection`: the joint variables of the connection, for who is asked (TCPREMOTEIP…).
  RecipientInquiries(RecipientSettings settings, std::string program, Environment connection,
                     AskProgram ask = {});
  [[nodiscard]] const RecipientSettings& settings() const { return settings_; }
  [[nodiscard]] bool has_program() const { return !program_.empty(); }

  Decision users(const RecipientInQuestion& recipient);    // trouble: accepted; a bounce is no disaster
  Decision program(const RecipientInQuestion& recipient);  // trouble: 451
  Decision ldap(const RecipientInQuestion& recipient);     // trouble: as ldap_trouble says, else control/ldap
  Decision call_ahead(
      const RecipientInQuestion& recipient);  // trouble: 451; its own actions are the resident's

 private:
  Result<Reply> ask(std::string_view program, std::vector<std::string> arguments,
                    const RecipientInQuestion& recipient, int64_t most_milliseconds);
  [[nodiscard]] Decision ldap_trouble(std::string_view away, const std::string& why) const;
  bool has_directory();
  bool may_be_local(std::string_view address);

  RecipientSettings settings_;
  std::string program_;
  Environment connection_;
  AskProgram ask_;
  std::optional<bool> has_directory_;  // control/ldap; looked for once
  // The domains of control/locals; nothing where only @userq can say what is delivered on this host. Read
  // once.
  std::optional<std::vector<std::string>> locals_;
  bool locals_read_ = false;
  // Who did not answer, until when nobody waits for it again in this connection, and why.
  struct Away {
    int64_t until = 0;
    Failure failure;
  };
  std::map<std::string, Away, std::less<>> away_;
};

}  // namespace postern
