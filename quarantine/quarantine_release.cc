#include "quarantine/quarantine_release.h"

#include <algorithm>

#include "lib/child.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/submit.h"
#include "lib/text.h"

namespace postern::quarantine {

namespace {

constexpr std::string_view kSpam = "Spam";
constexpr int64_t kDeadlineMilliseconds = 300 * 1000;  // above the 240 s that scanning may take
constexpr size_t kPartLimit = 1000;

// The message alone: nobody but the store's owner gets a descriptor of a queue file.
Result<Fd> message_alone(int file, const QueuedMessage& queued) {
  Result<bool> intact = message_intact(file, queued);
  if (!intact) return intact.failure();
  if (!*intact) return temporary("the stored message's checksum is wrong: it was damaged on the disk");
  Result<Fd> copy = memory_file("message");
  if (!copy) return copy;
  Result<void> copied = copy_range(file, 0, queued.message_size, copy->get(), "copy the message");
  if (!copied) return copied.failure();
  if (Result<void> sealed = seal(copy->get()); !sealed) return sealed.failure();
  return copy;
}

Audit audit_of(const HeldRow& row, std::string_view act, const Act& by) {
  return {.time = now_microseconds(),
          .mid = row.mid,
          .digest = row.digest,
          .new_mid = row.new_mid,
          .act = std::string(act),
          .quarantine = {},
          .who = by.who,
          .exemption = row.exemption,
          .fate = {}};
}

std::string quoted(std::string_view name) {
  return "\"" + std::string(name) + "\"";
}

Membership* membership(HeldRow& row, std::string_view quarantine) {
  const auto found = std::find_if(row.memberships.begin(), row.memberships.end(), [&](const Membership& one) {
    return one.quarantine == quarantine && !one.released;
  });
  return found == row.memberships.end() ? nullptr : &*found;
}

// The one that `quarantine` names is not among those that hold it.
Failure not_in(const HeldRow& row, std::string_view quarantine) {
  std::string names;
  for (const std::string& name : row.holders()) names.append(names.empty() ? "" : ", ").append(quoted(name));
  return permanent("it is not in " + quoted(quarantine) + " but in " + names);
}

Result<HeldMessage> locked(QuarantineStore& store, uint64_t mid) {
  Result<HeldMessage> held = store.find(mid);
  if (!held) return held;
  if (Result<void> locked = store.lock(*held); !locked) return locked.failure();
  return held;
}

// From one of several: it leaves no sooner than the others let it go.
Result<Released> mark_released(QuarantineStore& store, HeldRow& row, Membership& one, const Act& by) {
  one.released = true;
  Audit audit = audit_of(row, "released from", by);
  audit.quarantine = one.quarantine;
  if (Result<void> updated = store.update(row, {audit}); !updated) return updated.failure();
  log_info(mid_text(row.mid) + " released from quarantine " + quoted(one.quarantine) + " (" + by.why + ")");
  return Released{.still_held_in = row.holders(), .parts = {}};
}

Result<std::vector<Part>> hand_on(const HeldMessage& held, const std::string& target, bool again) {
  const HeldRow& row = held.row;
  Result<QueuedMessage> queued = read_queue_file(held.file.get());
  if (!queued) return queued.failure();
  Result<Fd> message = message_alone(held.file.get(), *queued);
  if (!message) return message.failure();
  Environment environment = release_environment(row);
  if (again) environment.set("POSTERN_DEFERRED", "1");
  const QueueAnswer answer = submit(target, message->get(), queued->envelope, environment,
                                    now_milliseconds() + kDeadlineMilliseconds);
  const SmtpReply reply = queue_reply(answer);
  if (!reply.accepted()) {
    const std::string text = target + " did not take it: " + reply.line() + "; it stays in quarantine";
    return reply.permanent() ? permanent(text) : temporary(text);
  }
  const bool into_queue = release_environment(row).get("POSTERN_RELEASED") == kSpam;
  return parse_parts(answer.output, row.new_mid, into_queue ? "queued" : "accepted");
}

void log_release(const HeldRow& row, const Act& by) {
  const std::string name = mid_text(row.mid);
  LogLines lines;
  const std::vector<std::string> holders = row.holders();
  for (const std::string& one : holders)
    lines.info(name + " released from quarantine " + quoted(one) + " (" + by.why + ")");
  if (row.memberships.size() > 1) lines.info(name + " released from all quarantines");
  lines.info(name + " rewritten to " + std::to_string(row.new_mid) + " by quarantine " +
             quoted(holders.empty() ? row.memberships.front().quarantine : holders.front()));
}

}  // namespace

std::string release_target(const HeldRow& row, const Environment& environment) {
  if (release_environment(row).get("POSTERN_RELEASED") == kSpam)
    return environment.get_or("POSTERN_QUEUE", "@queue");
  return environment.get_or("POSTERN_RELEASE_TO", "@scanq");
}

Environment release_environment(const HeldRow& row) {
  Environment environment;
  for (const auto& [name, value] : row.kept.pairs()) {
    if (!is_store_variable(name) && name != "POSTERN_EXEMPT" && !name.starts_with("POSTERN_TAG_"))
      environment.set(name, value);
  }
  // Of several the one that asks for most: what any but Spam has held is scanned again.
  std::string_view kind = kSpam;
  for (const Membership& one : row.memberships) {
    if (one.quarantine != kSpam) kind = one.quarantine;
  }
  environment.set("POSTERN_MID", std::to_string(row.new_mid));
  environment.set("POSTERN_RELEASED", kind);
  environment.set("POSTERN_WORK", "quarantine/" + std::to_string(row.mid));
  if (!row.exemption.empty()) environment.set("POSTERN_EXEMPT", row.exemption);
  return environment;
}

std::vector<Part> parse_parts(std::string_view output, uint64_t new_mid, std::string_view fate) {
  std::vector<Part> parts;
  for (std::string_view line : split(output, '\n')) {
    const std::string_view mid = line.substr(0, line.find(' '));
    if (!parse_mid(mid) || parts.size() == kPartLimit) continue;
    line = trim(line.substr(mid.size()));
    const std::string_view word = line.substr(0, line.find(' '));
    if (word.empty()) continue;
    parts.push_back({.mid = std::string(mid),
                     .fate = printable(word, 40),
                     .detail = printable(trim(line.substr(word.size())))});
  }
  if (parts.empty())
    parts.push_back({.mid = std::to_string(new_mid), .fate = std::string(fate), .detail = {}});
  return parts;
}

Result<Released> release_message(QuarantineStore& store, uint64_t mid, const ReleaseOrder& order,
                                 const Environment& environment) {
  Result<HeldMessage> held = locked(store, mid);
  if (!held) return held.failure();
  HeldRow& row = held->row;
  if (!order.exemption.empty()) row.exemption = order.exemption;
  if (!order.from.empty()) {
    Membership* one = membership(row, order.from);
    if (one == nullptr) return not_in(row, order.from);
    if (row.holders().size() > 1) return mark_released(store, row, *one, order.act);
  }
  // Asked for before, under this number: the receiver may have it.
  const bool again = row.new_mid != 0;
  if (row.new_mid == 0) row.new_mid = make_mid();
  row.releasing = true;
  if (Result<void> begun = store.update(row, {audit_of(row, "asked", order.act)}); !begun)
    return begun.failure();
  if (!row.exemption.empty())
    log_info(mid_text(mid) + " released with an exemption from \"" + printable(row.exemption) + "\" by " +
             order.act.who);

  Result<std::vector<Part>> parts = hand_on(*held, release_target(row, environment), again);
  if (!parts) {
    // It is held as before. The number stays, but for a clear no: the receiver may have it and not have been
    // able to say so.
    row.releasing = false;
    if (parts.failure().permanent()) row.new_mid = 0;
    if (Result<void> undone = store.update(row, {}); !undone)
      log_warning("note that " + mid_text(mid) + " was not released", undone.failure());
    return parts.failure();
  }
  std::vector<Audit> audits;
  for (const Part& part : *parts) {
    Audit audit = audit_of(row, "released", order.act);
    audit.new_mid = parse_mid(part.mid).value_or(row.new_mid);
    audit.fate = part.detail.empty() ? part.fate : part.fate + " " + part.detail;
    audits.push_back(std::move(audit));
  }
  log_release(row, order.act);
  if (Result<void> removed = store.remove(row, audits); !removed) {
    return temporary("it was released as " + std::to_string(row.new_mid) +
                     " but could not be removed: " + removed.failure().text +
                     "; release it again, under the same number it is not sent twice");
  }
  return Released{.still_held_in = {}, .parts = std::move(*parts)};
}

Result<void> delete_message(QuarantineStore& store, uint64_t mid, const Act& act) {
  Result<HeldMessage> held = locked(store, mid);
  if (!held) return held.failure();
  const HeldRow& row = held->row;
  std::vector<Audit> audits;
  for (const Membership& one : row.memberships) {
    audits.push_back(audit_of(row, "deleted", act));
    audits.back().quarantine = one.quarantine;
  }
  if (Result<void> removed = store.remove(row, audits); !removed) return removed;
  LogLines lines;
  for (const std::string& name : row.holders())
    lines.info(mid_text(mid) + " deleted from quarantine " + quoted(name) + " (" + act.why + ")");
  if (row.memberships.size() > 1) lines.info(mid_text(mid) + " deleted from all quarantines");
  return {};
}

Result<void> move_message(QuarantineStore& store, uint64_t mid, std::string_view from, std::string_view to,
                          const Act& act) {
  Result<HeldMessage> held = locked(store, mid);
  if (!held) return held.failure();
  HeldRow& row = held->row;
  const std::vector<std::string> holders = row.holders();
  if (from.empty() && holders.size() != 1)
    return permanent("several quarantines hold it; say --from which one it is to be moved");
  const std::string source = from.empty() ? holders.front() : std::string(from);
  Membership* one = membership(row, source);
  if (one == nullptr) return not_in(row, source);
  if (source == to) return {};
  Result<std::vector<QuarantineSettings>> settings = quarantine_settings();
  if (!settings) return settings.failure();
  Membership moved =
      memberships_of({{std::string(to), one->reason}}, Environment(), now_microseconds(), *settings).front();
  std::erase_if(row.memberships,
                [&](const Membership& each) { return each.quarantine == source || each.quarantine == to; });
  row.memberships.push_back(std::move(moved));
  Audit audit = audit_of(row, "moved", act);
  audit.quarantine = source;
  audit.fate = to;
  if (Result<void> updated = store.update(row, {audit}); !updated) return updated;
  log_info(mid_text(mid) + " moved from quarantine " + quoted(source) + " to " + quoted(to) + " (" + act.why +
           ")");
  return {};
}

}  // namespace postern::quarantine
