// A connection that is another client's than it was thought: a proxy has said whose.
#pragma once

#include "lib/environment.h"
#include "lib/result.h"
#include "smtpd/proxy_protocol.h"

namespace postern::smtpd {

// The environment of a connection that is another client's than it was thought: what control/tcp.smtp.cdb
// says of the old address goes, and so does what says who the client is (RELAYCLIENT, TCPREMOTEHOST, …); then
// comes what it says of the new one. What the server itself was told (POSTERN_LISTENER, POSTERN_POLICY,
// QMAILQUEUE) stays, and comes back from `listener` where the old rule had said something else: that is the
// environment before any rule; empty where another server has applied the rule, and nobody knows it.
struct ChangedClient {
  Environment environment;
  bool denied = false;  // by the new address's rule
};
Result<ChangedClient> change_client(Environment environment, const ProxiedClient& client,
                                    const Environment& listener);

}  // namespace postern::smtpd
