// How the connection gets encrypted. smtpd has no TLS of its own: the resident postern-tlsd takes the
// client's socket over and gives a plain one in its place, or an external server does the like (UCSPI-TLS).
#pragma once

#include <functional>

#include "lib/environment.h"
#include "lib/fd.h"
#include "lib/result.h"
#include "lib/tls_facts.h"
#include "smtpd/client.h"

namespace postern::smtpd {

// What the session knows of it; without functions there is no TLS.
struct TlsLayer {
  std::function<bool()> offered;          // may the client begin it? Asked at EHLO
  std::function<Result<void>()> prepare;  // whoever does it is there; before the client is told to begin
  std::function<Result<TlsFacts>(Client&)> begin;  // the handshake; after a failure the connection is lost
  bool immediate = false;                          // it begins before the greeting (port 465)
  std::optional<TlsFacts> begun{};                 // it began before we were started
};

// From POSTERN_TLS=immediate; from SSLCTLFD, SSLREADFD and SSLWRITEFD: a server that begins TLS when we write
// `y` (UCSPI-TLS); from SSL_PROTOCOL without these: a server that has begun it. Takes these variables out of
// the environment, which goes on to other programs. `patience_milliseconds`: for the client's handshake;
// `idle_seconds`: for a silent client after it, control/timeoutsmtpd.
TlsLayer choose_tls_layer(Environment& environment, int64_t patience_milliseconds, uint64_t idle_seconds);
void forget_tls_layer(Environment& environment);

}  // namespace postern::smtpd
