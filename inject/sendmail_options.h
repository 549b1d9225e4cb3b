// The command line of sendmail, as the programs use it that send mail on Unix systems.
#pragma once

#include <string>
#include <vector>

#include "inject/compose.h"
#include "lib/result.h"
#include "lib/submit.h"

namespace postern::inject {

enum class Mode : uint8_t { deliver, smtp, list_queue, flush_queue, new_aliases };

struct SendmailCall {
  Mode mode = Mode::deliver;
  Order order;
  std::vector<std::string> selectors;  // of flush_queue, in postern-qctl's words
};

// `name` is the last part of argv[0]: "mailq" and "newaliases" are modes. Failures are permanent: 5.5.4 wrong
// usage, 5.3.3 a mode that there is not.
Result<SendmailCall> parse_sendmail(std::string_view name, const std::vector<std::string>& arguments);

// The exit code of sysexits.h for a reply.
int sendmail_exit_code(const SmtpReply& reply);

}  // namespace postern::inject
