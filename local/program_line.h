// A program line of a .qmail file: /bin/sh -c LINE, the user's own command, with the message as descriptor 0
// and qmail-command(8)'s environment. Nothing of a message ever becomes part of the command.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/environment.h"
#include "lib/result.h"

namespace postern {

struct MailboxDelivery;

constexpr size_t kProgramOutputBytes = 1000;  // of what a program prints, in a report

// Our own environment and SENDER, NEWSENDER, RECIPIENT, USER, HOME, LOCAL, EXT, EXT2 to EXT4, HOST, HOST2 to
// HOST4, DTLINE, RPLINE, UFLINE, and DEFAULT where the file's name ends with it.
Environment program_environment(const MailboxDelivery& delivery, std::string_view forward_sender,
                                const std::optional<std::string>& matched);

enum class ProgramEnd { done, done_stop_here };  // exit codes 0 and 99

// What an exit code means: 100 and the others that qmail-command(8) lists are permanent, all further ones
// temporary. What the program printed is in the failure, and its status where it begins with one ("5.2.2
// full") or has one as qmail's programs write it ("(#5.2.2)").
Result<ProgramEnd> judge_program(int exit_code, std::string_view output);

// Runs it in a process group of its own, which is killed at the deadline. Our own service's limit of memory
// is not the program's; `memory_bytes` is.
Result<ProgramEnd> run_program_line(const std::string& line, const Environment& environment, int message,
                                    int64_t deadline_milliseconds, uint64_t memory_bytes);

}  // namespace postern
