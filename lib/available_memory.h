// How much memory the kernel could still give us without swapping.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

// MemAvailable of /proc/meminfo, or what our control groups leave where that is less; nothing where neither
// can be read.
std::optional<uint64_t> available_memory_bytes();
// MemAvailable out of the file's text, or its beginning.
std::optional<uint64_t> available_memory_bytes(std::string_view meminfo);
// What is left below memory.max of the process's group of cgroup v2 and of those above it, the least of them;
// the files' pages that the kernel can drop count as free. `mount` is /sys/fs/cgroup, `groups` the text of
// /proc/self/cgroup. Nothing where no group has a limit.
std::optional<uint64_t> available_in_cgroup_bytes(const std::string& mount, std::string_view groups);

}  // namespace postern
