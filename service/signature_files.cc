#include "service/signature_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kHeadBytes = 512;
constexpr size_t kFileLimit = 1000;
constexpr std::string_view kMagic = "ClamAV-VDB:";
constexpr uint64_t kLatest = 253402300799;  // the end of the year 9999: a later time is garbage
constexpr std::array<std::string_view, 14> kEndings = {".cvd", ".cld",  ".cud", ".hdb", ".hsb",
                                                       ".mdb", ".msb",  ".ndb", ".ldb", ".db",
                                                       ".yar", ".yara", ".cdb", ".fp"};

bool is_signatures(std::string_view name) {
  return !name.starts_with('.') &&
         std::any_of(kEndings.begin(), kEndings.end(),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

bool has_head(std::string_view name) {
  return name.ends_with(".cvd") || name.ends_with(".cld") || name.ends_with(".cud");
}

// "07 Sep 2026 09-24 -0400": its makers write the hour without a colon, which stands between the fields.
uint64_t parse_build_time(std::string_view text) {
  struct tm made {};
  const std::string copy(text);
  const char* end = ::strptime(copy.c_str(), "%d %b %Y %H-%M %z", &made);
  if (end == nullptr || *end != '\0') return 0;
  const int64_t offset = made.tm_gmtoff;  // timegm() overwrites it
  const int64_t seconds = static_cast<int64_t>(::timegm(&made)) - offset;
  return seconds < 0 ? 0 : static_cast<uint64_t>(seconds);
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

std::optional<DatabaseHead> parse_database_head(std::string_view bytes) {
  bytes = bytes.substr(0, kHeadBytes);
  if (!bytes.starts_with(kMagic)) return std::nullopt;
  const std::vector<std::string_view> fields = split(bytes.substr(kMagic.size()), ':');
  if (fields.size() < 3) return std::nullopt;
  const std::optional<uint64_t> version = parse_number(fields[1]);
  const std::optional<uint64_t> signatures = parse_number(fields[2]);
  if (!version || !signatures) return std::nullopt;
  const std::optional<uint64_t> seconds =
      fields.size() > 7 ? parse_number(trim(fields[7].substr(0, fields[7].find('\0')))) : std::nullopt;
  const uint64_t made = seconds && *seconds > 0 ? *seconds : parse_build_time(fields[0]);
  if (made > kLatest) return std::nullopt;
  return DatabaseHead{*version, *signatures, made};
}

Result<std::vector<SignatureFile>> signature_files(const std::string& directory) {
  const std::unique_ptr<DIR, CloseDirectory> opened{::opendir(directory.c_str())};
  if (!opened) return os_failure("open " + directory, errno);
  std::vector<SignatureFile> files;
  while (const dirent* entry = ::readdir(opened.get())) {
    SignatureFile file{.name = entry->d_name, .head = {}, .changed = 0};
    if (!is_signatures(file.name) || files.size() == kFileLimit) continue;
    const std::string path = directory + "/" + file.name;
    const Fd fd{::openat(::dirfd(opened.get()), entry->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) < 0) return os_failure("open " + path, errno);
    if (!S_ISREG(status.st_mode)) continue;
    file.changed = static_cast<uint64_t>(std::max<time_t>(status.st_mtim.tv_sec, 0));
    if (has_head(file.name)) {
      std::array<char, kHeadBytes> bytes{};
      Result<size_t> got = pread_full(fd.get(), bytes, 0, "read " + path);
      if (!got) return got.failure();
      file.head = parse_database_head({bytes.data(), *got});
    }
    files.push_back(std::move(file));
  }
  std::sort(files.begin(), files.end(),
            [](const SignatureFile& a, const SignatureFile& b) { return a.name < b.name; });
  return files;
}

uint64_t made_or_changed(const SignatureFile& file) {
  return file.head && file.head->made > 0 ? file.head->made : file.changed;
}

const SignatureFile* newest_of(const std::vector<SignatureFile>& files) {
  const auto newest =
      std::max_element(files.begin(), files.end(), [](const SignatureFile& a, const SignatureFile& b) {
        if (a.head.has_value() != b.head.has_value()) return b.head.has_value();
        return made_or_changed(a) < made_or_changed(b);
      });
  return newest == files.end() ? nullptr : &*newest;
}

}  // namespace postern
