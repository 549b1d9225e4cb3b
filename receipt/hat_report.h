// What the Host Access Table makes of a client, for people and for programs: the answer of postern-hat test.
#pragma once

#include <optional>
#include <string>

#include "lib/result.h"
#include "receipt/address_prefix.h"

namespace postern {

struct HatInquiry {
  AddressKey address{};
  std::string host;      // taken for its verified name; empty: the DNS is asked
  std::string listener;  // as POSTERN_LISTENER; empty: the table for all
  std::string dns;       // the program that answers DNS questions; empty: control/dnsq
  bool has_score = false;
  std::optional<int> score;  // instead of asking, where has_score
  bool json = false;
};

Result<std::string> report_on_client(const HatInquiry& inquiry);

}  // namespace postern
