// postern-trace - say what postern-smtpd would say to a client, a sender and recipients, and why.
//
//   usage      postern-trace [--listener NAME] [--host NAME] [--local-ip ADDRESS] [--helo NAME] [--user NAME]
//              [--tls] [--score N|none] [--resolver ADDRESS:PORT | --dns FILE] [--json] --ip ADDRESS
//              --from SENDER RECIPIENT...
//   reads      all that smtpd reads of control/; asks the residents that it asks, and counts nothing
//   fd 1 out   each decision in order, with the table, file and line that decided
//   env        POSTERN_HOME                 user   posternd, which root becomes
//   exit       0 all would be taken, 100 something would be refused or wrong usage, 111 put off or not known

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/bind.h"
#include "lib/control.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/program.h"
#include "receipt/address_prefix.h"
#include "receipt/hat_source.h"
#include "smtpd/trace.h"

namespace postern::smtpd {
namespace {

constexpr std::string_view kUsage =
    "usage: postern-trace [--listener NAME] [--host NAME] [--local-ip ADDRESS] [--helo NAME] [--user NAME] "
    "[--tls] [--score N|none] [--resolver ADDRESS:PORT | --dns FILE] [--json] --ip ADDRESS --from SENDER "
    "RECIPIENT...";

struct Order {
  TraceQuestion question;
  bool json = false;
};

std::string without_brackets(std::string_view address) {
  if (address.size() > 1 && address.front() == '<' && address.back() == '>')
    address = address.substr(1, address.size() - 2);
  return std::string(address);
}

bool take_score(std::string_view said, AdmissionTrial& given) {
  given.has_score = true;
  if (said == "none") return true;
  given.score = parse_score(said);
  return given.score.has_value();
}

// False: there is no such option.
bool take_option(std::string_view name, const std::string& value, Order& order, bool& has_sender) {
  TraceQuestion& question = order.question;
  if (name == "--score") return take_score(value, question.given);
  if (name == "--resolver" || name == "--dns") {
    question.given.dns = "postern-dnsq " + std::string(name) + " " + value;
    return true;
  }
  if (name == "--from") {
    has_sender = true;
    question.sender = without_brackets(value);
    return true;
  }
  std::string* const into = name == "--ip"         ? &question.ip
                            : name == "--listener" ? &question.listener
                            : name == "--host"     ? &question.host
                            : name == "--local-ip" ? &question.local_ip
                            : name == "--helo"     ? &question.helo
                            : name == "--user"     ? &question.user
                                                   : nullptr;
  if (into == nullptr) return false;
  *into = value;
  return true;
}

// Nothing: this is not how it is used.
std::optional<Order> parse_order(const std::vector<std::string>& words) {
  const auto has_line_end = [](const std::string& word) {
    return word.find_first_of("\r\n") != std::string::npos;
  };
  if (std::any_of(words.begin(), words.end(), has_line_end)) return std::nullopt;
  Order order;
  bool has_sender = false;
  size_t at = 0;
  for (; at < words.size() && words[at].starts_with("--"); ++at) {
    if (words[at] == "--json" || words[at] == "--tls") {
      (words[at] == "--json" ? order.json : order.question.tls) = true;
      continue;
    }
    if (at + 1 == words.size() || !take_option(words[at], words[at + 1], order, has_sender))
      return std::nullopt;
    ++at;
  }
  for (; at < words.size(); ++at) order.question.recipients.push_back(without_brackets(words[at]));
  if (!has_sender || order.question.recipients.empty() || !parse_address(order.question.ip))
    return std::nullopt;
  return order;
}

int run(int argc, char** argv) {
  const std::optional<Order> order = parse_order({argv + 1, argv + argc});
  if (!order) {
    log_critical("start", std::string(kUsage));
    return 100;
  }
  // The residents answer smtpd's user, and root reads nothing that strangers wrote.
  if (Result<void> left = leave_root("posternd"); !left) {
    log_critical("start", left.failure().text);
    return 111;
  }
  Result<Trace> traced = trace(order->question);
  if (!traced) {
    log_critical("look at the configuration; clients would hear 451 4.3.5", traced.failure().text);
    return 111;
  }
  const std::string text =
      order->json ? trace_json(order->question, *traced) : trace_text(order->question, *traced);
  if (!write_all(1, text, "write")) return 111;
  const int worst = traced->worst_code();
  return worst == 0 ? 0 : worst == 5 ? 100 : 111;
}

}  // namespace
}  // namespace postern::smtpd

int main(int argc, char** argv) {
  return postern::run_program("postern-trace", {}, postern::smtpd::run, argc, argv);
}
