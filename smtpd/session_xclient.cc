// XCLIENT: the conversation begins anew, as that of another client. Everything that goes by the client is
// decided again by a new Session; this one ends, the connection does not.
#include "smtpd/session.h"

namespace postern::smtpd {

void Session::xclient(std::string_view argument) {
  if (!settings_.may_xclient) return refuse(Reply::unknown_command);
  if (transaction_.mid != 0) return refuse(Reply::nested_xclient);
  std::optional<XclientRequest> request = parse_xclient(argument);
  if (!request) return refuse(Reply::bad_xclient);
  if (too_many_commands()) return;
  new_client_ = std::move(*request);
  over_ = true;
}

void Session::known_as(std::string_view helo, bool extended) {
  helo_ = helo;
  extended_ = extended;
  helo_unchecked_ = !helo.empty();
}

}  // namespace postern::smtpd
