// postern-selftest - send EICAR and GTUBE through the live chain, and see that each is stopped.
//
//   usage      postern-selftest [-q] [--seconds N] [--to ADDRESS] [--virus-quarantine NAME]
//                               [--spam-quarantine NAME]
//   fd 1 out   a line a check: "ok: …", "FAILED: …", "not applicable: …"; with -q nothing unless one failed
//   env        POSTERN_HOME        control    listen, locals, me, stages; service/smtpd/env
//   user       root, or the owner of an instance without the privilege split
//   exit       0 all that could be checked is well, 1 a check failed, 100 wrong use, 111 it could not begin

#include <dirent.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

#include "lib/bind.h"
#include "lib/child.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/program.h"
#include "lib/text.h"
#include "service/init_options.h"
#include "service/selftest_held.h"
#include "service/selftest_message.h"
#include "service/selftest_options.h"
#include "service/selftest_smtp.h"

namespace postern {

namespace {

constexpr std::string_view kDefaultListen = "0.0.0.0:25";
constexpr std::string_view kDefaultStages = "antivirus @antivirus when=released";
constexpr std::string_view kOutsideAddress = "192.0.2.1";  // RFC 5737: no real client has it
constexpr int64_t kPauseMilliseconds = 200;
constexpr int64_t kGraceMilliseconds = 5000;  // for a last look, and to tidy up
constexpr size_t kLogLimitBytes = 16 * 1024 * 1024;
constexpr size_t kLogLines = 6;

enum class Way { smtp, outside };

struct Check {
  TestKind kind = TestKind::eicar;
  Way way = Way::smtp;
  std::string quarantine;             // where it must be held, if it is taken
  std::vector<std::string> scanners;  // the stages that must find it
  std::string marker{};
  bool waiting = false;  // taken, and not yet found
  bool failed = false;
  std::string mid{};  // as the 250 said
  std::string result{};

