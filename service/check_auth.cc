#include "service/check_auth.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "lib/child.h"
#include "lib/control.h"
#include "lib/text.h"

namespace postern {

namespace {

bool is_program(std::string_view word) {
  if (word.starts_with('@')) return word.size() > 1 && word.find('/') == std::string_view::npos;
  const bool of_ours = word.find('/') == std::string_view::npos;
  if (!of_ours && !word.starts_with('/')) return false;
  const std::string path = (of_ours ? own_directory() + "/" : "") + std::string(word);
  return ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::string problem_of_checker(std::string_view line) {
  return is_program(line.substr(0, line.find_first_of(" \t")))
             ? ""
             : "is no program; write @NAME, one of Postern's programs, or an absolute path";
}

std::string problem_of_mechanisms(std::string_view line) {
  static constexpr std::array kMechanisms = {"PLAIN", "LOGIN", "SCRAM-SHA-256"};
  const std::vector<std::string_view> named = words(line);
  if (named.empty()) return "names no mechanism; write some of SCRAM-SHA-256, PLAIN and LOGIN";
  const bool known = std::all_of(named.begin(), named.end(), [](std::string_view word) {
    return std::find(kMechanisms.begin(), kMechanisms.end(), word) != kMechanisms.end();
  });
  return known ? "" : "has a word that is no mechanism; write some of SCRAM-SHA-256, PLAIN and LOGIN";
}

// Only our own table has what SCRAM needs; a client takes SCRAM where it is offered, and would be refused.
void warn_of_scram(std::vector<ControlReport>& reports) {
  const auto named = [&](std::string_view name) {
    return std::find_if(reports.begin(), reports.end(),
                        [&](const ControlReport& report) { return report.name == name; });
  };
  const auto checkers = named("authcheck");
  const auto mechanisms = named("authmechanisms");
  if (checkers == reports.end() || mechanisms == reports.end()) return;
  if (mechanisms->value.find("SCRAM") == std::string::npos ||
      checkers->value.find("postern-checkpassword") != std::string::npos)
    return;
  checkers->problems.push_back(home_path("control/authcheck") +
                               ": SCRAM-SHA-256 is offered, and only users of postern-checkpassword have it; "
                               "write \"PLAIN LOGIN\" into control/authmechanisms");
}

}  // namespace postern
