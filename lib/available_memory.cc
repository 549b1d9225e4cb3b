#include "lib/available_memory.h"

#include <fcntl.h>

#include <array>

#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kBeginningBytes = 512;  // it is the third line
constexpr uint64_t kMostKib = UINT64_MAX >> 10;

}  // namespace

std::optional<uint64_t> available_memory_bytes() {
  const Fd file{::open("/proc/meminfo", O_RDONLY | O_CLOEXEC)};
  if (!file) return std::nullopt;
  std::array<char, kBeginningBytes> beginning;
  Result<size_t> length = read_some(file.get(), beginning, "read /proc/meminfo");
  if (!length) return std::nullopt;
  return available_memory_bytes(std::string_view(beginning.data(), *length));
}

std::optional<uint64_t> available_memory_bytes(std::string_view meminfo) {
  static constexpr std::string_view kName = "MemAvailable:";
  while (!meminfo.empty()) {
    const size_t end = meminfo.find('\n');
    if (end == std::string_view::npos) return std::nullopt;  // cut: the number may go on
    std::string_view line = meminfo.substr(0, end);
    meminfo.remove_prefix(end + 1);
    if (!line.starts_with(kName) || !line.ends_with(" kB")) continue;
    line.remove_prefix(kName.size());
    line.remove_suffix(3);
    const std::optional<uint64_t> kib = parse_number(trim(line));
    if (!kib || *kib > kMostKib) return std::nullopt;
    return *kib << 10;
  }
  return std::nullopt;
}

}  // namespace postern
