// postern-qstat - how many messages the queue holds, and where they have to go.
//
//   usage      postern-qstat [--sites] [--json] [--spool DIR] [SELECTOR...]
//   fd 1 out   lines "messages in queue: N", "of these not yet seen: N", "of these tried before: N", "being
//              written: N"; with --sites, or a selector, a line for each site instead: site, messages,
//              recipients pending, held, age of the oldest, seconds to the next try, last reply, separated by
//              TAB, and as postern-send knows it: state (up, slow, probing, away), jobs out, waiting, seconds
//              to the site's next attempt, recipients counted against its limit, last error; with --json
//              both, as one object
//   files      DIR/, DIR/sites of postern-send
//   env        POSTERN_HOME
//   exit       0 done, 100 usage, 111 the queue could not be read, or some message

#include <algorithm>
#include <map>
#include <optional>

#include "lib/control.h"
#include "lib/fd.h"
#include "lib/json_text.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/spool.h"
#include "lib/text.h"
#include "queue/selection.h"
#include "queue/site_status.h"

namespace {

using namespace postern;

struct Counts {
  size_t unseen = 0;
  size_t taken = 0;
  size_t tried = 0;
  size_t unfinished = 0;
};

Result<Counts> count(const Spool& spool) {
  Counts counts;
  struct Place {
    const char* name;
    size_t* number;
  };
  for (const auto& [name, number] : {Place{"new", &counts.unseen}, Place{"cur", &counts.taken},
                                     Place{"defer", &counts.tried}, Place{"tmp", &counts.unfinished}}) {
    Result<std::vector<uint64_t>> mids = spool.list(name);
    if (!mids) return mids.failure();
    *number = mids->size();
  }
  return counts;
}

// What waits for one domain, in the queue's files (what is done there is not counted) and as postern-send
// knows it.
struct Site {
  size_t messages = 0;
  size_t pending = 0;
  size_t held = 0;
  uint64_t oldest = UINT64_MAX;      // microseconds since 1970
  uint64_t next = UINT64_MAX;        // seconds since 1970; of pending recipients
  uint64_t last_try = 0;             // of the reply
  std::string last_reply;            // none: empty
  std::optional<SiteStatus> status;  // none: postern-send does not run
};
using Sites = std::map<std::string, Site>;

void add(Sites& sites, const QueueEntry& entry, const std::string& me) {
  std::map<std::string, bool> seen;
  for (const size_t rid : entry.selected) {
    const RecipientState state = entry.state(rid);
    const bool pending = state == RecipientState::pending;
    if (!pending && state != RecipientState::held) continue;
    const std::string name = site_of(entry.queued.envelope.recipients[rid].address, me);
    Site& site = sites[name];
    if (!std::exchange(seen[name], true)) ++site.messages;
    ++(pending ? site.pending : site.held);
    site.oldest = std::min(site.oldest, entry.queued.born);
    if (pending) site.next = std::min(site.next, entry.attempts.turn_of(rid).next);
    const auto reply = entry.attempts.replies.find(rid);
    if (reply == entry.attempts.replies.end() || entry.attempts.last < site.last_try) continue;
    site.last_try = entry.attempts.last;
    site.last_reply = reply->second;
  }
}

// A site that send has nothing to say of is up. One that it says something of and nothing waits for is shown
// where all are asked for.
void add_status(Sites& sites, const StatusFile& file, bool all) {
  const std::optional<SitesStatus> known = file.read();
  if (!known) return;
  for (const auto& [name, status] : known->sites) {
    if (all || sites.contains(name)) sites[name].status = status;
  }
  for (auto& [name, site] : sites) {
    if (!site.status) site.status = SiteStatus{.state = "up", .counted = {}, .error = {}};
  }
}

uint64_t seconds_until(uint64_t when) {
  const uint64_t now = now_microseconds() / 1000000;
  return when > now ? when - now : 0;
}

uint64_t age_of(const Site& site) {
  const uint64_t now = now_microseconds();
  if (site.messages == 0) return 0;
  return now > site.oldest ? (now - site.oldest) / 1000000 : 0;
}

bool is_tried(const Site& site) {
  return site.pending > 0 && site.next != UINT64_MAX;
}

std::string status_fields(const std::optional<SiteStatus>& status) {
  if (!status) return "\t-\t-\t-\t-\t-\t-";
  return "\t" + status->state + "\t" + std::to_string(status->running) + "\t" +
         std::to_string(status->waiting) + "\t" +
         (status->next > 0 ? std::to_string(seconds_until(status->next)) : "-") + "\t" +
         (status->counted ? std::to_string(*status->counted) : "-") + "\t" +
         (status->error.empty() ? "-" : status->error);
}

std::string as_lines(const Sites& sites) {
  std::string text;
  for (const auto& [name, site] : sites) {
    text += printable(name) + "\t" + std::to_string(site.messages) + "\t" + std::to_string(site.pending) +
            "\t" + std::to_string(site.held) + "\t" + std::to_string(age_of(site)) + "\t" +
            (is_tried(site) ? std::to_string(seconds_until(site.next)) : "-") + "\t" +
            (site.last_reply.empty() ? "-" : site.last_reply) + status_fields(site.status) + "\n";
  }
  return text;
}

void put_status(Json& row, const std::optional<SiteStatus>& status) {
  row["state"] = status ? Json(status->state) : Json();
  row["running"] = status ? Json(status->running) : Json();
  row["waiting"] = status ? Json(status->waiting) : Json();
  row["next_attempt_seconds"] = status && status->next > 0 ? Json(seconds_until(status->next)) : Json();
  row["recipients_counted"] = status && status->counted ? Json(*status->counted) : Json();
  row["last_error"] = Json();
  if (status && !status->error.empty()) put_bytes(row, "last_error", status->error);
}

// Recipients that postern-send did not send to, all in all.
uint64_t count_of_unsubscribed(const Spool& spool) {
  const Result<std::string> text = read_file(spool.directory() + "/" + std::string(kUnsubscribedFile), 100);
  return text ? parse_number(trim(*text)).value_or(0) : 0;
}

std::string as_json(const Counts& counts, const Sites& sites, uint64_t unsubscribed) {
  Json object;
  object["messages"] = counts.unseen + counts.taken;
  object["not_yet_seen"] = counts.unseen;
  object["tried_before"] = counts.tried;
  object["being_written"] = counts.unfinished;
  object["global_unsubscribe"] = unsubscribed;
  object["sites"] = Json::array();
  for (const auto& [name, site] : sites) {
    Json row;
    put_bytes(row, "site", name);
    row["messages"] = site.messages;
    row["pending"] = site.pending;
    row["held"] = site.held;
    row["oldest_age_seconds"] = age_of(site);
    row["next_try_seconds"] = is_tried(site) ? Json(seconds_until(site.next)) : Json();
    row["last_reply"] = Json();
    if (!site.last_reply.empty()) put_bytes(row, "last_reply", site.last_reply);
    put_status(row, site.status);
    object["sites"].push_back(std::move(row));
  }
  return json_line(object) + "\n";
}

std::string as_lines(const Counts& counts, uint64_t unsubscribed) {
  return "messages in queue: " + std::to_string(counts.unseen + counts.taken) +
         "\nof these not yet seen: " + std::to_string(counts.unseen) +
         "\nof these tried before: " + std::to_string(counts.tried) +
         "\nbeing written: " + std::to_string(counts.unfinished) + "\n" +
         (unsubscribed == 0
              ? std::string()
              : "recipients on the global unsubscribe list: " + std::to_string(unsubscribed) + "\n");
}

int run(int argc, char** argv) {
  bool json = false;
  bool by_site = false;
  Result<Shown> shown =
      parse_shown("postern-qstat", {{"--sites", &by_site}, {"--json", &json}}, {argv + 1, argv + argc});
  if (!shown) {
    log_critical("start", shown.failure().text);
    return 100;
  }
  if (!shown->selection.empty()) by_site = true;
  const Spool spool(shown->directory);
  Result<Counts> counts = count(spool);
  Result<std::string> me = control_me();
  const std::string our_name = me ? *me : std::string();
  Sites sites;
  Result<bool> all_read = true;
  if (by_site || json) {
    all_read = each_selected(spool, shown->selection, our_name, [&](const QueueEntry& entry) {
      add(sites, entry, our_name);
      return true;
    });
  }
  if (by_site || (json && counts && counts->unseen + counts->taken > 0))
    add_status(sites, StatusFile(shown->directory), shown->selection.empty());
  for (const Failure* failure :
       {counts ? nullptr : &counts.failure(), all_read ? nullptr : &all_read.failure()}) {
    if (failure == nullptr) continue;
    log_critical("list the queue", failure->text);
    return 111;
  }
  const uint64_t unsubscribed = count_of_unsubscribed(spool);
  const std::string text = json      ? as_json(*counts, sites, unsubscribed)
                           : by_site ? as_lines(sites)
                                     : as_lines(*counts, unsubscribed);
  return write_all(1, text, "write") && *all_read ? 0 : 111;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-qstat", {}, run, argc, argv);
}
