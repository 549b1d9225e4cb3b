#include "auth/key.h"

#include <fcntl.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <cerrno>

#include "lib/base64.h"
#include "lib/control.h"
#include "lib/fd.h"
#include "lib/secret.h"
#include "lib/text.h"

namespace postern::auth {

namespace {

constexpr size_t kSecretBytes = 32;

Result<std::string> read_key(const std::string& path) {
  const Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!file) return os_failure("open " + path, errno);
  Result<std::string> secret = read_to_end(file.get(), 4096, "read " + path);
  if (secret && secret->size() < kSecretBytes)
    return temporary(path + ": it is shorter than 32 bytes; remove it, and a new one is made");
  return secret;
}

// Durable before it is used, or salts that were made up would change with a loss of power.
Result<void> make_key(const std::string& path) {
  std::string secret(kSecretBytes, '\0');
  if (::RAND_bytes(reinterpret_cast<unsigned char*>(secret.data()), static_cast<int>(secret.size())) != 1)
    return temporary("make " + path + ": no random bytes");
  const std::string fresh = path + ".new." + std::to_string(::getpid());
  const Fd file{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!file) return os_failure("make " + fresh, errno);
  Result<void> done = write_all(file.get(), secret, "write " + fresh);
  if (done) done = fsync_file(file.get(), "sync " + fresh);
  // Another that was quicker has made the key: link(2) does not replace it.
  if (done && ::link(fresh.c_str(), path.c_str()) < 0 && errno != EEXIST)
    done = os_failure("make " + path, errno);
  ::unlink(fresh.c_str());
  return done ? fsync_directory(directory_of(path)) : done;
}

}  // namespace

Result<Key> Key::of_instance() {
  const std::string path = home_path("secrets/posterni/key");
  if (::access(path.c_str(), F_OK) < 0 && errno == ENOENT) {
    if (Result<void> made = make_key(path); !made) return made.failure();
  }
  Result<std::string> secret = read_key(path);
  if (!secret) return secret.failure();
  return Key(std::move(*secret));
}

std::string Key::derived(std::string_view purpose, std::string_view text) const {
  return hmac_sha256(secret_, std::string(purpose) + '\0' + std::string(text));
}

ScramVerifier Key::made_up_verifier(std::string_view name, uint32_t iterations, size_t salt_bytes) const {
  return {.iterations = iterations,
          .salt = (derived("salt", name) + derived("more salt", name)).substr(0, salt_bytes),
          .stored_key = derived("stored key", name),
          .server_key = derived("server key", name)};
}

std::string Key::seal(std::string_view state, uint64_t now_seconds) const {
  const std::string whole = std::to_string(now_seconds) + " " + std::string(state);
  return base64(derived("state", whole) + whole);
}

std::optional<std::string> Key::open(std::string_view sealed, uint64_t now_seconds) const {
  const std::optional<std::string> bytes = from_base64(sealed);
  if (!bytes || bytes->size() < kKeyBytes) return std::nullopt;
  const std::string_view whole = std::string_view(*bytes).substr(kKeyBytes);
  if (!equal_in_constant_time(derived("state", whole), std::string_view(*bytes).substr(0, kKeyBytes)))
    return std::nullopt;
  const size_t space = whole.find(' ');
  const std::optional<uint64_t> made = parse_number(whole.substr(0, space));
  if (!made || space == std::string_view::npos || now_seconds > *made + kStateSeconds) return std::nullopt;
  return std::string(whole.substr(space + 1));
}

}  // namespace postern::auth
