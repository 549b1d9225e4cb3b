#include "lib/log.h"

#include <climits>

#include "lib/fd.h"

namespace postern {

namespace {

constinit std::string_view current_program = "postern";

void write_line(std::string_view line) {
  // A log that cannot be written must not stop mail: there is nobody to tell.
  (void)write_all(2, line, "log");
}

void log_fault(std::string_view level, std::string_view doing, std::string_view why) {
  std::string line(level);
  line.append(current_program).append(": unable to ").append(doing).append(": ").append(why).append("\n");
  write_line(line);
}

}  // namespace

void set_program_name(std::string_view name) {
  current_program = name;
}

void log_info(std::string_view event) {
  LogLines().info(event);
}
void log_warning(std::string_view doing, std::string_view why) {
  log_fault("Warning: ", doing, why);
}
void log_critical(std::string_view doing, std::string_view why) {
  log_fault("Critical: ", doing, why);
}
void log_warning(std::string_view doing, const Failure& failure) {
  log_warning(doing, failure.text);
}

LogLines& LogLines::info(std::string_view event) {
  static constexpr std::string_view kLevel = "Info: ";
  if (lines_.size() + kLevel.size() + event.size() + 1 > PIPE_BUF) flush();
  lines_.append(kLevel).append(event).append("\n");
  return *this;
}

void LogLines::flush() {
  if (!lines_.empty()) (void)write_all(fd_, lines_, "log");
  lines_.clear();
}

}  // namespace postern
