#include "remote/sts_locks.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cstdint>

namespace postern {

namespace {

constexpr off_t kFirstDomain = 1 << 16;  // the places' bytes are below it
constexpr size_t kHashBytes = 7;         // 56 bits: an off_t has 63

// A byte of its own for each domain, as far as nobody can find two domains, or one to another's, with the
// same first bytes of their SHA-256.
off_t byte_of(std::string_view domain) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  ::EVP_Digest(domain.data(), domain.size(), hash.data(), nullptr, ::EVP_sha256(), nullptr);
  off_t number = 0;
  for (size_t i = 0; i < kHashBytes; ++i) number = number * 256 + hash[i];
  return kFirstDomain + number;
}

}  // namespace

// Of a description of its own: locks of one description do not stand in each other's way.
Fd StsLocks::try_byte(off_t at) const {
  Fd file{::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  struct flock lock = lock_of(F_WRLCK, at, 1);
  if (!file || ::fcntl(file.get(), F_OFD_SETLK, &lock) < 0) return {};
  return file;
}

StsTurn StsLocks::try_turn(std::string_view domain) const {
  StsTurn turn;
  turn.domain = try_byte(byte_of(domain));
  if (!turn.domain) {
    turn.refusal = StsTurn::Refusal::domain;
    return turn;
  }
  for (unsigned i = 0; i < places_ && !turn.place; ++i) turn.place = try_byte(static_cast<off_t>(i));
  if (!turn.place) turn.refusal = StsTurn::Refusal::places;
  return turn;
}

}  // namespace postern
