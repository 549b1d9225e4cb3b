// A connection that is another client's than it was thought: a proxy has said whose.
#pragma once

#include "lib/environment.h"
#include "lib/result.h"
#include "smtpd/proxy_protocol.h"

namespace postern::smtpd {

// The environment of a connection that is another client's than it was thought: what control/tcp.smtp.cdb
// says of the old address goes, and so does what says who the client is (RELAYCLIENT, TCPREMOTEHOST, …); then
// comes what it says of the new one. What the server itself was told (POSTERN_LISTENER, QMAILQUEUE) stays.
struct ChangedClient {
  Environment environment;
  bool denied = false;  // by the new address's rule
};
Result<ChangedClient> change_client(Environment environment, const ProxiedClient& client);

}  // namespace postern::smtpd
