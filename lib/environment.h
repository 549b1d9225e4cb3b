// The NAME=VALUE pairs that travel with a request (design, Joint 2), apart from the process's own
// environment, so that a resident can hold those of one message at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern {

class Environment {
 public:
  // Every variable of this process.
  static Environment of_process();

  // The value, or nothing. Views live until the next change.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
  [[nodiscard]] std::string get_or(std::string_view name, std::string_view otherwise) const;
  void set(std::string_view name, std::string_view value);
  void unset(std::string_view name);
  // Takes away what only trusted callers may say: every POSTERN_* variable, RELAYCLIENT and DATABYTES.
  void remove_trusted();

  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& pairs() const { return pairs_; }

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

// Only what the joints name: POSTERN_*, TCP* and RELAYCLIENT, without the instance's own settings
// (POSTERN_HOME, POSTERN_SPOOL and those that name programs). What a request carries to another program, and
// all that is taken from one.
Environment joint_variables(const Environment& environment);

// Of these, what says something about the message, so that it can go through the stages later as it would
// now.
Environment message_variables(const Environment& environment);

// What a program that is started for a request finds: our own environment, with the request's variables in
// the place of our own joint variables. So neither PATH nor a loader's variable ever comes from a client.
Environment child_environment(const Environment& request);

}  // namespace postern
