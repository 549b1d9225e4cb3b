// The first step of a connection: a socket of the target's kind, bound to our address where one was chosen.
#pragma once

#include <string>
#include <string_view>

#include "lib/fd.h"
#include "lib/result.h"
#include "remote/smtp_session.h"

namespace postern {

// A non-blocking socket whose connect has begun, or is done.
Result<Fd> begin_to_connect(const Target& target, const std::string& doing);

// Can a connection go out from that address now: has this host it?
Result<void> try_source(const std::string& address);

}  // namespace postern
