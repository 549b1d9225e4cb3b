// Whose conversation this is: the client's at the other end of the connection, or that of a client whom a
// proxy of control/proxies brings, by the PROXY protocol or by XCLIENT.
#pragma once

#include <optional>

#include "lib/environment.h"
#include "lib/result.h"
#include "receipt/proxies.h"
#include "smtpd/xclient.h"

namespace postern::smtpd {

struct Caller {
  Environment environment;  // before the Host Access Table has said anything
  Environment listener{};   // before control/tcp.smtp.cdb has, either, as change_client() has it
  bool denied = false;      // by control/tcp.smtp.cdb
  bool is_proxy = false;    // which says that it brings nobody: it may not relay, whatever the tables say
};

// Reads the header of the PROXY protocol from `fd` where the proxy says one. Nothing: it did not say one as
// it should have; that has been logged.
Result<std::optional<Caller>> meet_caller(int fd, const Proxies& proxies, Environment listener);

// Whom XCLIENT has named; at the same address where it named none.
Result<Caller> become_caller(const Caller& before, const XclientRequest& request);

// By the address that the conversation has now: whom a proxy has brought may say XCLIENT only where he is
// listed himself. A proxy that hands its client's commands on as they come would let anybody be anybody.
bool may_say_xclient(const Caller& caller, const Proxies& proxies);

}  // namespace postern::smtpd
