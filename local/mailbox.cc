#include "local/mailbox.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lib/child.h"
#include "lib/text.h"
#include "local/dot_qmail.h"
#include "local/dot_qmail_file.h"
#include "local/forward.h"
#include "local/maildir.h"
#include "local/mbox.h"
#include "local/program_line.h"
#include "local/trace_fields.h"

namespace postern {

namespace {

constexpr mode_t kForbiddenHomeBits = S_IWOTH;  // whoever may write the home may write where mail goes
constexpr size_t kLineLimitBytes = 4000;        // postern-lspawn takes a little more

// What is to be done, found before any of it is done.
struct Plan {
  DotQmailFile file;
  DotQmail orders;
  std::string delivered_to;  // the lines that are put in front
  std::string return_path;
};

struct Progress {
  std::vector<std::string> done;  // what was done, in words
  std::vector<std::string> forwards;
  bool forwarded = false;
  int64_t started = now_milliseconds();
};

Result<void> enter_home(const std::string& home) {
  const std::string shown = printable(home);
  if (home.empty() || home.front() != '/')
    return temporary("enter the home \"" + shown + "\": it must begin with /", 0, "4.3.5");
  if (::chdir(home.c_str()) < 0) return os_failure("enter the home " + shown, errno);
  struct stat status {};
  if (::stat(".", &status) < 0) return os_failure("look at the home " + shown, errno);
  if ((status.st_mode & kForbiddenHomeBits) != 0) {
    return temporary("use the home " + shown + ": everybody may write there; chmod o-w it", 0, "4.7.0");
  }
  // As qmail has it: an owner who changes his instructions sets this bit and mail waits.
  if ((status.st_mode & S_ISVTX) != 0) {
    return temporary(
        "use the home " + shown + ": it is sticky, its owner is at work there; chmod -t it when done", 0,
        "4.2.1");
  }
  return {};
}

Result<Plan> make_plan(const MailboxDelivery& delivery) {
  Plan plan;
  Result<DotQmailFile> file = find_dot_qmail(delivery.dash, delivery.ext);
  if (!file) return file.failure();
  plan.file = std::move(*file);
  plan.delivered_to = delivered_to_line(delivery.local, delivery.domain);
  plan.return_path = return_path_line(delivery.sender);
  // An empty file means the default even where it is executable.
  const bool is_default = plan.file.text.empty();
  Result<DotQmail> orders =
      is_default ? parse_dot_qmail(delivery.default_delivery, "the default delivery", false)
                 : parse_dot_qmail(plan.file.text, printable(delivery.home + "/" + plan.file.name),
                                   plan.file.forward_only);
  if (!orders) return orders.failure();
  if (is_default && orders->instructions.empty()) {
    return temporary("deliver to \"" + printable(delivery.default_delivery, 80) +
                         "\": the default delivery names no place; write ./Maildir/",
                     0, "4.3.5");
  }
  plan.orders = std::move(*orders);
  return plan;
}

// "./Maildir/" as a path from the root, for the one who reads the log.
std::string from_root(const MailboxDelivery& delivery, std::string_view path) {
  if (path.starts_with('/')) return std::string(path);
  if (path.starts_with("./")) path.remove_prefix(2);
  return delivery.home + (delivery.home.ends_with('/') ? "" : "/") + std::string(path);
}

Result<void> to_maildir(const MailboxDelivery& delivery, const Plan& plan, const std::string& path,
                        int message, Progress& progress) {
  Result<std::string> at =
      deliver_to_maildir(from_root(delivery, path), plan.return_path + plan.delivered_to, message);
  if (!at) return at.failure();
  progress.done.push_back("maildir: " + printable(*at, 4096));
  return {};
}

Result<void> to_mbox(const MailboxDelivery& delivery, const Plan& plan, const std::string& path, int message,
                     Progress& progress) {
  const std::string from = mbox_from_line(delivery.sender, now_microseconds() / 1000000);
  Result<std::string> at =
      deliver_to_mbox(from_root(delivery, path), from + plan.return_path + plan.delivered_to, message);
  if (!at) return at.failure();
  progress.done.push_back("mbox: " + printable(*at, 4096));
  return {};
}

Result<std::string> sender_of_forwards(const MailboxDelivery& delivery) {
  return forward_sender(delivery.sender, delivery.local, delivery.dash, delivery.ext, delivery.domain);
}

Result<ProgramEnd> to_program(const MailboxDelivery& delivery, const Plan& plan, const std::string& line,
                              int message, Progress& progress) {
  Result<std::string> sender = sender_of_forwards(delivery);
  if (!sender) return sender.failure();
  const int64_t deadline = progress.started + int64_t{delivery.program_seconds} * 1000;
  Result<ProgramEnd> end = run_program_line(line, program_environment(delivery, *sender, plan.file.matched),
                                            message, deadline, delivery.program_memory_bytes);
  if (end) progress.done.push_back("program: " + printable(line, 200));
  return end;
}

// A mailbox that most likely can be written.
bool seems_ready(const std::string& path, Action action) {
  if (action == Action::mbox) return ::access(path.c_str(), W_OK) == 0 || errno == ENOENT;
  return ::access((path + "tmp").c_str(), W_OK) == 0 && ::access((path + "new").c_str(), W_OK) == 0;
}

// Each try of a message repeats what was done before the failure. Handing on fails more often (the scanner is
// away) than writing to a mailbox that is there, so it is first; but a program may have
// a say in what is forwarded.
bool forwards_first(const MailboxDelivery& delivery, const Plan& plan) {
  const std::vector<Instruction>& orders = plan.orders.instructions;
  return std::all_of(orders.begin(), orders.end(), [&](const Instruction& order) {
    return order.action == Action::forward ||
           (order.action != Action::program && seems_ready(from_root(delivery, order.text), order.action));
  });
}

void collect_forwards(const Plan& plan, Progress& progress) {
  for (const Instruction& order : plan.orders.instructions) {
    if (order.action == Action::forward) progress.forwards.push_back(order.text);
  }
}

// Everything but the forwards, which are collected where they have not gone yet; a program may stop it.
Result<void> carry_out(const MailboxDelivery& delivery, const Plan& plan, int message, Progress& progress) {
  for (const Instruction& order : plan.orders.instructions) {
    Result<void> did;
    switch (order.action) {
      case Action::forward:
        if (!progress.forwarded) progress.forwards.push_back(order.text);
        break;
      case Action::maildir:
        did = to_maildir(delivery, plan, order.text, message, progress);
        break;
      case Action::mbox:
        did = to_mbox(delivery, plan, order.text, message, progress);
        break;
      case Action::program: {
        Result<ProgramEnd> end = to_program(delivery, plan, order.text, message, progress);
        if (!end) return end.failure();
        if (*end == ProgramEnd::done_stop_here) return {};
        break;
      }
    }
    if (!did) return did;
  }
  return {};
}

// What send is told became of the recipient, for the sender's wish to know (RFC 3461, 5.2.7). Without a wish
// "delivered" says as much, and is what every reader of reports knows.
struct Expansion {
  Notices notices;
  char letter;
};

Expansion expansion_of(const MailboxDelivery& delivery, const Plan& plan, bool own_sender) {
  if (own_sender) return {Notices::keep, 'r'};
  const bool one = plan.orders.instructions.size() == 1 && !plan.orders.list;
  const Notices notices = one ? Notices::pass_on : Notices::expand;
  if (!delivery.has_extras) return {notices, 'r'};
  return {notices, one ? 'p' : 'e'};
}

Result<char> forward_all(const MailboxDelivery& delivery, const Plan& plan, int message, Progress& progress) {
  if (progress.forwards.empty()) return 'r';
  Result<std::string> sender = sender_of_forwards(delivery);
  if (!sender) return sender.failure();
  const Expansion expansion = expansion_of(delivery, plan, *sender != delivery.sender);
  Result<Envelope> envelope =
      forward_envelope(delivery.extras, *sender, progress.forwards, expansion.notices);
  if (!envelope) return envelope.failure();
  const int64_t deadline = progress.started + (int64_t{delivery.program_seconds} + kOtherSeconds) * 1000;
  Result<void> sent =
      forward_message(*envelope, plan.delivered_to, message,
                      {.mid = delivery.mid, .keep_unsigned = delivery.keep_unsigned}, deadline);
  if (!sent) return sent.failure();
  const std::string to = envelope->recipients.size() == 1
                             ? printable(envelope->recipients.front().address)
                             : std::to_string(envelope->recipients.size()) + " addresses";
  progress.done.push_back("forward: " + to);
  return expansion.letter;
}

Result<char> carry_out_and_forward(const MailboxDelivery& delivery, const Plan& plan, int message,
                                   Progress& progress) {
  Result<char> letter = 'r';
  if (forwards_first(delivery, plan)) {
    collect_forwards(plan, progress);
    letter = forward_all(delivery, plan, message, progress);
    if (!letter) return letter;
    progress.forwarded = true;
  }
  if (Result<void> did = carry_out(delivery, plan, message, progress); !did) return did.failure();
  return progress.forwarded ? letter : forward_all(delivery, plan, message, progress);
}

Result<MailboxOutcome> deliver_in_home(const MailboxDelivery& delivery, int message) {
  if (Result<void> entered = enter_home(delivery.home); !entered) return entered.failure();
  Result<Plan> plan = make_plan(delivery);
  if (!plan) return plan.failure();
  Result<bool> looping = header_has_line(message, plan->delivered_to);
  if (!looping) return looping.failure();
  if (*looping) return permanent("this message is looping: it already has my Delivered-To line", 0, "5.4.6");
  Progress progress;
  Result<char> letter = carry_out_and_forward(delivery, *plan, message, progress);
  if (!letter) return letter.failure();
  MailboxOutcome outcome{.exit_code = kDelivered, .line = {}, .letter = *letter};
  for (const std::string& part : progress.done) {
    if (outcome.line.size() + part.size() > kLineLimitBytes) continue;
    outcome.line.append(outcome.line.empty() ? "" : "; ").append(part);
  }
  if (outcome.line.empty()) outcome.line = "nothing: the instructions are comments alone";
  return outcome;
}

}  // namespace

Result<MailboxDelivery> mailbox_delivery_of(const std::vector<std::string>& arguments) {
  if (arguments.size() != 8) {
    return temporary("read the arguments: USER HOME LOCAL DASH EXT DOMAIN SENDER DEFAULTDELIVERY are eight",
                     0, "4.3.5");
  }
  MailboxDelivery delivery;
  delivery.user = arguments[0];
  delivery.home = arguments[1];
  delivery.local = arguments[2];
  delivery.dash = arguments[3];
  delivery.ext = arguments[4];
  delivery.domain = arguments[5];
  delivery.sender = arguments[6];
  delivery.default_delivery = arguments[7];
  return delivery;
}

MailboxOutcome deliver_to_mailbox(const MailboxDelivery& delivery, int message) {
  Result<MailboxOutcome> outcome = deliver_in_home(delivery, message);
  return outcome ? *outcome : mailbox_outcome_of(outcome.failure());
}

Result<std::string> describe_delivery(const MailboxDelivery& delivery) {
  static constexpr auto kName = [](Action action) {
    switch (action) {
      case Action::program:
        return "program ";
      case Action::forward:
        return "forward ";
      case Action::mbox:
        return "mbox ";
      default:
        return "maildir ";
    }
  };
  if (Result<void> entered = enter_home(delivery.home); !entered) return entered.failure();
  Result<Plan> plan = make_plan(delivery);
  if (!plan) return plan.failure();
  Result<std::string> sender = sender_of_forwards(delivery);
  if (!sender) return sender;
  std::string text = "file " + (plan->file.name.empty() ? "none" : printable(plan->file.name)) + "\n";
  if (*sender != delivery.sender) text += "newsender " + printable(*sender) + "\n";
  for (const Instruction& order : plan->orders.instructions)
    text += kName(order.action) + printable(order.text, 1000) + "\n";
  return text;
}

}  // namespace postern
