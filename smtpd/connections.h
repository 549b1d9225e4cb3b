// The resident form of smtpd: what tcpserver does for the path form, without an exec for each connection.
// A program that the C library starts asks the processor some seventy times what it is (cpuid), and each time
// costs a switch to the hypervisor where there is one; a forked process has the answers.
#pragma once

#include <functional>

#include "lib/environment.h"
#include "smtpd/stress.h"

namespace postern::smtpd {

// One conversation; the sign is null where nobody tells how many there are. `listener` is the environment
// before control/tcp.smtp.cdb has said anything of the client.
using Converse = std::function<int(const StressSign*, const Environment& listener)>;

// Accepts connections on the TCP socket at descriptor 3 and runs `converse` in a forked process for each,
// with the connection as descriptors 0 and 1 and the UCSPI variables set, those of control/tcp.smtp.cdb last.
// At most control/concurrencyincoming at once, control/concurrencyperip of them from one client;
// from control/stresspercent of them on, clients have control/timeoutstress to get on. `argv` is
// that of the process: it executes itself anew on SIGHUP, after a session that died by a signal, and after
// kConnectionsPerLayout, so that whoever probes the memory layout
// by crashing sessions meets another one each time. Returns the exit code: 0 after SIGTERM (sessions that
// have begun go on to their end), 111 when it cannot start.
int serve_connections(char** argv, const Converse& converse);

}  // namespace postern::smtpd
