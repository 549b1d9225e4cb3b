#include "remote/tlsrpt_run.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <set>

#include "lib/child.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr uint64_t kDaySeconds = 86400;
constexpr size_t kSentLimitBytes = 16 * 1024 * 1024;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

std::set<std::string, std::less<>> sent_before(const std::string& path) {
  std::set<std::string, std::less<>> sent;
  Result<std::string> text = read_file(path, kSentLimitBytes);
  if (!text) return sent;
  for (const std::string_view line : split(*text, '\n')) {
    if (!line.empty()) sent.emplace(line);
  }
  return sent;
}

std::vector<std::string> days_in(const std::string& directory) {
  std::vector<std::string> days;
  const std::unique_ptr<DIR, CloseDirectory> open{::opendir(directory.c_str())};
  if (!open) return days;
  while (const dirent* entry = ::readdir(open.get())) {
    if (is_day(entry->d_name)) days.emplace_back(entry->d_name);
  }
  std::sort(days.begin(), days.end());
  return days;
}

// Gateways of different names do not all report at the same moment.
uint64_t due_at(const std::string& day, const std::string& organization) {
  return day_begins(day) + kDaySeconds + std::hash<std::string>{}(organization) % kTlsReportSpreadSeconds;
}

TlsTry try_report(const TlsReportSettings& settings, const TlsReport& report, int64_t patience) {
  const int64_t deadline = now_milliseconds() + patience;
  Result<TlsReportFate> fate = send_tls_report(settings, report, deadline);
  if (fate) return *fate == TlsReportFate::sent ? TlsTry::sent : TlsTry::not_wanted;
  const bool slow = now_milliseconds() >= deadline;
  if (slow && patience < kTlsPatientMilliseconds) return TlsTry::slow;  // it is tried once more
  log_warning("send the TLS report " + report.id, fate.failure());
  return TlsTry::failed;
}

}  // namespace

Result<TlsRunEnd> send_tls_reports(const TlsReportSettings& settings, const std::string& directory,
                                   const std::string& day, int64_t deadline) {
  const std::string sent_path = directory + "/" + day + ".sent";
  const Fd note{::open(sent_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640)};
  if (!note) return os_failure("open " + sent_path, errno);
  Result<TlsDay> sums = read_tls_day(directory + "/" + day);
  if (!sums) return sums.failure();
  if (sums->left_out != 0)
    log_warning("report all of " + day,
                std::to_string(sums->left_out) + " records are beyond a limit or broken");
  const auto sent = sent_before(sent_path);
  std::vector<std::string> domains;
  for (const auto& [domain, policies] : sums->domains) {
    if (!sent.contains(domain)) domains.push_back(domain);
  }
  return send_in_turn(std::move(domains), deadline, [&](const std::string& domain, int64_t patience) {
    const TlsReport report = make_tls_report(settings.reporter, domain, day, sums->domains.at(domain));
    const TlsTry tried = try_report(settings, report, patience);
    if (tried == TlsTry::failed || tried == TlsTry::slow) return tried;
    // One write a line: others append beside us.
    Result<void> noted = write_all(note.get(), domain + "\n", "write " + sent_path);
    if (noted) return tried;
    log_warning("note that a TLS report is sent", noted.failure());
    return TlsTry::not_noted;
  });
}

Result<std::string> print_tls_reports(const TlsReporter& reporter, const std::string& directory,
                                      const std::string& day, std::string_view domain) {
  Result<TlsDay> sums = read_tls_day(directory + "/" + day);
  if (!sums) return sums.failure();
  std::string text;
  for (const auto& [name, policies] : sums->domains) {
    if (domain.empty() || domain == name)
      text += json_line(make_tls_report(reporter, name, day, policies).json);
    if (!text.empty() && text.back() != '\n') text += '\n';
  }
  return text;
}

void report_due_days(const TlsReportSettings& settings, const std::string& directory, uint64_t now) {
  std::vector<std::string> days = days_in(directory);
  std::erase_if(days,
                [&](const std::string& day) { return now < due_at(day, settings.reporter.organization); });
  const int64_t deadline = now_milliseconds() + kTlsRoundMilliseconds;
  for (size_t i = 0; i < days.size(); ++i) {
    const std::string& day = days[i];
    const int64_t began = now_milliseconds();
    const int64_t share = std::max<int64_t>(deadline - began, 0) / static_cast<int64_t>(days.size() - i);
    Result<TlsRunEnd> end = send_tls_reports(settings, directory, day, began + share);
    if (!end) {
      log_warning("report on " + day, end.failure());
      continue;
    }
    log_info("TLS reports of " + day + ": " + std::to_string(end->sent) + " sent, " +
             std::to_string(end->not_wanted) + " not wanted, " + std::to_string(end->failed) + " failed");
    const uint64_t due = due_at(day, settings.reporter.organization);
    if (end->failed != 0 && now < due + kTlsReportGiveUpSeconds) continue;
    ::unlink((directory + "/" + day).c_str());
    ::unlink((directory + "/" + day + ".sent").c_str());
  }
}

}  // namespace postern
