// What follows a verb on the command line or in a request; the words may come from anybody who may ask.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"
#include "quarantine/held.h"
#include "quarantine/rows.h"

namespace postern::quarantine {

// NAME REASON [NAME REASON]…; of a name that stands twice the last reason counts.
Result<std::vector<Placement>> parse_placements(const std::vector<std::string>& words);

// Filters, numbers of messages, and what belongs to single verbs.
struct Selection {
  Filter filter;
  bool filtered = false;  // by anything at all
  bool json = false;
  bool repair = false;
  std::string from;
  std::string to;
  std::string exemption;
};

enum class Verb { list, show, release, remove, move, check, audit };

// `words` without the verb. `now` in microseconds since 1970: ages count from then. The failure says which
// word is wrong.
Result<Selection> parse_selection(Verb verb, const std::vector<std::string>& words, uint64_t now);

// "STAGE VERDICT": a stage's name, one blank, printable ASCII.
bool valid_exemption(std::string_view text);

}  // namespace postern::quarantine
