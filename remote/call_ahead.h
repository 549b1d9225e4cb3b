// SMTP call-ahead: asks the host that a recipient's mail is for whether it takes the recipient, by MAIL and
// RCPT and no message, within the time of the profile, all its servers together.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/callahead_profiles.h"
#include "lib/smtproutes.h"
#include "remote/answer_cache.h"
#include "remote/connection_shares.h"
#include "remote/settings.h"
#include "remote/smtp_session.h"
#include "remote/table_file.h"

namespace postern {

// What the workers share; made before they are forked.
struct CallAheadMemory {
  CallAheadMemory(const CallAheadProfiles& profiles, size_t workers) : answers(profiles), shares(workers) {}
  AnswerCache answers;
  ConnectionShares shares;
};

class CallAhead {
 public:
  CallAhead(RemoteSettings settings, CallAheadProfiles profiles, CallAheadMemory& memory);

  // A profile that is not there is trouble: 111.
  CallAheadAnswer ask(std::string_view profile, const std::string& address);
  // For ServeOptions::idle: closes a connection that nobody has used for a while or that somebody waits for.
  int64_t close_idle();
  void close();

 private:
  struct Query {
    std::string profile_name;  // in lower case
    const CallAheadProfile& profile;
    const std::string& address;
    int64_t deadline;
  };
  // What one server made of it.
  struct Outcome {
    bool decided = false;
    ServerReply reply{};  // to RCPT
    Failure failure{};    // otherwise
  };
  CallAheadAnswer ask_servers(const Query& query);
  Result<std::vector<Target>> targets_of(const Query& query, std::string& way, bool& discards);
  Outcome ask_target(const Query& query, const Target& target, const std::string& way);
  Outcome ask_session(const Query& query);
  Result<void> open(const Query& query, const Target& target, const std::string& way);
  Result<void> begin_transaction(const Query& query);
  [[nodiscard]] bool has_session_for(const Query& query, const std::string& way);
  CallAheadAnswer answer_of(const Query& query, const ServerReply& reply);

  RemoteSettings settings_;
  CallAheadProfiles profiles_;
  CallAheadMemory& memory_;
  TableFile<RouteTable> routes_;
  std::unique_ptr<SmtpSession> session_;
  std::string session_way_;
  unsigned recipients_ = 0;  // that session_ was asked about
};

}  // namespace postern
