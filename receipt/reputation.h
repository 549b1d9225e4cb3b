// The score of an address, -10 to +10: what the operator's table says; else what DNS lists and our own
// experience make together. Trouble with a list makes the score neutral in so far, and is logged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/reputation_settings.h"
#include "lib/watched_file.h"
#include "receipt/list_lookup.h"
#include "receipt/reputation_history.h"

namespace postern {

struct Score {
  std::optional<int> tenths;         // nothing: "none", nobody knows the address
  std::vector<std::string> reasons;  // for people, a line each
};

class Reputation {
 public:
  Reputation();
  // The files of control/ that have changed. False at the first time when one is broken; later what was read
  // before stays. Either is logged.
  bool load();
  // Made where it is missing, if `make` says so; without it nothing is remembered, which is logged.
  void open_history(bool make);

  // `explain`: with all reasons, and nothing taken from what is kept.
  Score score(const IpBytes& address, bool explain);
  // Exit code 0, or 111 where there is no history.
  bool note(const IpBytes& address, const Experience& more);

 private:
  ListAnswer ask_lists(const IpBytes& address, bool explain, std::vector<std::string>& reasons);
  void log_trouble(const std::string& zone, const std::string& why);

  WatchedFile lists_file_;
  WatchedFile table_file_;
  WatchedFile dns_file_;
  ReputationSettings settings_;
  ReputationTable table_;
  std::string dns_program_ = "@dnsq";
  uint32_t mark_ = 0;  // of the settings that list answers are kept under
  bool loaded_ = false;
  std::optional<ReputationHistory> history_;
  ListLookup lookup_;
  int64_t quiet_until_ = 0;  // one line about lists in trouble a minute is enough
};

// "accepted=3", "spam": what `note` takes behind the address. A permanent failure for anything else.
Result<Experience> parse_events(const std::vector<std::string>& words, size_t from);

}  // namespace postern
