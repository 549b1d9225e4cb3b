#include "service/check_control.h"

#include <dirent.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "lib/control.h"
#include "lib/destinations.h"
#include "lib/fd.h"
#include "lib/text.h"
#include "receipt/compile_tables.h"
#include "service/check_auth.h"
#include "service/check_domains.h"
#include "service/check_host_access.h"
#include "service/control_files.h"
#include "service/control_lines.h"
#include "service/control_tables.h"

namespace postern {

namespace {

constexpr size_t kFileLimitBytes = 16 * 1024 * 1024;
constexpr std::string_view kDefaultDomainOf = "defaultdomain.";  // and a listener's name

ControlReport report_on(const KnownFile& known) {
  ControlReport report{.name = known.name, .value = known.otherwise, .is_default = true, .problems = {}};
  const std::string path = home_path("control/" + report.name);
  if (known.form == Form::policies || known.form == Form::host_access)
    report.problems = problems_of_host_access(known.form == Form::policies);
  if (::access(path.c_str(), F_OK) < 0) {
    // Other files may name what would stand there.
    if (known.form == Form::bounce_profiles) report.problems = problems_of_table(known.form, {}, path);
    return report;
  }
  report.is_default = false;
  report.value.clear();
  Result<std::string> content = read_file(path, kFileLimitBytes);
  if (!content) {
    report.problems.push_back(path + ": " + content.failure().text + "; make it readable for everybody");
    return report;
  }
  if (report.name.ends_with(".cdb") || report.name.ends_with(".bin")) {
    report.value = std::to_string(content->size()) + " bytes";
    return report;
  }
  // As long as they like.
  if (known.form == Form::host_access || known.form == Form::recipient_table) {
    report.value = std::to_string(control_lines(*content).size()) + " lines";
    if (known.form == Form::recipient_table) report.problems = problems_of_recipient_table(report.name);
    return report;
  }
  size_t number = 0;
  for (std::string_view line : split(*content, '\n')) {
    ++number;
    line = trim(line);
    if (is_list(known.form) ? line.empty() || line.starts_with('#') : number > 1) continue;
    report.value.append(report.value.empty() ? "" : ", ").append(printable(line));
    if (const std::string problem = problem_of_line(known.form, line); !problem.empty()) {
      report.problems.push_back(path + ":" + std::to_string(number) + ": \"" + printable(line, 100) + "\" " +
                                problem);
    }
  }
  for (std::string& problem : problems_of_table(known.form, *content, path))
    report.problems.push_back(std::move(problem));
  if (known.form == Form::stages && report.value.empty()) {
    report.value = "none";
    report.problems.push_back(path +
                              ": no stage is named, so every message is deferred; name one a line, or write "
                              "\"none\" to scan nothing");
  }
  return report;
}

// What is written there, and not compiled, counts for nobody.
void warn_of_stale_table(ControlReport& report) {
  const std::string text = home_path("control/" + report.name);
  struct stat written {};
  struct stat compiled {};
  if (::stat(text.c_str(), &written) < 0) return;
  const bool fresh = ::stat((text + ".cdb").c_str(), &compiled) == 0 &&
                     (compiled.st_mtim.tv_sec > written.st_mtim.tv_sec ||
                      (compiled.st_mtim.tv_sec == written.st_mtim.tv_sec &&
                       compiled.st_mtim.tv_nsec >= written.st_mtim.tv_nsec));
  if (fresh) return;
  report.problems.push_back(text + ": it is newer than " + report.name +
                            ".cdb, which is what counts; run postern-cdbmake " + report.name);
}

// A list of users that leaves out the owner of alias/ stops what postmaster and all other aliases forward.
void warn_of_alias_user(ControlReport& report) {
  struct stat alias {};
  if (::stat(home_path("alias").c_str(), &alias) < 0) return;
  const struct passwd* account = ::getpwuid(alias.st_uid);
  const std::string number = std::to_string(alias.st_uid);
  const std::string name = account == nullptr ? number : account->pw_name;
  for (std::string_view entry : split(report.value, ',')) {
    entry = trim(entry);
    if (entry == name || entry == number) return;
  }
  report.problems.push_back(
      home_path("control/pickupusers") + ": " + name +
      ", the owner of alias/, is not named, so what aliases forward waits; add a line \"" + name + "\"");
}

// Where rspawn counts for addresses must be rspawn's: in an instance of an older version it is not there, and
// a job that root ran by hand may have made the file. Without it all such mail is put off, and fails in the
// end.
void check_address_limits(ControlReport& report) {
  const std::string directory = home_path("db/limits");
  const std::string secrets = home_path("secrets/posternr");
  struct stat owned {};
  struct stat found {};
  if (::stat(secrets.c_str(), &owned) < 0) return;
  if (::stat(directory.c_str(), &found) < 0 && errno == ENOENT)
    report.problems.push_back(directory +
                              ": there is none, and limit_type=mxip of control/destinations counts in it, so "
                              "such mail waits; run postern-init " +
                              home_directory());
  for (const std::string& path : {directory, directory + "/addresses"}) {
    if (::stat(path.c_str(), &found) == 0 && found.st_uid != owned.st_uid)
      report.problems.push_back(path + ": postern-rspawn cannot count in what is not its own, so mail with " +
                                "limit_type=mxip waits; run chown --reference=" + secrets + " " + path);
  }
}

// The table is parsed as a whole, as those who use it do.
void check_destinations(ControlReport& report) {
  const Result<Destinations> table = Destinations::read();
  if (!table)
    report.problems.push_back(home_path("control/destinations") + ": " + table.failure().text);
  else if (table->counts_addresses())
    check_address_limits(report);
}

// Tables of recipients that somebody has removed, and that go on counting.
void warn_of_tables_without_text(std::vector<ControlReport>& reports) {
  const Result<std::vector<std::string>> tables = recipient_tables_without_text();
  for (const std::string& table : tables ? *tables : std::vector<std::string>()) {
    const std::string path = home_path("control/" + table);
    const std::string problem = path + ".cdb: it counts, and its text " + path +
                                " is not there; run postern-rcpt compile, which removes it";
    const auto known = std::find_if(reports.begin(), reports.end(), [&](const ControlReport& report) {
      return report.name == table + ".cdb";
    });
    if (known != reports.end())
      known->problems.push_back(problem);
    else
      reports.push_back({.name = table + ".cdb", .value = {}, .is_default = false, .problems = {problem}});
  }
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

Result<std::vector<ControlReport>> check_control() {
  const std::string control = home_path("control");
  const std::unique_ptr<DIR, CloseDirectory> directory{::opendir(control.c_str())};
  if (!directory)
    return permanent("open " + control + ": " + ::strerror(errno) + "; make an instance with postern-init");
  std::vector<ControlReport> reports;
  for (const KnownFile& known : known_files()) reports.push_back(report_on(known));
  // Only rcpthosts opens the door; whoever names a domain elsewhere alone waits for mail that is refused.
  for (ControlReport& report : reports) {
    if (report.name != "rcpthosts") continue;
    for (std::string& problem : unreachable_domains()) report.problems.push_back(std::move(problem));
  }
  warn_of_scram(reports);
  for (ControlReport& report : reports) {
    if (report.name == "pickupusers" && !report.is_default) warn_of_alias_user(report);
    if (report.name == "destinations" && !report.is_default) check_destinations(report);
    if (report.name == "senderexceptions" && !report.is_default) warn_of_stale_table(report);
  }
  warn_of_tables_without_text(reports);
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string name = entry->d_name;
    const bool is_known = std::any_of(known_files().begin(), known_files().end(),
                                      [&](const KnownFile& known) { return name == known.name; });
    if (is_known || name.starts_with('.') || name == "templates" || is_host_access_file(name)) continue;
    if (name.starts_with(kDefaultDomainOf) && name.size() > kDefaultDomainOf.size()) {
      reports.push_back(report_on({.name = name.c_str(), .form = Form::host, .otherwise = ""}));
      continue;
    }
    const bool compiled = name.ends_with(".cdb");
    if (is_recipient_table(compiled ? name.substr(0, name.size() - 4) : name)) {  // of one listener
      if (!compiled) reports.push_back(report_on({name.c_str(), Form::recipient_table, ""}));
      continue;
    }
    const std::string remedy = name == "concurrencysite"
                                   ? "write DEFAULT max_host_concurrency=N into control/destinations instead"
                                   : "rename or remove it";
    reports.push_back(
        {.name = name,
         .value = "",
         .is_default = false,
         .problems = {control + "/" + name + ": no program reads a file of that name; " + remedy}});
  }
  return reports;
}

}  // namespace postern
