// parts: quarantine/quarantine_arguments.cc quarantine/held.cc quarantine/quarantine_list.cc lib
//
// What follows a verb, the variables kept with a held message, and lines of control/quarantines. What is
// taken keeps to the limits, and comes back from the kept variables as it was put; a list's line has its ten
// fields whatever is in the message.
#include "quarantine/quarantine_arguments.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/quarantine_name.h"
#include "lib/text.h"
#include "quarantine/quarantine_list.h"
#include "tests/fuzz/must.h"

using namespace postern;
using namespace postern::quarantine;

namespace {

void check_placements(const std::vector<std::string>& words) {
  const Result<std::vector<Placement>> placements = parse_placements(words);
  if (!placements) return;
  must(!placements->empty() && placements->size() <= kMembershipLimit);
  Environment request;
  for (const std::string& word : words) request.set("POSTERN_" + word.substr(0, 20), word);
  const Environment kept = held_variables(request, *placements);
  const std::vector<Placement> back = placements_of(kept);
  must(back.size() == placements->size());
  for (size_t i = 0; i < back.size(); ++i) {
    must(is_quarantine_name(back[i].quarantine) && back[i].quarantine == (*placements)[i].quarantine);
    must(back[i].reason == (*placements)[i].reason.substr(0, kReasonLimit));
  }
  HeldRow row{.mid = 1};
  row.sender = words.back();
  row.recipients = words;
  row.subject = words.front();
  row.memberships = memberships_of(back, kept, 1, {});
  const std::string lines = held_lines(row, "");
  must(static_cast<size_t>(std::count(lines.begin(), lines.end(), '\n')) == back.size());
  must(static_cast<size_t>(std::count(lines.begin(), lines.end(), '\t')) == 9 * back.size());
  must(std::all_of(lines.begin(), lines.end(),
                   [](char c) { return (c >= ' ' && c <= '~') || c == '\t' || c == '\n'; }));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> words;
  for (const std::string_view word : split(text, '\0')) words.emplace_back(word);
  check_placements(words);
  for (const Verb verb :
       {Verb::list, Verb::show, Verb::release, Verb::remove, Verb::move, Verb::check, Verb::audit}) {
    const Result<Selection> selection = parse_selection(verb, words, uint64_t{1} << 50);
    if (!selection) continue;
    must(selection->exemption.empty() || valid_exemption(selection->exemption));
    must(selection->to.empty() || is_quarantine_name(selection->to));
    must(selection->filter.before <= uint64_t{1} << 50);
    must(verb == Verb::list || verb == Verb::check || selection->filtered);
  }
  const Result<QuarantineSettings> settings = parse_quarantine_line(text);
  if (settings) must(is_quarantine_name(settings->name) && settings->retention_seconds <= kLongestAgeSeconds);
  (void)header_value(text, "subject");
  return 0;
}
