// User names and passwords before they are compared.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/secret.h"

namespace postern::auth {

constexpr size_t kMostNameBytes = 255;
constexpr size_t kMostPasswordBytes = 512;

// SASLprep (RFC 4013) but for its rules of writing direction: spaces of other scripts become a space, what is
// commonly mapped to nothing goes, the rest becomes NFKC. Nothing for what is no UTF-8, holds control
// characters or is empty or too long.
std::optional<Secret> prepare_password(std::string_view password);
// The same, with ASCII letters in lower case, no ':', which ends a name in the table of users, and no blank
// at an end or behind another; so that one user has one name, whoever counts what he sends.
std::optional<std::string> prepare_name(std::string_view name);

}  // namespace postern::auth
