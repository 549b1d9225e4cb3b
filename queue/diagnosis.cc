#include "queue/diagnosis.h"

#include <algorithm>

#include "lib/text.h"

namespace postern {

namespace {

bool is_status(std::string_view word) {
  const std::vector<std::string_view> parts = split(word, '.');
  return parts.size() == 3 && parts[0].size() == 1 &&
         (parts[0][0] == '2' || parts[0][0] == '4' || parts[0][0] == '5') && parts[1].size() <= 3 &&
         parts[2].size() <= 3 && parse_number(parts[1]) && parse_number(parts[2]);
}

}  // namespace

Diagnosis diagnose(std::string_view report, char status_class) {
  Diagnosis diagnosis{.status = "5.0.0", .remote_mta = {}, .smtp_reply = {}};
  diagnosis.status[0] = status_class;
  static constexpr std::string_view kSaid = " said: ";
  const size_t said = report.find(kSaid);
  if (said != std::string_view::npos) {
    diagnosis.remote_mta = report.substr(0, report.find_first_of("[ "));
    report.remove_prefix(said + kSaid.size());
    diagnosis.smtp_reply = report;
  }
  // The status stands first, or second behind a reply code.
  const std::vector<std::string_view> all = words(report.substr(0, 80));
  for (size_t i = 0; i < std::min<size_t>(2, all.size()); ++i) {
    if (!is_status(all[i])) continue;
    diagnosis.status = all[i];
    diagnosis.status[0] = status_class;
    return diagnosis;
  }
  return diagnosis;
}

}  // namespace postern
