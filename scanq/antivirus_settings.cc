#include "scanq/antivirus_settings.h"

#include <clamav.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/control.h"
#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

namespace {

using namespace std::literals;

constexpr std::string_view kDefaultDirectory = "/var/lib/clamav";
constexpr uint64_t kMaxScanBytes = 400ULL * 1024 * 1024;
constexpr uint64_t kMaxFileBytes = 100ULL * 1024 * 1024;
constexpr uint64_t kMaxRecursion = 17;
constexpr uint64_t kMaxFiles = 10000;
constexpr uint64_t kMaxSeconds = 120;  // must stay below the deadline of a request
constexpr uint64_t kCheckSeconds = 10;
constexpr uint64_t kMaxAgeSeconds = 7ULL * 24 * 3600;

// The files that libclamav takes from a directory; it passes over all others.
constexpr std::array kEndings = {"cvd"sv,  "cld"sv, "cud"sv,  "db"sv,   "hdb"sv, "hdu"sv, "fp"sv,  "sfp"sv,
                                 "ndb"sv,  "ndu"sv, "ldb"sv,  "ldu"sv,  "sdb"sv, "zmd"sv, "rmd"sv, "idb"sv,
                                 "wdb"sv,  "pdb"sv, "gdb"sv,  "cdb"sv,  "cfg"sv, "ftm"sv, "ign"sv, "ign2"sv,
                                 "info"sv, "msu"sv, "msb"sv,  "mdb"sv,  "mdu"sv, "hsu"sv, "hsb"sv, "cat"sv,
                                 "crb"sv,  "yar"sv, "yara"sv, "pwdb"sv, "imp"sv, "ioc"sv, "cbc"sv};

bool is_signatures(std::string_view name) {
  const size_t dot = name.rfind('.');
  if (name.starts_with('.') || dot == std::string_view::npos) return false;
  const std::string_view ending = name.substr(dot + 1);
  return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

bool has_head(std::string_view name) {
  return name.ends_with(".cvd") || name.ends_with(".cld") || name.ends_with(".cud");
}

constexpr size_t kHeadBytes = 513;

struct FreeHead {
  void operator()(cl_cvd* head) const { cl_cvdfree(head); }
};

// libclamav would complain in our log of a file without a head.
uint64_t made_at(const std::string& path) {
  std::array<char, kHeadBytes> bytes{};
  const Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) return 0;
  const Result<size_t> count = pread_full(file.get(), {bytes.data(), bytes.size() - 1}, 0, "read " + path);
  if (!count || !std::string_view(bytes.data(), *count).starts_with("ClamAV-VDB:")) return 0;
  const std::unique_ptr<cl_cvd, FreeHead> head{cl_cvdparse(bytes.data())};
  return head ? head->stime : 0;
}

Result<unsigned> read_heuristics() {
  static constexpr std::array kNames = {std::pair{"broken", CL_SCAN_HEURISTIC_BROKEN},
                                        std::pair{"brokenmedia", CL_SCAN_HEURISTIC_BROKEN_MEDIA},
                                        std::pair{"macros", CL_SCAN_HEURISTIC_MACROS},
                                        std::pair{"partitions", CL_SCAN_HEURISTIC_PARTITION_INTXN},
                                        std::pair{"cloakedurls", CL_SCAN_HEURISTIC_PHISHING_CLOAK},
                                        std::pair{"sslmismatch", CL_SCAN_HEURISTIC_PHISHING_SSL_MISMATCH}};
  Result<std::string> line = control_line_or("avheuristics", "none");
  if (!line) return line.failure();
  unsigned bits = 0;
  for (const std::string_view word : words(*line)) {
    if (word == "none") continue;
    const auto* found =
        std::find_if(kNames.begin(), kNames.end(), [&](const auto& name) { return word == name.first; });
    if (found == kNames.end()) {
      return temporary(home_path("control/avheuristics") + ":1: \"" + printable(word, 40) +
                       "\" is none of broken, brokenmedia, macros, partitions, cloakedurls and sslmismatch");
    }
    bits |= static_cast<unsigned>(found->second);
  }
  return bits;
}

Result<bool> read_stale() {
  Result<std::string> line = control_line_or("avstale", "warn");
  if (!line) return line.failure();
  if (*line == "warn" || *line == "error") return *line == "error";
  return temporary(home_path("control/avstale") + ":1: \"" + printable(*line, 40) +
                   "\" is neither warn nor error");
}

}  // namespace

Result<EngineSettings> read_engine_settings() {
  EngineSettings settings;
  Result<std::string> directory = control_line_or("clamdb", kDefaultDirectory);
  if (!directory) return directory.failure();
  settings.directory = std::move(*directory);
  struct Row {
    const char* name;
    uint64_t otherwise;
    uint64_t& into;
  };
  const std::array rows = {Row{"avmaxscansize", kMaxScanBytes, settings.max_scan_bytes},
                           Row{"avmaxfilesize", kMaxFileBytes, settings.max_file_bytes},
                           Row{"avmaxrecursion", kMaxRecursion, settings.max_recursion},
                           Row{"avmaxfiles", kMaxFiles, settings.max_files},
                           Row{"avmaxscantime", kMaxSeconds, settings.max_seconds},
                           Row{"avcheck", kCheckSeconds, settings.check_seconds},
                           Row{"avminsignatures", 1, settings.min_signatures}};
  for (const Row& row : rows) {
    Result<uint64_t> number = control_number_or(row.name, row.otherwise);
    if (!number) return number.failure();
    // 0 means "no limit" to libclamav, and would be a deadline that never comes here.
    row.into = *number == 0 ? row.otherwise : *number;
  }
  if (settings.max_file_bytes < kLeastFileBytes)
    return temporary(home_path("control/avmaxfilesize") + ":1: " + std::to_string(settings.max_file_bytes) +
                     " is less than " + std::to_string(kLeastFileBytes) + ", the least");
  Result<uint64_t> age = control_number_or("avmaxage", kMaxAgeSeconds);
  if (!age) return age.failure();
  Result<bool> stale = read_stale();
  if (!stale) return stale.failure();
  Result<unsigned> heuristics = read_heuristics();
  if (!heuristics) return heuristics.failure();
  settings.max_age_seconds = *age;
  settings.stale_is_error = *stale;
  settings.heuristics = *heuristics;
  return settings;
}

SignatureFiles look_at_signatures(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> opened{::opendir(directory.c_str()), ::closedir};
  if (!opened) return {};
  std::vector<std::string> files;
  uint64_t youngest = 0;
  uint64_t newest_head = 0;
  while (const dirent* entry = ::readdir(opened.get())) {
    struct stat status {};
    if (!is_signatures(entry->d_name) || ::fstatat(::dirfd(opened.get()), entry->d_name, &status, 0) < 0)
      continue;
    std::string file(entry->d_name);
    if (has_head(file)) newest_head = std::max(newest_head, made_at(directory + "/" + file));
    const auto changed = static_cast<uint64_t>(status.st_mtim.tv_sec);
    youngest = std::max(youngest, changed);
    for (const uint64_t number : {static_cast<uint64_t>(status.st_size), static_cast<uint64_t>(status.st_ino),
                                  changed, static_cast<uint64_t>(status.st_mtim.tv_nsec)}) {
      file.append("/").append(std::to_string(number));
    }
    files.push_back(std::move(file));
  }
  std::sort(files.begin(), files.end());
  std::string all = directory;
  for (const std::string& file : files) all.append("\n").append(file);
  return {.fingerprint = XXH3_64bits(all.data(), all.size()),
          .date = newest_head != 0 ? newest_head : youngest};
}

}  // namespace postern
