#include "auth/password_hash.h"

#include <crypt.h>
#include <string.h>

#include <array>
#include <cerrno>
#include <memory>

namespace postern::auth {

namespace {

struct WipeData {
  void operator()(crypt_data* data) const {
    ::explicit_bzero(data, sizeof *data);
    delete data;
  }
};

// Empty on failure.
std::string crypted(const Secret& password, const char* setting) {
  const std::unique_ptr<crypt_data, WipeData> data(new crypt_data{});
  if (password.empty() || password.view().find('\0') != std::string_view::npos) return {};
  const char* made = ::crypt_rn(password.view().data(), setting, data.get(), sizeof *data);
  return made == nullptr ? std::string() : std::string(made);
}

}  // namespace

const char* const kNobodysHash = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7";

Result<std::string> hash_password(const Secret& password) {
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  if (::crypt_gensalt_rn("$y$", 0, nullptr, 0, setting.data(), static_cast<int>(setting.size())) == nullptr)
    return os_failure("make a salt", errno);
  std::string hash = crypted(password, setting.data());
  if (hash.empty() || hash.starts_with('*')) return temporary("hash the password: crypt(3) failed");
  return hash;
}

bool password_matches(const Secret& password, const std::string& hash) {
  const std::string made = crypted(password, hash.c_str());
  return !made.empty() && !made.starts_with('*') && equal_in_constant_time(made, hash);
}

}  // namespace postern::auth
