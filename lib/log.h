// The event log (design, Joint 7): one line an event on descriptor 2, each written with one write(2).
// The words are those of Cisco's mail_logs. Foreign bytes must have gone through printable() before.
#pragma once

#include <string>
#include <string_view>

#include "lib/result.h"

namespace postern {

// Set once by run_program; names the program in its own failures.
void set_program_name(std::string_view name);

void log_info(std::string_view event);  // "Info: EVENT"
void log_warning(std::string_view doing,
                 std::string_view why);  // "Warning: postern-NAME: unable to DOING: WHY"
void log_critical(std::string_view doing, std::string_view why);  // the same, "Critical:"
void log_warning(std::string_view doing, const Failure& failure);

// Collects the lines of one moment and writes them with one write(2): fewer wake-ups of multilog. What would
// be longer than PIPE_BUF is written in parts, since many programs share the pipe and a longer write could be
// torn apart.
class LogLines {
 public:
  explicit LogLines(int fd = 2) : fd_(fd) {}
  LogLines& info(std::string_view event);
  void flush();
  ~LogLines() { flush(); }

 private:
  std::string lines_;
  int fd_;
};

}  // namespace postern
