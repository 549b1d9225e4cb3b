// postern-qctl - order something for messages of the queue: postern-send carries it out.
//
//   usage      postern-qctl [--dry-run] flush|hold|release|remove|bounce SELECTOR...
//              postern-qctl [--dry-run] reroute NEXT-HOP|- SELECTOR...
//   fd 1 out   a line for each recipient: VERB, MID, RID, <address>, separated by TAB; a last line with the
//              sums
//   files      lines appended to queue/defer/S/MID, synced before they are said to be ordered; queue/wake
//   env        POSTERN_HOME, SUDO_USER
//   user       posternq; root becomes it
//   exit       0 ordered, or nothing to order; 100 usage; 111 something could not be read or ordered

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "lib/control.h"
#include "lib/log.h"
#include "lib/owner.h"
#include "lib/program.h"
#include "lib/text.h"
#include "queue/defer_log.h"
#include "queue/selection.h"
#include "queue/wake.h"

namespace {

using namespace postern;

constexpr int kFullMilliseconds = 10000;  // for postern-send to read what stands in the FIFO

constexpr std::string_view kUsage =
    "usage: postern-qctl [--dry-run] flush|hold|release|remove|bounce SELECTOR..., or postern-qctl "
    "[--dry-run] reroute HOST[:PORT]|- SELECTOR...; ";

struct Command {
  bool dry_run = false;
  Order order;  // without recipients
  Selection selection;
};

// Who asks, for the log: one word.
std::string name_of_caller() {
  const char* sudo = ::getenv("SUDO_USER");
  const struct passwd* entry = ::getpwuid(::getuid());
  std::string name = sudo != nullptr && ::getuid() == 0 ? sudo
                     : entry != nullptr                 ? entry->pw_name
                                                        : "uid" + std::to_string(::getuid());
  name = printable(name, 64);
  for (char& c : name) c = c == ' ' ? '_' : c;
  return name.empty() ? "unknown" : name;
}

Result<Command> parse_command(std::vector<std::string> arguments) {
  Command command;
  std::optional<Verb> verb;
  while (!arguments.empty()) {
    Result<bool> selector = take_selector(arguments, command.selection);
    if (!selector) return selector.failure();
    if (*selector) continue;
    const std::string word = arguments.front();
    arguments.erase(arguments.begin());
    if (word == "--dry-run") {
      command.dry_run = true;
      continue;
    }
    if (verb || !(verb = parse_verb(word))) return permanent(std::string(kUsage).append(kSelectors));
    command.order.verb = *verb;
    if (*verb != Verb::reroute) continue;
    if (arguments.empty() || !is_route(arguments.front())) {
      return permanent(
          "reroute needs HOST, HOST:PORT (an IPv6 address in brackets), lmtp:HOST:PORT, lmtp:/PATH, USEDNS "
          "or /dev/null, several with commas between them; or - for none any more");
    }
    command.order.route = arguments.front();
    arguments.erase(arguments.begin());
  }
  if (!verb) return permanent(std::string(kUsage).append(kSelectors));
  if (command.selection.empty()) return permanent("name a selector, or --all for every message");
  command.order.who = name_of_caller();
  return command;
}

// Would the order change anything for this recipient?
bool is_open_to(const Order& order, const QueueEntry& entry, size_t rid) {
  const RecipientState state = entry.state(rid);
  const RecipientOrders* orders = entry.orders.of(rid);
  switch (order.verb) {
    case Verb::flush:
    case Verb::hold:
      return state == RecipientState::pending;
    case Verb::release:
      return state == RecipientState::held;
    case Verb::remove:
    case Verb::bounce:
      return state == RecipientState::pending || state == RecipientState::held;
    case Verb::reroute:
      return (state == RecipientState::pending || state == RecipientState::held) &&
             (orders == nullptr ? std::string() : orders->route) != (order.route == "-" ? "" : order.route);
  }
  return false;
}

class Orderer {
 public:
  explicit Orderer(const Command& command)
      : command_(command), spool_(home_path("queue")), wake_(home_path("queue")) {}

  bool take(const QueueEntry& entry);
  // Makes what was ordered durable, then says it.
  int finish(bool all_read);
  [[nodiscard]] const Spool& spool() const { return spool_; }

