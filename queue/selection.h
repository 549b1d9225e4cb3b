// Which messages and recipients an operator means: the selectors that postern-qread, postern-qstat and
// postern-qctl share. Values of one selector are alternatives; different selectors must all hold.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/queue_file.h"
#include "lib/result.h"
#include "lib/spool.h"
#include "queue/attempts.h"
#include "queue/orders.h"

namespace postern {

struct Selection {
  std::vector<uint64_t> mids;
  std::vector<std::string> senders;     // address, "@domain", "*"; "" or "<>": the null reverse-path
  std::vector<std::string> recipients;  // address, "@domain", "*"
  std::vector<std::string> sites;       // domain, ".domain" (all below it), "*"
  std::optional<uint64_t> older;        // seconds: received before
  std::optional<uint64_t> newer;        // seconds: received since
  bool all = false;

  [[nodiscard]] bool empty() const;
  // All messages, whatever is in them.
  [[nodiscard]] bool only_all() const;
};

// Takes one selector off the front of the arguments; false when there is another word in front. The failure
// says what is wrong with its value.
Result<bool> take_selector(std::vector<std::string>& arguments, Selection& selection);
// For usage lines.
constexpr std::string_view kSelectors =
    "selectors: --mid N, --sender ADDRESS, --recipient ADDRESS, --site DOMAIN, --older AGE, --newer AGE, "
    "--all";

// What a program that shows messages takes: its flags, --spool DIR (the instance's queue/ unless given), and
// selectors, in any order. The failure says that.
struct Flag {
  std::string_view name;
  bool* given;
};
struct Shown {
  std::string directory;
  Selection selection;
};
Result<Shown> parse_shown(std::string_view program, const std::vector<Flag>& flags,
                          std::vector<std::string> arguments);

// A message as it stands in the queue.
struct QueueEntry {
  uint64_t mid = 0;
  std::string place;  // new or cur
  QueuedMessage queued;
  Attempts attempts;
  Orders orders;
  std::vector<size_t> selected;  // recipient numbers, rising

  // With what is ordered and not carried out yet.
  [[nodiscard]] RecipientState state(size_t rid) const;
};

// The domain that send counts a recipient under; `me` for one without a domain.
std::string site_of(std::string_view address, std::string_view me);

// Calls `take` for each message with a selected recipient, those in cur/ first, the oldest first. False when
// something could not be read (logged); what could was still given. A `take` that returns false ends it, as a
// success.
Result<bool> each_selected(const Spool& spool, const Selection& selection, const std::string& me,
                           const std::function<bool(const QueueEntry&)>& take);

}  // namespace postern
