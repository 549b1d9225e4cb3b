// Directories and small files with an owner and a mode, written so that a reader never sees half a file.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "lib/child.h"
#include "lib/result.h"

namespace postern {

// Makes it where it is missing; owner and mode are set either way (the owner only when `owner` is not null).
Result<void> install_directory(const std::string& path, mode_t mode, const Identity* owner);
// An empty one where there is none; its directory may be the owner's.
Result<void> install_empty_file(const std::string& path, mode_t mode, const Identity* owner);
// Temporary name, then rename. Nothing happens when the file has that content already.
Result<void> install_file(const std::string& path, std::string_view content, mode_t mode);

}  // namespace postern
