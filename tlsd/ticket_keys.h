// The keys that session tickets are sealed with (RFC 5077, RFC 8446 4.6.1). All workers must know the same
// ones, also those that are forked later, and a key must be gone some time after its last use, or who gets it
// reads what was said before. So they stand in memory that the workers share, and the parent alone rolls
// them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

struct ssl_st;
struct ssl_ctx_st;

namespace postern::tlsd {

class TicketKeys {
 public:
  // Shared by all processes that are forked from now on; never freed. Null without memory or randomness.
  static TicketKeys* make();

  // A new key for new tickets. The one before is good for another time, and the one before that is gone.
  // False: there is no randomness, and nothing has changed.
  bool roll();
  // Tickets of `context` are sealed with these keys; `seconds` is how long each makes tickets, 0: no tickets.
  void serve(ssl_ctx_st* context, uint64_t seconds);

  static constexpr size_t kNameBytes = 16;  // of OpenSSL's callback
  struct Key {
    std::array<unsigned char, kNameBytes> name;
    std::array<unsigned char, 32> cipher;
    std::array<unsigned char, 32> mac;
  };
  // The key for new tickets.
  [[nodiscard]] Key current() const;
  // The one of that name, if it is still good.
  bool find(const unsigned char* name, Key& into) const;

 private:
  // One more than are good, so that the slot which roll() fills is one that nobody uses.
  static constexpr size_t kSlots = 3;
  std::atomic<uint64_t> rolled_ = 0;
  std::array<Key, kSlots> keys_{};
};

}  // namespace postern::tlsd
