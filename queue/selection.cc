#include "queue/selection.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "lib/control.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/text.h"

namespace postern {

namespace {

bool address_matches(const std::vector<std::string>& patterns, std::string_view address) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    if (pattern == "*") return true;
    if (pattern == "<>") return address.empty();
    if (pattern.starts_with('@')) return lower(pattern.substr(1)) == domain_of(address) && pattern.size() > 1;
    return equal_ignoring_case(pattern, address);
  });
}

bool site_matches(const std::vector<std::string>& sites, const std::string& site) {
  return domain_listed(site, sites) || std::find(sites.begin(), sites.end(), "*") != sites.end();
}

bool message_matches(const Selection& selection, const QueuedMessage& queued, uint64_t now) {
  if (!selection.senders.empty() && !address_matches(selection.senders, queued.envelope.sender)) return false;
  const uint64_t age = now > queued.born ? (now - queued.born) / 1000000 : 0;
  if (selection.older && age < *selection.older) return false;
  return !selection.newer || age <= *selection.newer;
}

bool recipient_matches(const Selection& selection, const std::string& address, const std::string& me) {
  if (!selection.recipients.empty() && !address_matches(selection.recipients, address)) return false;
  return selection.sites.empty() || site_matches(selection.sites, site_of(address, me));
}

struct Named {
  std::string place;
  uint64_t mid;
};

// new/ is read first, so that a message that is taken over meanwhile is seen in cur/ rather than missed.
Result<std::vector<Named>> list_messages(const Spool& spool, const Selection& selection) {
  std::vector<Named> named;
  if (!selection.mids.empty()) {
    for (const uint64_t mid : std::set<uint64_t>(selection.mids.begin(), selection.mids.end())) {
      named.push_back({"cur", mid});
    }
    return named;
  }
  std::set<uint64_t> unseen;
  Result<std::vector<uint64_t>> in_new = spool.list("new");
  if (!in_new) return in_new.failure();
  unseen.insert(in_new->begin(), in_new->end());
  Result<std::vector<uint64_t>> in_cur = spool.list("cur");
  if (!in_cur) return in_cur.failure();
  std::sort(in_cur->begin(), in_cur->end());
  for (const uint64_t mid : *in_cur) {
    unseen.erase(mid);
    named.push_back({"cur", mid});
  }
  for (const uint64_t mid : unseen) named.push_back({"new", mid});
  return named;
}

// Nothing when the message is gone: one that is delivered while we look is no fault.
Result<std::optional<QueueEntry>> read_entry(const Spool& spool, const Named& named) {
  QueueEntry entry;
  entry.mid = named.mid;
  Fd file;
  const std::string other = named.place == "new" ? "cur" : "new";
  // A second look at cur/: it may have been taken over between the looks at cur/ and at new/.
  for (const std::string& place : {named.place, other, std::string("cur")}) {
    entry.place = place;
    file.reset(::open(spool.path(place, named.mid).c_str(), O_RDONLY | O_CLOEXEC));
    if (file) break;
    if (errno != ENOENT) return os_failure("open " + spool.path(place, named.mid), errno);
  }
  if (!file) return std::optional<QueueEntry>();
  Result<QueuedMessage> queued = read_queue_file(file.get());
  if (!queued) return temporary(spool.path(entry.place, named.mid) + ": " + queued.failure().text);
  Result<std::optional<std::string>> log = read_defer_log(spool.path("defer", named.mid));
  if (!log) return log.failure();
  entry.queued = std::move(*queued);
  entry.attempts = parse_attempts(log->value_or(""));
  entry.orders = replay_orders(log->value_or(""), entry.queued.states.size());
  return std::optional(std::move(entry));
}

}  // namespace

bool Selection::empty() const {
  return mids.empty() && senders.empty() && recipients.empty() && sites.empty() && !older && !newer && !all;
}

bool Selection::only_all() const {
  return all && mids.empty() && senders.empty() && recipients.empty() && sites.empty() && !older && !newer;
}

