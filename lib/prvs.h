// Tags of envelope senders by which a bounce of our own mail is known (bounce verification; BATV,
// draft-levine-smtp-batv-01): user@domain becomes prvs=KDDDSSSSSS=user@domain. K is the number of the key,
// DDD the day, modulo 1000, on which it ends, SSSSSS the first three bytes of HMAC-SHA1 over K, DDD and the
// address. Cisco's form, prvs=user=KDDDSSSSSS@domain, is understood.
//
// Needs libcrypto where it is linked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/prvs_address.h"
#include "lib/result.h"

namespace postern {

constexpr unsigned kPrvsDays = 7;
constexpr size_t kLocalPartLimit = 64;  // RFC 5321 4.5.3.1.1; a tag must not make it longer

struct PrvsKey {
  unsigned number = 0;  // 0 to 9
  std::string secret;
  std::optional<uint64_t> retired;  // day since 1970 from which on it makes no tags any more
};

// "NUMBER SECRET" a line; the first makes the tags. Behind a key that no longer does: "until YYYY-MM-DD", the
// last day on which it made some: it is good for seven days more. The failure names file, line and remedy.
Result<std::vector<PrvsKey>> parse_prvs_keys(std::string_view text, std::string_view file_name);

// Empty when the address gets no tag: the null reverse-path, one that has a tag, one without a domain, or one
// whose local-part would be too long.
std::string prvs_tagged(std::string_view address, const PrvsKey& key, uint64_t now_seconds);

struct PrvsCheck {
  // keyless: there are no keys, so nothing of ours is tagged, and no tag can be right or wrong.
  enum class State { untagged, valid, expired, forged, keyless } state = State::untagged;
  std::string address;  // without the tag
};
// Also good where the tag was made for the domain, or all of the address, in lower case. A tag made for a
// domain with capital letters is good for that spelling alone: whoever tags makes it lower case first.
PrvsCheck check_prvs(std::string_view address, const std::vector<PrvsKey>& keys, uint64_t now_seconds);
std::string_view prvs_state_name(PrvsCheck::State state);

}  // namespace postern
