// postern-spf - say whether an address may send mail of a domain (SPF, RFC 7208).
//
//   args       --ip ADDRESS [--helo NAME] [--from ADDRESS] [--receiver NAME]
//              [--resolver ADDR:PORT | --dns FILE]
//   fd 1 out   RESULT REASON, a line; where the domain explains a "fail", "explanation: TEXT" on a second one
//   env        POSTERN_HOME                 user   posternr, which root becomes
//   control    dnsq, me
//   exit       0 there is a result other than temperror, 100 wrong arguments, 111 temperror

#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "lib/bind.h"
#include "lib/child.h"
#include "lib/control.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/spf.h"
#include "lib/spf_address.h"
#include "lib/text.h"

namespace postern {
namespace {

constexpr int64_t kDeadlineMilliseconds = 20000;  // RFC 7208, 4.6.4: at least that

struct Arguments {
  SpfQuestion question;
  std::string dns_options;
};

Result<Arguments> parse_arguments(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (i + 1 == argc) return permanent("read the arguments: " + printable(name, 40) + " needs a value");
    const std::string value = argv[i + 1];
    if (name == "--ip") {
      arguments.question.ip = value;
    } else if (name == "--helo") {
      arguments.question.helo = value;
    } else if (name == "--from") {
      arguments.question.sender = value;
    } else if (name == "--receiver") {
      arguments.question.receiver = value;
    } else if (name == "--resolver" || name == "--dns") {
      arguments.dns_options.append(" ").append(name).append(" ").append(value);
    } else {
      return permanent(
          "read the arguments: usage: postern-spf --ip ADDRESS [--helo NAME] [--from ADDRESS] "
          "[--receiver NAME] [--resolver ADDR:PORT | --dns FILE]");
    }
  }
  if (!parse_spf_address(arguments.question.ip))
    return permanent("read the arguments: --ip needs an IPv4 or IPv6 address");
  if (arguments.question.helo.empty() && arguments.question.sender.empty())
    return permanent("read the arguments: --from or --helo says which domain is meant");
  return arguments;
}

// A user whom dnsq answers, so that root reads nothing that strangers wrote; an instance without users of its
// own has none.
Result<void> leave_root() {
  struct stat owner {};
  if (::getuid() != 0 || ::stat(home_path("secrets/posternr").c_str(), &owner) < 0 || owner.st_uid == 0)
    return {};
  return become({owner.st_uid, owner.st_gid});
}

int run(int argc, char** argv) {
  Result<Arguments> arguments = parse_arguments(argc, argv);
  if (!arguments) {
    log_critical("start", arguments.failure().text);
    return 100;
  }
  std::string program = "postern-dnsq" + arguments->dns_options;
  if (arguments->dns_options.empty()) {
    if (Result<void> left = leave_root(); !left) {
      log_critical("start", left.failure().text);
      return 111;
    }
    Result<std::string> dns = control_line_or("dnsq", "@dnsq");
    if (!dns) {
      log_critical("start", dns.failure().text);
      return 111;
    }
    program = *dns;
  }
  if (arguments->question.receiver.empty()) {
    if (const Result<std::string> me = control_me()) arguments->question.receiver = *me;
  }
  const SpfAnswer answer =
      check_spf(arguments->question, dns_asker(program, now_milliseconds() + kDeadlineMilliseconds));
  std::string text(spf_word(answer.result));
  text += " " + answer.reason + "\n";
  if (!answer.explanation.empty()) text += "explanation: " + answer.explanation + "\n";
  if (!write_all(1, text, "write the result")) return 111;
  return answer.result == SpfResult::temperror ? 111 : 0;
}

}  // namespace
}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-spf", {}, postern::run, argc, argv);
}