 private:
  Result<void> append(uint64_t mid, const std::vector<size_t>& rids);
  [[nodiscard]] bool still_there(uint64_t mid) const;

  const Command& command_;
  Spool spool_;
  WakeWriter wake_;
  std::string said_;
  size_t messages_ = 0;
  size_t recipients_ = 0;
  bool failed_ = false;
};

bool Orderer::take(const QueueEntry& entry) {
  std::vector<size_t> rids;
  for (const size_t rid : entry.selected) {
    if (is_open_to(command_.order, entry, rid)) rids.push_back(rid);
  }
  if (rids.empty()) return true;
  if (!command_.dry_run) {
    if (Result<void> appended = append(entry.mid, rids); !appended) {
      log_warning("order it for MID " + std::to_string(entry.mid), appended.failure());
      failed_ = true;
      wake_.wake(entry.mid);  // an empty file may stand there now, which must go with the message
      return true;
    }
    // It was finished between our look and our order: what we wrote would stay there alone.
    if (!still_there(entry.mid)) {
      ::unlink(spool_.path("defer", entry.mid).c_str());
      return true;
    }
    if (!wake_.wake_surely(entry.mid, kFullMilliseconds)) {
      log_warning("tell postern-send of MID " + std::to_string(entry.mid),
                  "queue/wake stays full; it will meet the order when it opens the message next");
      failed_ = true;
    }
  }
  ++messages_;
  recipients_ += rids.size();
  const std::string verb = (command_.dry_run ? "would " : "") + std::string(verb_name(command_.order.verb));
  for (const size_t rid : rids) {
    said_ += verb + "\t" + std::to_string(entry.mid) + "\t" + std::to_string(rid) + "\t<" +
             printable(entry.queued.envelope.recipients[rid].address, kAddressLimitBytes) + ">\n";
  }
  return true;
}

Result<void> Orderer::append(uint64_t mid, const std::vector<size_t>& rids) {
  const std::string path = spool_.path("defer", mid);
  const Result<Fd> file = lock_defer_log(path);
  if (!file) return file.failure();
  Order order = command_.order;
  order.time = now_microseconds() / 1000000;
  order.rids = to_ranges(rids);
  return write_all(file->get(), order_line(order), "write " + path);
}

// In the order in which a message moves.
bool Orderer::still_there(uint64_t mid) const {
  return ::access(spool_.path("new", mid).c_str(), F_OK) == 0 ||
         ::access(spool_.path("cur", mid).c_str(), F_OK) == 0;
}

int Orderer::finish(bool all_read) {
  if (messages_ > 0 && !command_.dry_run) {
    const Fd directory{::open(spool_.directory().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!directory || ::syncfs(directory.get()) < 0) {
      log_critical("make the orders durable", os_failure("syncfs " + spool_.directory(), errno).text);
      return 111;
    }
  }
  if (!command_.dry_run && command_.order.verb == Verb::flush && command_.selection.only_all() &&
      !wake_.wake_surely(kResetSites, kFullMilliseconds)) {
    log_warning("reset the limits of destinations", "queue/wake stays full; order it again");
    failed_ = true;
  }
  said_ += messages_ == 0
               ? "nothing to " + std::string(verb_name(command_.order.verb)) + "\n"
               : std::to_string(recipients_) + " recipients of " + std::to_string(messages_) + " messages\n";
  if (!write_all(1, said_, "write")) return 111;
  return all_read && !failed_ ? 0 : 111;
}

int run(int argc, char** argv) {
  ::umask(077);
  Result<Command> command = parse_command({argv + 1, argv + argc});
  if (!command) {
    log_critical("start", command.failure().text);
    return 100;
  }
  Orderer orderer(*command);
  Result<void> became = become_owner(orderer.spool().directory());
  Result<std::string> me = control_me();
  for (const Failure* failure : {became ? nullptr : &became.failure(), me ? nullptr : &me.failure()}) {
    if (failure == nullptr) continue;
    log_critical("start", failure->text);
    return 111;
  }
  Result<bool> all_read = each_selected(orderer.spool(), command->selection, *me,
                                        [&](const QueueEntry& entry) { return orderer.take(entry); });
  if (!all_read) log_critical("list the queue", all_read.failure().text);
  const int code = orderer.finish(all_read && *all_read);
  return all_read ? code : 111;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-qctl", {}, run, argc, argv);
}
