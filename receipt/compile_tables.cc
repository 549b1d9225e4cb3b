#include "receipt/compile_tables.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "lib/control.h"
#include "lib/fd.h"
#include "lib/text.h"
#include "receipt/alias_table.h"
#include "receipt/domain_map.h"
#include "receipt/recipient_table.h"

namespace postern {

namespace {

constexpr size_t kTableLimitBytes = size_t{512} * 1024 * 1024;
constexpr std::string_view kCompiled = ".cdb";

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

bool is_of(std::string_view file, std::string_view table) {
  return file == table ||
         (file.size() > table.size() + 1 && file.starts_with(table) && file[table.size()] == '.');
}

// Nanoseconds since 1970; 0: it is not there.
int64_t changed_at(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) < 0) return 0;
  return static_cast<int64_t>(status.st_mtim.tv_sec) * 1000000000 + status.st_mtim.tv_nsec;
}

// The tables of control/TABLE + END, sorted.
Result<std::vector<std::string>> tables_of_files(std::string_view end) {
  const std::string control = home_path("control");
  const std::unique_ptr<DIR, CloseDirectory> directory{::opendir(control.c_str())};
  if (!directory) return os_failure("open " + control, errno);
  std::vector<std::string> tables;
  while (const dirent* entry = ::readdir(directory.get())) {
    std::string_view name = entry->d_name;
    if (!name.ends_with(end)) continue;
    name.remove_suffix(end.size());
    if (is_recipient_table(name)) tables.emplace_back(name);
  }
  std::sort(tables.begin(), tables.end());
  return tables;
}

}  // namespace

bool is_recipient_table(std::string_view file) {
  if (file.ends_with(".cdb") || file.ends_with(".tmp")) return false;
  return is_of(file, "rat") || is_of(file, "domainmap") || file == "aliases";
}

Result<std::vector<std::string>> recipient_tables() {
  return tables_of_files("");
}

Result<std::vector<std::string>> recipient_tables_without_text() {
  Result<std::vector<std::string>> tables = tables_of_files(kCompiled);
  if (!tables) return tables;
  std::erase_if(*tables, [](const std::string& table) {
    return ::access(home_path("control/" + table).c_str(), F_OK) == 0 || errno != ENOENT;
  });
  return tables;
}

Result<void> remove_tables_without_text(std::vector<std::string>& removed) {
  Result<std::vector<std::string>> tables = recipient_tables_without_text();
  if (!tables) return tables.failure();
  for (const std::string& table : *tables) {
    const std::string path = home_path("control/" + table + std::string(kCompiled));
    if (::unlink(path.c_str()) < 0 && errno != ENOENT) return os_failure("remove " + path, errno);
    removed.push_back(path);
  }
  return {};
}

Result<CdbRecords> parse_any_recipient_table(std::string_view file, std::string_view text,
                                             std::string_view shown, std::vector<std::string>& doubts) {
  if (is_of(file, "rat")) return parse_recipient_table(text, shown, doubts);
  if (is_of(file, "domainmap")) return parse_domain_map(text, shown, doubts);
  if (file == "aliases") return parse_alias_table(text, shown, doubts);
  return permanent("there is no table \"" + printable(file, 60) +
                   "\"; there are rat, rat.LISTENER, domainmap, domainmap.LISTENER and aliases");
}

Result<void> compile_recipient_table(const std::string& file, std::vector<std::string>& doubts) {
  const std::string path = home_path("control/" + file);
  if (!is_recipient_table(file) || file.find('/') != std::string::npos)
    return parse_any_recipient_table("", "", "", doubts).failure();
  Result<std::string> text = read_file(path, kTableLimitBytes);
  if (!text) return text.failure();
  Result<CdbRecords> records = parse_any_recipient_table(file, *text, path, doubts);
  if (!records) return records.failure();
  return write_cdb(path + ".cdb", *records);
}

std::vector<std::string> problems_of_recipient_table(const std::string& file) {
  const std::string path = home_path("control/" + file);
  Result<std::string> text = read_file(path, kTableLimitBytes);
  if (!text) return {};  // said elsewhere
  std::vector<std::string> problems;
  if (Result<CdbRecords> records = parse_any_recipient_table(file, *text, path, problems); !records)
    problems.push_back(records.failure().text);
  const int64_t compiled = changed_at(path + ".cdb");
  if (compiled == 0)
    problems.push_back(path +
                       ": it is not compiled, so mail for its recipients waits; run postern-rcpt compile");
  else if (compiled < changed_at(path))
    problems.push_back(path + ": it is newer than " + file + ".cdb, which counts; run postern-rcpt compile");
  return problems;
}

}  // namespace postern
