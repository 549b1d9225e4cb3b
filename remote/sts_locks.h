// Who of postern-stsd's workers fetches what: each domain by one, and some at a time, so that servers which
// never answer leave workers for the rest. Locks of the kernel on bytes of one file (fcntl(2), F_OFD_SETLK):
// they go with their holder, and leave nothing behind.
#pragma once

#include <string>
#include <string_view>

#include "lib/fd.h"

namespace postern {

// Holds its domain and a place until it goes.
struct StsTurn {
  enum class Refusal { none, domain, places };
  Fd domain{};
  Fd place{};
  Refusal refusal = Refusal::none;  // another fetches the domain; all places are taken

  explicit operator bool() const { return refusal == Refusal::none; }
};

class StsLocks {
 public:
  StsLocks(std::string directory, unsigned places)
      : path_(std::move(directory) + "/.locks"), places_(places) {}
  // Waits for nobody.
  [[nodiscard]] StsTurn try_turn(std::string_view domain) const;

 private:
  [[nodiscard]] Fd try_byte(off_t at) const;

  std::string path_;
  unsigned places_;
};

}  // namespace postern
