// secrets/posterni/users: who may authenticate, and what their passwords are checked against. A line a user,
// NAME:HASH:VERIFIER, the last two may be empty: HASH in the form of crypt(5), VERIFIER that of
// SCRAM-SHA-256. It holds no password, yet whoever reads it can try to guess them: mode 0600.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/scram.h"
#include "lib/result.h"

namespace postern::auth {

struct User {
  std::string name;  // as prepare_name() gives it
  std::string hash;
  std::string verifier;  // as written
};

class UserTable {
 public:
  // Empty when the file is missing; a failure when others can read it, or a line is broken.
  static Result<UserTable> read(const std::string& path);
  static Result<UserTable> parse(std::string_view text, const std::string& path);

  // Looks at every line whatever it finds, so that its time does not tell who is there.
  [[nodiscard]] const User* find(std::string_view name) const;
  [[nodiscard]] const std::vector<User>& users() const { return users_; }
  // One of the users that `has` says true of, always the same one for a name: what stands in for somebody
  // who does not exist costs what those cost who do. Null: there is none.
  [[nodiscard]] const User* stand_in(std::string_view name, bool (*has)(const User&)) const;

  void set(const User& user);
  bool remove(std::string_view name);
  [[nodiscard]] std::string text() const;

 private:
  std::vector<User> users_;
};

std::string users_path();  // secrets/posterni/users

}  // namespace postern::auth
