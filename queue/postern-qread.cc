// postern-qread - list the messages of the queue; works on any spool that one may read.
//
//   usage      postern-qread [--json] [--spool DIR] [SELECTOR...]
//   fd 1 out   MID, place (new or cur), age in seconds, bytes, tries, seconds to the next try, <sender>, then
//              for each recipient its state letter and <address>; separated by TAB. With --json: an array,
//              an object for each message on a line of its own
//   env        POSTERN_HOME
//   exit       0 done, 100 usage, 111 something could not be read (what could is printed)

#include "lib/control.h"
#include "lib/fd.h"
#include "lib/json_text.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/spool.h"
#include "lib/text.h"
#include "queue/selection.h"

namespace {

using namespace postern;

uint64_t age_of(const QueueEntry& entry) {
  const uint64_t now = now_microseconds();
  return now > entry.queued.born ? (now - entry.queued.born) / 1000000 : 0;
}

std::string as_line(const QueueEntry& entry) {
  const uint64_t seconds = now_microseconds() / 1000000;
  const uint64_t next = entry.attempts.next;
  std::string line = std::to_string(entry.mid) + "\t" + entry.place + "\t" + std::to_string(age_of(entry)) +
                     "\t" + std::to_string(entry.queued.message_size) + "\t" +
                     std::to_string(entry.attempts.tries) + "\t" +
                     std::to_string(next > seconds ? next - seconds : 0) + "\t<" +
                     printable(entry.queued.envelope.sender) + ">";
  for (const size_t rid : entry.selected) {
    line += "\t";
    line += static_cast<char>(entry.state(rid));
    line += " <" + printable(entry.queued.envelope.recipients[rid].address) + ">";
  }
  return line + "\n";
}

std::string_view state_name(RecipientState state) {
  switch (state) {
    case RecipientState::pending:
      return "pending";
    case RecipientState::done:
      return "delivered";
    case RecipientState::failed:
      return "failed";
    case RecipientState::held:
      return "held";
    case RecipientState::removed:
      return "removed";
  }
  return "";
}

Json recipient_json(const QueueEntry& entry, size_t rid, const std::string& me) {
  const std::string& address = entry.queued.envelope.recipients[rid].address;
  const RecipientOrders* orders = entry.orders.of(rid);
  Json object;
  object["rid"] = std::to_string(rid);
  put_bytes(object, "address", address);
  put_bytes(object, "site", site_of(address, me));
  object["state"] = state_name(entry.state(rid));
  object["carried_out"] = entry.state(rid) == entry.queued.states[rid];
  object["route"] = orders != nullptr && !orders->route.empty() ? Json(orders->route) : Json();
  const Turn turn = entry.attempts.turn_of(rid);
  object["tries"] = turn.tries;
  object["next_try"] = turn.tries > 0 ? Json(turn.next) : Json();
  const auto reply = entry.attempts.replies.find(rid);
  if (reply == entry.attempts.replies.end()) {
    object["last_reply"] = Json();
  } else {
    put_bytes(object, "last_reply", reply->second);
  }
  return object;
}

Json as_json(const QueueEntry& entry, const std::string& me) {
  Json object;
  object["mid"] = std::to_string(entry.mid);
  object["place"] = entry.place;
  object["received"] = entry.queued.born / 1000000;
  object["age_seconds"] = age_of(entry);
  object["size_bytes"] = entry.queued.message_size;
  put_bytes(object, "sender", entry.queued.envelope.sender);
  object["tries"] = entry.attempts.tries;
  object["last_try"] = entry.attempts.tries > 0 ? Json(entry.attempts.last) : Json();
  object["next_try"] = entry.attempts.tries > 0 ? Json(entry.attempts.next) : Json();
  object["recipients"] = Json::array();
  for (const size_t rid : entry.selected) object["recipients"].push_back(recipient_json(entry, rid, me));
  return object;
}

// An array that grows as we read, so that a large queue needs no memory.
class Printer {
 public:
  Printer(bool json, std::string me) : json_(json), me_(std::move(me)) {}

  bool print(const QueueEntry& entry) {
    std::string text = json_ ? (first_ ? "[\n" : ",\n") + json_line(as_json(entry, me_)) : as_line(entry);
    first_ = false;
    return note(write_all(1, text, "write"));
  }
  bool finish() {
    if (json_ && written_) note(write_all(1, first_ ? "[]\n" : "\n]\n", "write"));
    return written_;
  }

 private:
  bool note(const Result<void>& wrote) {
    if (!wrote) log_warning("write the list", wrote.failure());
    written_ = written_ && wrote.ok();
    return written_;
  }
  bool json_;
  std::string me_;
  bool first_ = true;
  bool written_ = true;
};

int run(int argc, char** argv) {
  bool json = false;
  Result<Shown> shown = parse_shown("postern-qread", {{"--json", &json}}, {argv + 1, argv + argc});
  if (!shown) {
    log_critical("start", shown.failure().text);
    return 100;
  }
  Result<std::string> me = control_me();
  Printer printer(json, me ? *me : std::string());
  Result<bool> all_read = each_selected(Spool(shown->directory), shown->selection, me ? *me : std::string(),
                                        [&](const QueueEntry& entry) { return printer.print(entry); });
  if (!all_read) {
    log_critical("list the queue", all_read.failure().text);
    return 111;
  }
  return printer.finish() && *all_read ? 0 : 111;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-qread", {}, run, argc, argv);
}
