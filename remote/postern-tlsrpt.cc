// postern-tlsrpt - the daily reports on TLS to the domains that we deliver to (RFC 8460).
//
//   args       [--day DAY] [--print] [--resolver ADDR:PORT | --dns FILE] [DOMAIN]: by hand, for yesterday
//   (UTC)
//              unless told; --print shows the reports, one a line, and sends nothing
//              --serve [--clients UID,..]: resident, takes the records: record WORD... (tlsrpt_record.h)
//              --daily: resident without a socket, sends what is due
//   fd 3 in    the listening socket, with --serve
//   env        POSTERN_HOME, QMAILQUEUE (default @scanq)
//   control    me, dnsq, tlscapath, tlsrptfrom
//   files      db/tlsrpt/DAY, db/tlsrpt/DAY.sent
//   user       posterne; root becomes the owner of db/tlsrpt
//   exit       0, 100 wrong arguments, 111 try again later

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "lib/child.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/owner.h"
#include "lib/program.h"
#include "lib/serve.h"
#include "lib/text.h"
#include "remote/https.h"
#include "remote/tlsrpt_run.h"

namespace postern {

namespace {

constexpr unsigned kWorkers = 2;
constexpr unsigned kRecordSeconds = 10;
constexpr time_t kRoundSeconds = 3600;  // between the tries of what failed, too
constexpr uint64_t kDaySeconds = 86400;
constexpr const char* kUsage =
    "usage: postern-tlsrpt [--day YYYY-MM-DD] [--print] [--resolver ADDR:PORT | --dns FILE] [DOMAIN]";

struct Arguments {
  std::string day = day_of(now_microseconds() / 1000000 - kDaySeconds);
  std::string domain;
  std::string dns_options;
  bool print = false;
  bool daily = false;
};

uint64_t now_seconds() {
  return now_microseconds() / 1000000;
}

std::optional<Arguments> read_arguments(const std::vector<std::string>& words) {
  Arguments arguments;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const bool has_value = i + 1 < words.size();
    if (word == "--print") {
      arguments.print = true;
    } else if (word == "--daily" && words.size() == 1) {
      arguments.daily = true;
    } else if (word == "--day" && has_value && is_day(words[i + 1])) {
      arguments.day = words[++i];
    } else if ((word == "--resolver" || word == "--dns") && has_value) {
      arguments.dns_options += " " + word + " " + words[++i];
    } else if (arguments.domain.empty() && is_policy_domain(word)) {
      arguments.domain = lower(word);
    } else {
      return std::nullopt;
    }
  }
  // One domain alone is for looking at: what is sent is noted for the whole day.
  if (!arguments.domain.empty() && !arguments.print) return std::nullopt;
  return arguments;
}

int record(Job& job, std::string&) {
  if (job.arguments.empty() || job.arguments.front() != "record") {
    log_warning("take a record", kUsage);
    return 100;
  }
  job.arguments.erase(job.arguments.begin());
  Result<TlsRecord> parsed = parse_tls_record(job.arguments);
  if (!parsed) {
    log_warning("take a record", parsed.failure());
    return 100;
  }
  Result<void> kept = append_tls_record(home_path("db/tlsrpt"), day_of(now_seconds()), *parsed);
  if (!kept) log_warning("keep a record", kept.failure());
  return kept ? 0 : 111;
}

// A signal ends it at any point: what was sent is noted, and supervise begins the next round at once.
[[noreturn]] void report_daily() {
  for (;;) {
    Result<TlsReportSettings> settings = read_tls_report_settings();
    if (settings) {
      report_due_days(*settings, home_path("db/tlsrpt"), now_seconds());
    } else {
      log_warning("read the settings", settings.failure());
    }
    const timespec pause{kRoundSeconds, 0};
    ::nanosleep(&pause, nullptr);
  }
}

int report_by_hand(const Arguments& arguments) {
  const std::string directory = home_path("db/tlsrpt");
  // What root sends by hand is noted in files that the service goes on with.
  Result<void> ready = become_owner(directory);
  Result<TlsReportSettings> settings = read_tls_report_settings();
  if (ready && !settings) ready = settings.failure();
  if (!ready) {
    log_critical("start", ready.failure().text);
    return 111;
  }
  if (!arguments.dns_options.empty()) settings->dns_program = "postern-dnsq" + arguments.dns_options;
  if (arguments.print) {
    Result<std::string> text =
        print_tls_reports(settings->reporter, directory, arguments.day, arguments.domain);
    if (text && write_all(1, *text, "print the reports")) return 0;
    if (!text) log_warning("print the reports", text.failure());
    return 111;
  }
  Result<TlsRunEnd> end =
      send_tls_reports(*settings, directory, arguments.day, now_milliseconds() + kTlsRoundMilliseconds);
  if (!end) log_warning("report on " + arguments.day, end.failure());
  return end && end->failed == 0 ? 0 : 111;
}

int run(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && (words.front() == "--serve" || words.front() == "record")) {
    Forms forms;
    forms.defaults.workers = kWorkers;
    forms.defaults.deadline_seconds = kRecordSeconds;
    return run_forms(argc, argv, forms, record);
  }
  const std::optional<Arguments> arguments = read_arguments(words);
  if (!arguments) {
    log_critical("start", kUsage);
    return 100;
  }
  begin_https();
  if (arguments->daily) report_daily();
  return report_by_hand(*arguments);
}

}  // namespace

}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-tlsrpt", {}, postern::run, argc, argv);
}
