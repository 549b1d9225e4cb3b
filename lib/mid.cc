#include "lib/mid.h"

#include <sys/random.h>
#include <unistd.h>

#include "lib/text.h"

namespace postern {

uint64_t make_mid() {
  uint64_t random = 0;
  if (::getrandom(&random, sizeof random, GRND_NONBLOCK) != static_cast<ssize_t>(sizeof random)) {
    random = static_cast<uint64_t>(::getpid());  // before the pool is filled: a clash is caught by queue
  }
  return now_microseconds() << 12 | (random & 4095);
}

std::optional<uint64_t> parse_mid(std::string_view text) {
  const std::optional<uint64_t> number = parse_number(text);
  if (!number || *number == 0 || *number >> 63 != 0) return std::nullopt;
  return number;
}

std::string mid_text(uint64_t mid) {
  return "MID " + std::to_string(mid);
}

}  // namespace postern
