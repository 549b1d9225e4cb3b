// How much memory the kernel could still give away without swapping.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace postern {

// MemAvailable of /proc/meminfo; nothing where that cannot be read.
std::optional<uint64_t> available_memory_bytes();
// The same out of the file's text, or its beginning.
std::optional<uint64_t> available_memory_bytes(std::string_view meminfo);

}  // namespace postern
