#include "lib/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "lib/fd.h"

namespace postern {

namespace {

Result<Fd> open_secret(const std::string& path) {
  const auto wrong = [&](const std::string& why) {
    return temporary("read the secret " + path + ": " + why, 55, "4.3.5");
  };
  Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file && errno == EACCES) return wrong("not allowed; it must belong to the user that reads it");
  if (!file) return temporary(os_failure("read the secret " + path, errno).text, 55, "4.3.5");
  struct stat status {};
  if (::fstat(file.get(), &status) < 0) return wrong("its mode cannot be read");
  if (!S_ISREG(status.st_mode)) return wrong("it is no file");
  if ((status.st_mode & 077) != 0) return wrong("others can read it; chmod 600 it, and make a new one");
  return file;
}

}  // namespace

Result<void> check_secret(const std::string& path) {
  Result<Fd> file = open_secret(path);
  return file ? Result<void>() : file.failure();
}

Result<std::string> read_secret(const std::string& path, size_t limit_bytes) {
  Result<Fd> file = open_secret(path);
  if (!file) return file.failure();
  Result<std::string> bytes = read_to_end(file->get(), limit_bytes, "read the secret " + path);
  if (!bytes) return temporary(bytes.failure().text, 55, "4.3.5");
  return bytes;
}

}  // namespace postern
