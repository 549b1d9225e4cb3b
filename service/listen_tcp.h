// A listening TCP socket, for what smtpd's resident form accepts from.
#pragma once

#include <string>

#include "lib/fd.h"
#include "lib/result.h"
#include "service/init_options.h"

namespace postern {

// The address in numbers; "0" is 0.0.0.0, and "::" takes IPv4 too. The backlog is control/backlog.
Result<Fd> listen_tcp(const AddressPort& where);

}  // namespace postern
