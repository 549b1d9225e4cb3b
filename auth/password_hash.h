// Hashes of passwords by crypt(3).
#pragma once

#include <string>
#include <string_view>

#include "lib/result.h"
#include "lib/secret.h"

namespace postern::auth {

// yescrypt with a new salt.
Result<std::string> hash_password(const Secret& password);
// Is it the password of this hash? False too where the hash is of no method that the library knows.
bool password_matches(const Secret& password, const std::string& hash);
// Of no password: what is tried for a user that does not exist where there is no other to stand in.
extern const char* const kNobodysHash;

}  // namespace postern::auth
