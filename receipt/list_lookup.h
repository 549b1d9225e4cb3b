// Asks DNS lists about an address, all of them at once where postern-dnsq runs as a resident.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/ip_bytes.h"
#include "lib/reputation_settings.h"

namespace postern {

struct ListFinding {
  enum class Kind { listed, not_listed, trouble };
  Kind kind = Kind::not_listed;
  int score = 0;  // tenths, without the weight: of its answers the one farthest from 0
  std::vector<std::string> answers{};
  std::string why{};  // of trouble
};

class ListLookup {
 public:
  // One finding for each list, in their order, before the deadline. A list that has given no answer several
  // times in a row is left out for a while, so that not every client has to wait for it.
  std::vector<ListFinding> ask(const std::vector<DnsList>& lists, const IpBytes& address,
                               const std::string& dns_program, int64_t deadline_milliseconds);

 private:
  struct Silence {
    std::string zone;
    unsigned times = 0;
    int64_t until = 0;
  };
  Silence& silence_of(const std::string& zone);
  void note(const std::string& zone, const ListFinding& finding);

  std::vector<Silence> silences_;
};

}  // namespace postern
