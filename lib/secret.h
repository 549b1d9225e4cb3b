// Bytes that do not stay in memory when they are no longer needed: passwords and what they are derived from.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lib/fd.h"
#include "lib/result.h"

namespace postern {

// Overwrites all that the string has room for, and empties it.
void wipe(std::string& text);

// Owns a copy of bytes, and overwrites it when it goes. It cannot be copied.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view bytes);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { forget(); }

  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  void forget();

 private:
  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
};

// Takes over what the string holds, and wipes the string.
Secret secret_from(std::string& text);

// Everything of a descriptor to its end, without a trace elsewhere; what can seek is read from its start.
// More than `limit_bytes` (at most 16 KiB) is a permanent failure.
Result<Secret> read_secret(int fd, size_t limit_bytes, std::string_view doing);

// A memory file that holds it, at offset 0; its pages go with its last descriptor.
Result<Fd> secret_file(std::string_view bytes);

// This process leaves no core and cannot be traced by others of its user.
void keep_memory_private();

// In a time that does not tell where two texts of one length differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace postern
