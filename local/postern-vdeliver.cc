// postern-vdeliver - deliver to a user of a virtual domain, from a .qmail-default: |postern-vdeliver
//
//   postern-vdeliver [--full bounce|defer] [--user NAME] [TABLE]
//
//   fd 0 in    the message: a file, read from its beginning, or a pipe
//   fd 1 out   one line: what was done, or an enhanced status and why not
//   env        DEFAULT, else EXT: the user; HOST, SENDER, RPLINE, DTLINE: as qmail-command(8) has them;
//              QMAILQUEUE takes what is forwarded (default @pickup)
//   files      TABLE.cdb, made by postern-newv; default: mailboxes in the current directory, the domain's
//   home exit       0 done, 100 never (no such user; over quota), 111 try again user       the domain's;
//   never root

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/child.h"
#include "lib/fd.h"
#include "lib/program.h"
#include "lib/text.h"
#include "local/forward.h"
#include "local/maildir.h"
#include "local/outcome.h"
#include "local/virtual_users.h"

namespace postern {
namespace {

constexpr size_t kMessageLimitBytes = size_t{2} * 1024 * 1024 * 1024;
constexpr unsigned kDeathSeconds = 24 * 60 * 60;

struct Order {
  std::string table = "mailboxes";
  std::string user;
  std::string domain;
  std::string sender;
  std::string return_path;
  std::string delivered_to;
  bool full_is_permanent = true;
};

Result<Order> read_order(const std::vector<std::string>& arguments);  // the job, top to bottom:
Result<std::string> deliver(const Order& order);                      //   whose it is
Result<std::string> deliver_to(const Order& order, const VirtualUser& user, int message);
Result<void> make_room(const Order& order, const VirtualUser& user, int message);     //   quota
Result<void> forward(const Order& order, const VirtualUser& user, int message);       //   addresses
Result<std::string> store(const Order& order, const VirtualUser& user, int message);  //   Maildir

std::string variable(const char* name) {
  const char* value = ::getenv(name);
  return value == nullptr ? "" : value;
}

Result<Order> read_order(const std::vector<std::string>& arguments) {
  Order order;
  order.user = variable(::getenv("DEFAULT") != nullptr ? "DEFAULT" : "EXT");
  order.domain = variable("HOST");
  order.sender = variable("SENDER");
  order.return_path = variable("RPLINE");
  order.delivered_to = variable("DTLINE");
  size_t at = 0;
  for (; at + 1 < arguments.size() && arguments[at].starts_with("--"); at += 2) {
    const std::string& value = arguments[at + 1];
    if (arguments[at] == "--user") {
      order.user = value;
    } else if (arguments[at] == "--full" && (value == "bounce" || value == "defer")) {
      order.full_is_permanent = value == "bounce";
    } else {
      return temporary("start: \"" + printable(arguments[at] + " " + value, 100) +
                           "\" should be --full bounce, --full defer or --user NAME",
                       0, "4.3.5");
    }
  }
  if (arguments.size() > at + 1 || (arguments.size() > at && arguments[at].starts_with("--")))
    return temporary("start: postern-vdeliver [--full bounce|defer] [--user NAME] [TABLE]", 0, "4.3.5");
  if (arguments.size() > at) order.table = arguments[at];
  if (order.user.empty())
    return temporary(
        "start: there is no user in DEFAULT or EXT; call it from a .qmail-default, or say --user", 0,
        "4.3.5");
  return order;
}

Result<std::string> deliver(const Order& order) {
  Result<std::optional<VirtualUser>> user = find_virtual_user(order.table + ".cdb", order.user, order.domain);
  if (!user) return user.failure();
  if (!user->has_value() || (*user)->bounces) return permanent("no mailbox here by that name", 0, "5.1.1");
  if ((*user)->deletes) return std::string("deleted, as the table says");
  Result<Fd> message = own_copy(0, kMessageLimitBytes, "read the message");
  if (!message) return message.failure();
  return deliver_to(order, **user, message->get());
}

Result<std::string> deliver_to(const Order& order, const VirtualUser& user, int message) {
  const bool keeps = !user.maildir.empty();
  if (Result<void> ready = keeps ? make_room(order, user, message) : Result<void>(); !ready)
    return ready.failure();
  // Forwards first: each try repeats what was done before a failure, and handing on fails more often (the
  // scanner is away) than writing to a Maildir that is there and has room.
  std::string done;
  if (!user.forwards.empty()) {
    if (Result<void> sent = forward(order, user, message); !sent) return sent.failure();
    done = "forward: " + std::to_string(user.forwards.size()) + " addresses";
  }
  if (!keeps) return done;
  Result<std::string> path = store(order, user, message);
  if (!path) return path;
  return done + (done.empty() ? "" : "; ") + "maildir: " + printable(*path, 4096);
}

// Its users have no way to make it: each part of a path below the domain's home that is missing.
Result<void> make_maildir(const std::string& maildir) {
  if (::access((maildir + "new").c_str(), F_OK) == 0 || !maildir.starts_with("./")) return {};
  for (size_t slash = maildir.find('/', 2); slash != std::string::npos;
       slash = maildir.find('/', slash + 1)) {
    if (::mkdir(maildir.substr(0, slash).c_str(), 0700) < 0 && errno != EEXIST)
      return os_failure("make " + printable(maildir.substr(0, slash)), errno);
  }
  for (const char* part : {"tmp", "cur", "new"}) {
    if (::mkdir((maildir + part).c_str(), 0700) < 0 && errno != EEXIST)
      return os_failure("make " + printable(maildir) + part, errno);
  }
  return {};
}

Result<uint64_t> stored_bytes(const Order& order, int message) {
  Result<size_t> size = file_size(message, "read the message");
  if (!size) return size.failure();
  return *size + order.return_path.size() + order.delivered_to.size();
}

Result<void> make_room(const Order& order, const VirtualUser& user, int message) {
  if (Result<void> made = make_maildir(user.maildir); !made) return made;
  if (!user.quota.limits()) return {};
  Result<uint64_t> bytes = stored_bytes(order, message);
  if (!bytes) return bytes.failure();
  Result<bool> room = has_room(user.maildir, user.quota, *bytes);
  if (!room) return room.failure();
  if (*room) return {};
  if (order.full_is_permanent) return permanent("the mailbox is full", 0, "5.2.2");
  return temporary("deliver: the mailbox is full", 0, "4.2.2");
}

Result<std::string> store(const Order& order, const VirtualUser& user, int message) {
  const std::string first_lines = order.return_path + order.delivered_to;
  Result<uint64_t> bytes = stored_bytes(order, message);
  if (!bytes) return bytes.failure();
  Result<std::string> path = deliver_to_maildir(user.maildir, first_lines, message, SizeInName::yes);
  if (path && user.quota.limits()) {
    // The message is there; a line that is missing is made up for when it is counted anew.
    if (Result<void> counted = count_delivery(user.maildir, *bytes); !counted)
      (void)write_all(2, counted.failure().text + "\n", "say what happened");
  }
  return path;
}

Result<void> forward(const Order& order, const VirtualUser& user, int message) {
  Result<Envelope> envelope = forward_envelope("", order.sender, user.forwards, Notices::expand);
  if (!envelope) return envelope.failure();
  const int64_t deadline = now_milliseconds() + int64_t{kProgramSeconds} * 1000;
  const ForwardParent parent{.mid = variable("POSTERN_MID"),
                             .keep_unsigned = variable("POSTERN_SIGN") == "no"};
  return forward_message(*envelope, order.delivered_to, message, parent, deadline);
}

int run(int argc, char** argv) {
  ::umask(077);
  ::alarm(kDeathSeconds);
  Result<Order> order = read_order({argv + 1, argv + argc});
  if (order && (::getuid() == 0 || ::geteuid() == 0))
    order = temporary("deliver as root; start it as the domain's user", 0, "4.3.5");
  Result<std::string> done = order ? deliver(*order) : order.failure();
  const MailboxOutcome outcome =
      done ? MailboxOutcome{kDelivered, *done, 'r'} : mailbox_outcome_of(done.failure());
  (void)write_all(1, outcome.line + "\n", "say what happened");
  return outcome.exit_code;
}

}  // namespace
}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-vdeliver", {}, postern::run, argc, argv);
}
