#include "receipt/hat_files.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "lib/control.h"
#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kTextLimitBytes = size_t{512} * 1024 * 1024;
constexpr std::string_view kPolicies = "control/policies";
constexpr std::string_view kPrefix = "hat.";
constexpr std::string_view kCompiled = ".bin";

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

Result<std::optional<OpenedHat>> open_file(const std::string& file) {
  Result<std::optional<HatTable>> table = HatTable::open(home_path(file + std::string(kCompiled)));
  if (!table) return table.failure();
  if (*table) return std::optional<OpenedHat>({.table = std::move(**table), .file = file});
  if (::access(home_path(file).c_str(), F_OK) == 0)
    return temporary(home_path(file) + " is not compiled; run postern-hat compile", 55, "4.3.5");
  return std::optional<OpenedHat>();
}

// Nothing where the file is missing.
std::optional<timespec> changed_at(const std::string& file) {
  struct stat status {};
  if (::stat(home_path(file).c_str(), &status) < 0) return std::nullopt;
  return status.st_mtim;
}

bool is_later(const std::optional<timespec>& a, const timespec& b) {
  return a && (a->tv_sec != b.tv_sec ? a->tv_sec > b.tv_sec : a->tv_nsec > b.tv_nsec);
}

// "" where the file is missing. `name` is for people, and for the failure.
Result<std::string> read_text(std::string_view name) {
  Result<std::string> text = read_file(home_path(name), kTextLimitBytes);
  if (text || ::access(home_path(name).c_str(), F_OK) == 0 || errno != ENOENT) return text;
  return std::string();
}

// The listeners of control/hat*END, sorted.
Result<std::vector<std::string>> listeners_of_files(std::string_view end) {
  const std::string control = home_path("control");
  const std::unique_ptr<DIR, CloseDirectory> directory{::opendir(control.c_str())};
  if (!directory) return os_failure("open " + control, errno);
  std::vector<std::string> listeners;
  while (const dirent* entry = ::readdir(directory.get())) {
    std::string_view name = entry->d_name;
    if (!name.ends_with(end)) continue;
    name.remove_suffix(end.size());
    if (name == "hat") listeners.emplace_back();
    if (name.starts_with(kPrefix) && may_have_a_hat(name.substr(kPrefix.size())))
      listeners.emplace_back(name.substr(kPrefix.size()));
  }
  std::sort(listeners.begin(), listeners.end());
  return listeners;
}

}  // namespace

Result<std::optional<OpenedHat>> open_hat(std::string_view listener) {
  if (may_have_a_hat(listener)) {
    Result<std::optional<OpenedHat>> own = open_file(hat_file(listener));
    if (!own || *own) return own;
  }
  return open_file(hat_file(""));
}

Result<std::vector<std::string>> hat_listeners() {
  return listeners_of_files("");
}

Result<std::vector<std::string>> hats_without_text() {
  Result<std::vector<std::string>> listeners = listeners_of_files(kCompiled);
  if (!listeners) return listeners;
  std::erase_if(*listeners, [](const std::string& listener) {
    return ::access(home_path(hat_file(listener)).c_str(), F_OK) == 0 || errno != ENOENT;
  });
  return listeners;
}

Result<std::string> make_hat(const std::string& listener, const CountryNetworks& countries,
                             std::vector<std::string>& warnings) {
  Result<std::string> policies_text = read_text(kPolicies);
  if (!policies_text) return policies_text.failure();
  Result<Policies> policies = parse_policies(*policies_text, home_path(kPolicies));
  if (!policies) return policies.failure();
  const std::string path = home_path(hat_file(listener));
  Result<std::string> text = read_file(path, kTextLimitBytes);
  if (!text) return text.failure();
  Result<std::vector<HatGroup>> groups = parse_hat(*text, path, warnings);
  if (!groups) return groups.failure();
  return compile_hat(*groups, *policies, path, countries);
}

bool is_stale(std::string_view listener) {
  const std::string file = hat_file(listener);
  const std::optional<timespec> made = changed_at(file + std::string(kCompiled));
  return made && (is_later(changed_at(file), *made) || is_later(changed_at(std::string(kPolicies)), *made));
}

}  // namespace postern
