#include "queue/site_status.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "lib/fd.h"
#include "lib/text.h"
#include "lib/xtext.h"

namespace postern {

namespace {

constexpr size_t kFileLimitBytes = 256 * 1024 * 1024;
constexpr std::string_view kHead = "postern-sites 1 ";

void parse_line(std::string_view line, SitesStatus& status) {
  const std::vector<std::string_view> fields = words(line);
  if (fields.size() < 7) return;
  const std::optional<uint64_t> running = parse_number(fields[1]);
  const std::optional<uint64_t> waiting = parse_number(fields[2]);
  const std::optional<uint64_t> next = parse_number(fields[4]);
  if (!running || !waiting || !next) return;
  SiteStatus site{.state = std::string(fields[0]),
                  .running = *running,
                  .waiting = *waiting,
                  .counted = parse_number(fields[3]),
                  .next = *next,
                  .error = std::string(line.substr(static_cast<size_t>(fields[6].data() - line.data())))};
  if (site.error == "-") site.error.clear();
  status.sites[decode_xtext(fields[5])] = std::move(site);
}

}  // namespace

std::string format_sites(const SitesStatus& status) {
  std::string text =
      std::string(kHead) + std::to_string(status.pid) + " " + std::to_string(status.time) + "\n";
  for (const auto& [name, site] : status.sites) {
    text += site.state + " " + std::to_string(site.running) + " " + std::to_string(site.waiting) + " " +
            (site.counted ? std::to_string(*site.counted) : "-") + " " + std::to_string(site.next) + " " +
            encode_xtext(name) + " " + (site.error.empty() ? "-" : site.error) + "\n";
  }
  return text;
}

std::optional<SitesStatus> parse_sites(std::string_view text) {
  SitesStatus status;
  bool head = false;
  for (size_t end = 0; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
    const std::string_view line = text.substr(0, end);
    if (head) {
      parse_line(line, status);
      continue;
    }
    const std::vector<std::string_view> fields = words(line);
    if (!line.starts_with(kHead) || fields.size() != 4) return std::nullopt;
    const std::optional<uint64_t> pid = parse_number(fields[2]);
    const std::optional<uint64_t> time = parse_number(fields[3]);
    if (!pid || !time || *pid == 0 || *pid > INT32_MAX) return std::nullopt;
    status.pid = static_cast<pid_t>(*pid);
    status.time = *time;
    head = true;
  }
  return head ? std::optional(std::move(status)) : std::nullopt;
}

Result<void> StatusFile::write(const SitesStatus& status) const {
  const std::string fresh = path_ + ".new";
  const Fd file{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  if (!file) return os_failure("open " + fresh, errno);
  if (Result<void> wrote = write_all(file.get(), format_sites(status), "write " + fresh); !wrote)
    return wrote;
  if (::rename(fresh.c_str(), path_.c_str()) < 0) return os_failure("rename " + fresh, errno);
  return {};
}

void StatusFile::remove() const {
  ::unlink(path_.c_str());
}

std::optional<SitesStatus> StatusFile::read() const {
  Result<std::string> text = read_file(path_, kFileLimitBytes);
  std::optional<SitesStatus> status = text ? parse_sites(*text) : std::nullopt;
  // A process that was killed leaves its file behind.
  if (status && ::kill(status->pid, 0) < 0 && errno == ESRCH) return std::nullopt;
  return status;
}

}  // namespace postern