  [[nodiscard]] std::string name() const {
    return std::string(kind == TestKind::eicar ? "EICAR" : "GTUBE") +
           (way == Way::smtp ? " to the listener" : " from outside");
  }
  void fail(const std::string& why) {
    waiting = false;
    failed = true;
    result = "FAILED: " + name() + ": " + why;
  }
  void pass(const std::string& where) {
    waiting = false;
    result = "ok: " + name() + ": " + where;
  }
};

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// What envdir(8) gives the live smtpd: QMAILQUEUE and its like. No relay client, whatever the caller is.
Environment smtpd_environment() {
  Environment environment = Environment::of_process();
  environment.remove_trusted();
  environment.unset("QMAILQUEUE");
  environment.set("POSTERN_HOME", home_directory());
  const std::string path = home_path("service/smtpd/env");
  const std::unique_ptr<DIR, CloseDirectory> directory{::opendir(path.c_str())};
  while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
    if (entry->d_name[0] == '.') continue;
    Result<std::string> content = read_file(path + "/" + entry->d_name, 64 * 1024);
    if (content) environment.set(entry->d_name, trim(split(*content, '\n').front()));
  }
  for (const char* name : {"TCPREMOTEHOST", "TCPREMOTEINFO", "RELAYCLIENT", "POSTERN_AUTH"})
    environment.unset(name);
  environment.set("TCPREMOTEIP", kOutsideAddress);
  environment.set("TCPREMOTEPORT", "25");
  environment.set("POSTERN_NOTES", "off");  // or its viruses would bring that address into disrepute
  environment.set("TCPLOCALIP", "127.0.0.1");
  return environment;
}

// Mail of the Internet, which no connection of this host can be: an smtpd of our own holds the conversation,
// as the live one's user and with its environment.
Result<SmtpAnswer> send_from_outside(std::string_view recipient, std::string_view message, int64_t deadline) {
  Result<std::optional<Identity>> user = user_of_instance("posternd");
  if (!user) return user.failure();
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    return os_failure("make a socket", errno);
  const Fd ours{ends[0]};
  Fd theirs{ends[1]};
  Result<Fd> log = memory_file("log");
  if (!log) return log.failure();
  ChildOptions options;
  options.arguments = {"postern-smtpd"};
  options.environment = smtpd_environment();
  options.fds = {{theirs.get(), 0}, {theirs.get(), 1}, {log->get(), 2}};
  options.identity = *user ? &**user : nullptr;
  Result<pid_t> child = start_child(options);
  if (!child) return child.failure();
  theirs.reset();
  Result<SmtpAnswer> answer = hand_over(ours.get(), recipient, message, deadline);
  ::kill(-*child, SIGKILL);
  while (::waitpid(*child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return answer;
}

Result<SmtpAnswer> send_to_listener(std::string_view recipient, std::string_view message, int64_t deadline) {
  Result<std::string> listen = control_line_or("listen", kDefaultListen);
  if (!listen) return listen.failure();
  Result<AddressPort> place = parse_address_port(*listen);
  if (!place) return place.failure();
  Result<Fd> socket = connect_to_listener(place->address, place->port, deadline);
  if (!socket) return socket.failure();
  return hand_over(socket->get(), recipient, message, deadline);
}

void send(Check& check, const std::string& recipient, int64_t deadline) {
  check.marker = "postern-selftest-" + std::to_string(make_mid());
  const std::string message = test_message(check.kind, check.marker, recipient);
  Result<SmtpAnswer> answer = check.way == Way::smtp ? send_to_listener(recipient, message, deadline)
                                                     : send_from_outside(recipient, message, deadline);
  if (!answer) return check.fail("the chain does not take mail: " + answer.failure().text);
  if (!answer->of_message) {
    return check.fail("the chain does not take mail: \"" + answer->line() + "\" to " + answer->to);
  }
  if (answer->refused_by_policy()) return check.pass("refused with \"" + answer->line() + "\"");
  if (!answer->accepted()) {
    return check.fail("neither taken nor refused for what it is, but \"" + answer->line() +
                      "\"; does each stage run?");
  }
  check.waiting = true;
  check.mid = answer->text.substr(answer->text.rfind(' ') + 1);
}

void look_for(Check& check, int64_t deadline) {
  Result<std::vector<HeldTest>> held = find_held(check.marker, deadline);
  if (!held) return check.fail("whether it is held cannot be seen: " + held.failure().text);
  if (held->empty()) return;
  const auto right = std::find_if(held->begin(), held->end(),
                                  [&](const HeldTest& one) { return held_in(one, check.quarantine); });
  if (right != held->end()) {
    check.pass("held in quarantine " + check.quarantine + " (" + right->reason + ")");
  } else {
    check.fail("held in quarantine " + held->front().quarantine + " (" + held->front().reason +
               ") and not in " + check.quarantine);
  }
  if (Result<void> deleted = delete_held(*held, now_milliseconds() + kGraceMilliseconds); !deleted)
    check.fail("it was stopped, but is still held: " + deleted.failure().text);
}

void pause() {
  const timespec length{.tv_sec = 0, .tv_nsec = kPauseMilliseconds * 1000000};
  ::nanosleep(&length, nullptr);
}

// What scanq logged of a message, where we may read it; the timestamps taken off.
std::string logged(const std::string& mid) {
  std::string lines;
  size_t count = 0;
  Result<std::string> log = read_file(home_path("log/scanq/current"), kLogLimitBytes);
  if (!log || !parse_mid(mid)) return lines;
  for (const std::string_view line : split(*log, '\n')) {
    if (line.find("MID " + mid) == std::string_view::npos || ++count > kLogLines) continue;
    lines.append("\n  scanq's log: ")
        .append(printable(line.starts_with('@') ? line.substr(std::min<size_t>(26, line.size())) : line));
  }
  return lines;
}

void let_through(Check& check, const std::string& recipient) {
  std::string who;
  for (const std::string& stage : check.scanners) who.append(who.empty() ? "" : ", ").append(stage);
  who = who.empty() ? "control/stages names no stage that looks for viruses"
                    : "it was let through by stage: " + who;
  check.fail("taken, and held nowhere: " + who + "; it went to " + recipient + " as MID " + check.mid +
             ", subject " + check.marker + logged(check.mid));
}

std::vector<Check> checks(const SelftestOptions& options, const std::vector<std::string>& stages) {
  const std::vector<std::string> antivirus = stages_that_scan(stages, false);
  const std::vector<std::string> antispam = stages_that_scan(stages, true);
  std::vector<Check> all;
  for (const Way way : {Way::smtp, Way::outside})
    all.push_back(
        {.kind = TestKind::eicar, .way = way, .quarantine = options.virus_quarantine, .scanners = antivirus});
  // Mail of our own users need not be looked at for spam.
  Check spam{.kind = TestKind::gtube,
             .way = Way::outside,
             .quarantine = options.spam_quarantine,
             .scanners = antispam};
  if (antispam.empty())
    spam.result = "not applicable: " + spam.name() +
                  ": control/stages names no antispam stage, so nothing looks for spam";
  all.push_back(std::move(spam));
  return all;
}

int print(const std::vector<Check>& all, bool quiet) {
  const bool failed = std::any_of(all.begin(), all.end(), [](const Check& check) { return check.failed; });
  if (quiet && !failed) return 0;
  std::string text;
  for (const Check& check : all) text += check.result + "\n";
  if (Result<void> wrote = write_all(1, text, "write"); !wrote) return 111;
  return failed ? 1 : 0;
}

int run(int argc, char** argv) {
  Result<SelftestOptions> options = parse_selftest_options({argv + 1, argv + argc});
  if (!options) {
    log_critical("start", options.failure().text);
    return 100;
  }
  Result<std::string> recipient = options->recipient.empty() ? selftest_recipient() : options->recipient;
  if (!recipient) {
    log_critical("find an address for the test", recipient.failure().text);
    return recipient.failure().permanent() ? 100 : 111;
  }
  Result<std::optional<std::vector<std::string>>> stages = control_list("stages");
  if (!stages) {
    log_critical("read the stages", stages.failure().text);
    return 111;
  }
  std::vector<Check> all =
      checks(*options, stages->value_or(std::vector<std::string>{std::string(kDefaultStages)}));
  const auto total = static_cast<int64_t>(options->seconds) * 1000;
  const int64_t deadline = now_milliseconds() + total;
  // A stage that hangs must not take the other checks' time.
  const auto applicable =
      std::count_if(all.begin(), all.end(), [](const Check& check) { return check.result.empty(); });
  for (Check& check : all) {
    if (check.result.empty()) send(check, *recipient, now_milliseconds() + total / applicable);
  }
  for (;;) {
    for (Check& check : all) {
      if (check.waiting) look_for(check, std::max(deadline, now_milliseconds() + kGraceMilliseconds));
    }
    const bool waiting =
        std::any_of(all.begin(), all.end(), [](const Check& check) { return check.waiting; });
    if (!waiting || now_milliseconds() >= deadline) break;
    pause();
  }
  for (Check& check : all) {
    if (check.waiting) let_through(check, *recipient);
  }
  return print(all, options->quiet);
}

}  // namespace

}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-selftest", {}, postern::run, argc, argv);
}
