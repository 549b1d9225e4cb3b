// Asking another program, in either form: "@NAME" is a resident on run/NAME, anything else a program that is
// started with its arguments (words, no shell). The request is the same, and so is what comes back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/request.h"
#include "lib/result.h"

namespace postern {

// `deadline_milliseconds` (see now_milliseconds) covers connect, wait and reply. Failures are temporary:
// nobody there, all workers busy, too large, killed, timed out. An exit code is not a failure here; what it
// means is the joint's.
Result<Reply> call_program(std::string_view program, const Request& request, int64_t deadline_milliseconds);

// A connection to run/NAME; EAGAIN, ENOENT and ECONNREFUSED are retried for up to 5 s within the deadline.
Result<Fd> connect_service(std::string_view name, int64_t deadline_milliseconds);
// One try, no waiting: for event loops.
Result<Fd> try_connect_service(std::string_view name);
// Waits for the reply on such a connection.
Result<Reply> await_reply(int socket, int64_t deadline_milliseconds);

}  // namespace postern
