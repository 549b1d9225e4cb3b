// One worker: an event loop over the connections that smtpd hands to it.
#pragma once

#include "lib/serve.h"
#include "tlsd/certificates.h"

namespace postern::tlsd {

// Takes connections from `listening` (not blocking; the other workers do the same) until SIGTERM; then those
// that it holds go on to their end, and it returns. `options`: who is answered.
void serve_connections(int listening, const Certificates& certificates, int64_t handshake_milliseconds,
                       const ServeOptions& options);

}  // namespace postern::tlsd