Result<bool> take_selector(std::vector<std::string>& arguments, Selection& selection) {
  if (arguments.empty()) return false;
  const std::string name = arguments.front();
  const auto drop = [&](size_t count) {
    arguments.erase(arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(count));
    return true;
  };
  if (name == "--all") {
    selection.all = true;
    return drop(1);
  }
  static constexpr std::string_view kNames[] = {"--mid",  "--sender", "--recipient",
                                                "--site", "--older",  "--newer"};
  if (std::find(std::begin(kNames), std::end(kNames), name) == std::end(kNames)) return false;
  if (arguments.size() < 2) return permanent(name + " needs a value");
  const std::string value = arguments[1];
  if (name == "--mid") {
    const std::optional<uint64_t> mid = parse_mid(value);
    if (!mid) return permanent("--mid " + printable(value, 40) + ": a message's number is decimal");
    selection.mids.push_back(*mid);
  } else if (name == "--older" || name == "--newer") {
    const std::optional<uint64_t> age = parse_age(value);
    if (!age) return permanent(name + " " + printable(value, 40) + ": an age is such as 90, 15m, 2h or 3d");
    (name == "--older" ? selection.older : selection.newer) = age;
  } else if (name == "--site") {
    if (value.empty()) return permanent("--site needs a domain");
    selection.sites.push_back(value);
  } else if (name == "--sender") {
    selection.senders.push_back(value.empty() ? "<>" : value);
  } else {
    if (value.empty()) return permanent("--recipient needs an address");
    selection.recipients.push_back(value);
  }
  return drop(2);
}

Result<Shown> parse_shown(std::string_view program, const std::vector<Flag>& flags,
                          std::vector<std::string> arguments) {
  Shown shown{.directory = home_path("queue"), .selection = {}};
  while (!arguments.empty()) {
    Result<bool> selector = take_selector(arguments, shown.selection);
    if (!selector) return selector.failure();
    if (*selector) continue;
    const auto flag = std::find_if(flags.begin(), flags.end(),
                                   [&](const Flag& known) { return known.name == arguments.front(); });
    if (flag != flags.end()) {
      *flag->given = true;
      arguments.erase(arguments.begin());
    } else if (arguments.front() == "--spool" && arguments.size() >= 2) {
      shown.directory = arguments[1];
      arguments.erase(arguments.begin(), arguments.begin() + 2);
    } else {
      std::string usage = "usage: " + std::string(program);
      for (const Flag& known : flags) usage.append(" [").append(known.name).append("]");
      return permanent(usage + " [--spool DIR] [SELECTOR...]; " + std::string(kSelectors));
    }
  }
  return shown;
}

RecipientState QueueEntry::state(size_t rid) const {
  return state_by_orders(queued.states.at(rid), orders.of(rid));
}

std::string site_of(std::string_view address, std::string_view me) {
  return address.find('@') == std::string_view::npos ? lower(me) : domain_of(address);
}

Result<bool> each_selected(const Spool& spool, const Selection& selection, const std::string& me,
                           const std::function<bool(const QueueEntry&)>& take) {
  Result<std::vector<Named>> messages = list_messages(spool, selection);
  if (!messages) return messages.failure();
  const uint64_t now = now_microseconds();
  bool whole = true;
  for (const Named& named : *messages) {
    Result<std::optional<QueueEntry>> entry = read_entry(spool, named);
    if (!entry) {
      log_warning("read MID " + std::to_string(named.mid), entry.failure());
      whole = false;
      continue;
    }
    if (!*entry || !message_matches(selection, (*entry)->queued, now)) continue;
    const std::vector<Recipient>& recipients = (*entry)->queued.envelope.recipients;
    for (size_t rid = 0; rid < recipients.size(); ++rid) {
      if (recipient_matches(selection, recipients[rid].address, me)) (*entry)->selected.push_back(rid);
    }
    if (!(*entry)->selected.empty() && !take(**entry)) return whole;
  }
  return whole;
}

}  // namespace postern
