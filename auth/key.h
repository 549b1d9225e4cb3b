// The key of this instance's authq: what made-up salts are made of, and what its states are sealed with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "auth/scram.h"
#include "lib/result.h"

namespace postern::auth {

class Key {
 public:
  explicit Key(std::string secret) : secret_(std::move(secret)) {}
  // secrets/posterni/key; made when it is missing.
  static Result<Key> of_instance();

  // 32 bytes, always the same for a purpose and a text.
  [[nodiscard]] std::string derived(std::string_view purpose, std::string_view text) const;
  // For who has none: always the same for a name, and not to be told from a true one. `iterations` and the
  // length of the salt (at most kMostSaltBytes) should be those of the others.
  [[nodiscard]] ScramVerifier made_up_verifier(std::string_view name, uint32_t iterations,
                                               size_t salt_bytes = kSaltBytes) const;

  // What the client's side keeps for us between two messages: nobody else can make or change it, and it is
  // good for kStateSeconds. Printable, without TAB.
  [[nodiscard]] std::string seal(std::string_view state, uint64_t now_seconds) const;
  [[nodiscard]] std::optional<std::string> open(std::string_view sealed, uint64_t now_seconds) const;

  static constexpr uint64_t kStateSeconds = 600;

 private:
  std::string secret_;
};

}  // namespace postern::auth
