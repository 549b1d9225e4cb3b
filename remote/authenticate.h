// AUTH (RFC 4954) to a host that a route names, by the user and password of a file that only posternr reads.
#pragma once

#include "lib/result.h"
#include "lib/smtproutes.h"
#include "remote/smtp_session.h"

namespace postern {

// secrets/posternr/NAME: the user on line 1, the password on line 2; nobody else may read it.
struct Credentials {
  std::string user;
  std::string password;
};
Result<Credentials> read_credentials(const std::string& name);

// PLAIN, else LOGIN; nothing where the route asks for none. Every failure is temporary: that the password is
// wrong is not the sender's fault. It goes to a server whose certificate has been found right, to any that
// speaks TLS where `level` is encrypt, and in clear only where the route says so or to a socket of this host.
Result<void> authenticate(SmtpSession& session, const Route& route, TlsLevel level);

}  // namespace postern
