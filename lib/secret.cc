#include "lib/secret.h"

#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "lib/fd.h"

namespace postern {

namespace {

constexpr size_t kMostBytes = 16384;

}  // namespace

void wipe(std::string& text) {
  text.resize(text.capacity());
  ::explicit_bzero(text.data(), text.size());
  text.clear();
}

Secret::Secret(std::string_view bytes) : bytes_(new char[bytes.size() + 1]), size_(bytes.size()) {
  std::copy(bytes.begin(), bytes.end(), bytes_.get());
  bytes_[size_] = '\0';  // for those who take a C string
}

Secret::Secret(Secret&& other) noexcept
    : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  forget();
  bytes_ = std::move(other.bytes_);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

void Secret::forget() {
  if (bytes_) ::explicit_bzero(bytes_.get(), size_);
  bytes_.reset();
  size_ = 0;
}

Secret secret_from(std::string& text) {
  Secret secret(text);
  wipe(text);
  return secret;
}

Result<Secret> read_secret(int fd, size_t limit_bytes, std::string_view doing) {
  std::array<char, kMostBytes + 1> buffer;
  const std::span<char> room(buffer.data(), std::min(limit_bytes, kMostBytes) + 1);
  ::lseek(fd, 0, SEEK_SET);
  size_t length = 0;
  std::optional<Failure> failure;
  while (length < room.size()) {
    const Result<size_t> got = read_some(fd, room.subspan(length), doing);
    if (!got) failure = got.failure();
    if (!got || *got == 0) break;
    length += *got;
  }
  Secret secret(std::string_view(buffer.data(), length));
  ::explicit_bzero(buffer.data(), buffer.size());
  if (failure) return *failure;
  if (length == room.size()) return permanent(std::string(doing) + ": it is too long", 0, "5.3.4");
  return secret;
}

Result<Fd> secret_file(std::string_view bytes) {
  Result<Fd> file = memory_file_with("secret", bytes);
  if (file) ::lseek(file->get(), 0, SEEK_SET);
  return file;
}

void keep_memory_private() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  unsigned different = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    different |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned>(static_cast<unsigned char>(b[i]));
  return different == 0;
}

}  // namespace postern
