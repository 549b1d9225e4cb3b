#include "lib/available_memory.h"

#include <fcntl.h>

#include <algorithm>
#include <array>

#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kBeginningBytes = 512;  // it is the third line
constexpr uint64_t kMostKib = UINT64_MAX >> 10;
constexpr size_t kGroupFileBytes = 65536;

std::optional<uint64_t> lesser(std::optional<uint64_t> one, std::optional<uint64_t> other) {
  if (!one || !other) return one ? one : other;
  return std::min(*one, *other);
}

std::optional<uint64_t> number_in(const std::string& path) {
  Result<std::string> text = read_file(path, kGroupFileBytes);
  return text ? parse_number(trim(*text)) : std::nullopt;
}

// "inactive_file 4096" of memory.stat: queue files fill it, and the kernel drops it first.
uint64_t droppable_bytes(const std::string& path) {
  static constexpr std::string_view kName = "inactive_file ";
  Result<std::string> text = read_file(path, kGroupFileBytes);
  if (!text) return 0;
  for (const std::string_view line : split(*text, '\n')) {
    if (line.starts_with(kName)) return parse_number(line.substr(kName.size())).value_or(0);
  }
  return 0;
}

std::optional<uint64_t> left_in(const std::string& group) {
  const std::optional<uint64_t> most = number_in(group + "/memory.max");  // or the word "max"
  if (!most) return std::nullopt;
  const std::optional<uint64_t> used = number_in(group + "/memory.current");
  if (!used) return std::nullopt;
  const uint64_t kept = *used - std::min(*used, droppable_bytes(group + "/memory.stat"));
  return *most - std::min(*most, kept);
}

}  // namespace

std::optional<uint64_t> available_memory_bytes() {
  std::optional<uint64_t> available;
  if (const Fd file{::open("/proc/meminfo", O_RDONLY | O_CLOEXEC)}) {
    std::array<char, kBeginningBytes> beginning;
    if (Result<size_t> length = read_some(file.get(), beginning, "read /proc/meminfo"); length)
      available = available_memory_bytes(std::string_view(beginning.data(), *length));
  }
  Result<std::string> groups = read_file("/proc/self/cgroup", kGroupFileBytes);
  return groups ? lesser(available, available_in_cgroup_bytes("/sys/fs/cgroup", *groups)) : available;
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

std::optional<uint64_t> available_in_cgroup_bytes(const std::string& mount, std::string_view groups) {
  static constexpr std::string_view kVersion2 = "0::/";
  std::optional<uint64_t> least;
  for (const std::string_view line : split(groups, '\n')) {
    if (!line.starts_with(kVersion2)) continue;
    // "/a/b", "/a", ""; a group namespace shows its own root there.
    std::string group{line.substr(kVersion2.size() - 1)};
    if (group == "/") group.clear();
    for (;;) {
      least = lesser(least, left_in(mount + group));
      if (group.empty()) break;
      group.resize(group.rfind('/'));
    }
  }
  return least;
}

}  // namespace postern
