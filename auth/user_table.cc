#include "auth/user_table.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "auth/prepare.h"
#include "lib/control.h"
#include "lib/fd.h"
#include "lib/text.h"

namespace postern::auth {

namespace {

constexpr size_t kFileLimitBytes = 64 * 1024 * 1024;

}  // namespace

std::string users_path() {
  return home_path("secrets/posterni/users");
}

Result<UserTable> UserTable::read(const std::string& path) {
  const Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!file && errno == ENOENT) return UserTable();
  if (!file) return os_failure("open " + path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) < 0) return os_failure("look at " + path, errno);
  if ((status.st_mode & 077) != 0) return temporary(path + ": others can read it; chmod 600 " + path);
  Result<std::string> text = read_to_end(file.get(), kFileLimitBytes, "read " + path);
  if (!text) return text.failure();
  return parse(*text, path);
}

Result<UserTable> UserTable::parse(std::string_view text, const std::string& path) {
  UserTable table;
  size_t number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    const size_t first = line.find(':');
    const size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    const auto wrong = [&](const std::string& why) {
      return temporary(path + ":" + std::to_string(number) + ": " + why +
                       "; write lines with postern-passwd");
    };
    if (second == std::string_view::npos) return wrong("it is not NAME:HASH:VERIFIER");
    User user{.name = std::string(line.substr(0, first)),
              .hash = std::string(line.substr(first + 1, second - first - 1)),
              .verifier = std::string(line.substr(second + 1))};
    if (prepare_name(user.name) != user.name) return wrong("the name is not as it would be compared");
    if (!user.verifier.empty() && !parse_verifier(user.verifier)) return wrong("the verifier is broken");
    table.users_.push_back(std::move(user));
  }
  return table;
}

const User* UserTable::find(std::string_view name) const {
  const User* found = nullptr;
  for (const User& user : users_) {
    if (user.name == name) found = &user;
  }
  return found;
}

const User* UserTable::stand_in(std::string_view name, bool (*has)(const User&)) const {
  std::vector<const User*> candidates;
  for (const User& user : users_) {
    if (has(user)) candidates.push_back(&user);
  }
  if (candidates.empty()) return nullptr;
  return candidates[static_cast<unsigned char>(sha256(name).front()) % candidates.size()];
}

void UserTable::set(const User& user) {
  const auto found =
      std::find_if(users_.begin(), users_.end(), [&](const User& known) { return known.name == user.name; });
  if (found == users_.end()) {
    users_.push_back(user);
  } else {
    *found = user;
  }
}

bool UserTable::remove(std::string_view name) {
  return std::erase_if(users_, [&](const User& user) { return user.name == name; }) > 0;
}

std::string UserTable::text() const {
  std::string text;
  for (const User& user : users_) text += user.name + ":" + user.hash + ":" + user.verifier + "\n";
  return text;
}

}  // namespace postern::auth
