#include "scanq/verbs.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>

#include "lib/envelope.h"
#include "lib/next_hop.h"
#include "lib/quarantine_name.h"
#include "lib/text.h"
#include "scanq/edits.h"
#include "scanq/score.h"

namespace postern {

namespace {

constexpr size_t kNoLimit = 65536;
constexpr size_t kNameLimitBytes = 64;
constexpr size_t kReasonLimitBytes = 2048;  // it travels on in arguments
constexpr std::string_view kArchivePrefix = "archive ";

using Arguments = std::vector<std::string>;

bool is_made_of(std::string_view name, std::string_view others, bool small, bool capital) {
  return !name.empty() && name.size() <= kNameLimitBytes &&
         std::all_of(name.begin(), name.end(), [&](char c) {
           return (c >= '0' && c <= '9') || (small && c >= 'a' && c <= 'z') ||
                  (capital && c >= 'A' && c <= 'Z') || others.find(c) != std::string_view::npos;
         });
}

using Problem = std::optional<LineProblem>;

LineProblem wrong(LineFault fault, std::string_view value, std::string_view what) {
  return {fault, "\"" + printable(value, 80) + "\" is no " + std::string(what)};
}

// What no SMTP command line can carry never gets into an envelope.
bool is_address(std::string_view address) {
  return address.size() <= kAddressLimitBytes && std::none_of(address.begin(), address.end(), [](char c) {
           return (c >= 0 && c < ' ') || c == 0x7f;
         });
}

Problem none(const Arguments&) {
  return {};
}

Problem address(const Arguments& arguments) {
  for (const std::string& argument : arguments) {
    if (argument.empty() || !is_address(argument)) return wrong(LineFault::address, argument, "address");
  }
  return {};
}

Problem sender(const Arguments& arguments) {
  if (!is_address(arguments[0])) return wrong(LineFault::address, arguments[0], "address");
  return {};
}

Problem reason(std::string_view argument) {
  if (argument.size() <= kReasonLimitBytes) return {};
  return LineProblem{LineFault::name, "a reason is longer than 2048 bytes"};
}

Problem bounce(const Arguments& arguments) {
  return reason(arguments[0]);
}

Problem tag(const Arguments& arguments) {
  if (!is_made_of(arguments[0], "_", false, true))
    return LineProblem{LineFault::name, "a tag's name is made of A-Z, 0-9 and _"};
  return {};
}

Problem reject(const Arguments& arguments) {
  const std::string_view code = arguments[0];
  if (code.size() != 3 || (code[0] != '4' && code[0] != '5') || !parse_number(code))
    return LineProblem{LineFault::code, "reject takes a reply code 4yz or 5yz"};
  return {};
}

Problem held_in(const Arguments& arguments) {
  if (!is_quarantine_name(arguments[0])) return wrong(LineFault::name, arguments[0], "quarantine's name");
  return reason(arguments[1]);
}

Problem archive(const Arguments& arguments) {
  if (!is_quarantine_name(std::string(kArchivePrefix) + arguments[0]) || !is_quarantine_name(arguments[0]))
    return wrong(LineFault::name, arguments[0], "archive's name");
  return {};
}

Problem hold(const Arguments& arguments) {
  std::string_view until = arguments[0];
  if (until.starts_with('+')) until.remove_prefix(1);
  const std::optional<uint64_t> seconds = parse_number(until);
  if (!seconds || *seconds >> 40 != 0)
    return LineProblem{LineFault::number, "hold takes seconds since 1970, or +SECONDS from now"};
  return reason(arguments[1]);
}

Problem header_name(const Arguments& arguments) {
  const Result<void> checked =
      check_header(arguments[0], arguments.size() > 1 ? arguments[1] : std::string());
  if (checked) return {};
  return LineProblem{LineFault::field, checked.failure().text};
}

Problem name(const Arguments& arguments) {
  if (!is_made_of(arguments[0], "_-", true, true))
    return wrong(LineFault::name, arguments[0], "name of A-Z, a-z, 0-9, - and _");
  return {};
}

Problem split_off(const Arguments& arguments) {
  if (Problem problem = name(arguments)) return problem;
  return address(Arguments(arguments.begin() + 1, arguments.end()));
}

Problem route(const Arguments& arguments) {
  if (!is_next_hop(arguments[0]))
    return wrong(LineFault::host, arguments[0],
                 "HOST, HOST:PORT, lmtp:HOST:PORT, lmtp:/PATH, USEDNS or /dev/null");
  return address(Arguments(arguments.begin() + 1, arguments.end()));
}

Problem source(const Arguments& arguments) {
  in6_addr binary{};
  if (::inet_pton(AF_INET, arguments[0].c_str(), &binary) != 1 &&
      ::inet_pton(AF_INET6, arguments[0].c_str(), &binary) != 1 &&
      !is_made_of(arguments[0], "_-", true, true))
    return wrong(LineFault::host, arguments[0], "IP address, and no name of a pool of control/altsrchost");
  return {};
}

Problem notify(const Arguments& arguments) {
  if (Problem problem = name(arguments)) return problem;
  return address({arguments[1]});
}

Problem score(const Arguments& arguments) {
  if (!parse_points(arguments[0])) return wrong(LineFault::number, arguments[0], "number of points");
  if (!is_made_of(arguments[1], "_-.", true, true)) return wrong(LineFault::name, arguments[1], "symbol");
  return {};
}

struct Rule {
  std::string_view word;
  VerdictVerb verb;
  size_t least;
  size_t most;
  Problem (*check)(const Arguments& arguments);
};
constexpr std::array kRules = {
    Rule{"archive", VerdictVerb::archive, 1, 1, archive},
    Rule{"bcc", VerdictVerb::bcc, 1, 1, address},
    Rule{"bounce", VerdictVerb::bounce, 1, 1, bounce},
    Rule{"bounce-profile", VerdictVerb::bounce_profile, 1, 1, name},
    Rule{"copy-quarantine", VerdictVerb::copy_quarantine, 2, 2, held_in},
    Rule{"defer", VerdictVerb::defer, 1, 1, none},
    Rule{"drop", VerdictVerb::drop, 1, 1, none},
    Rule{"header-add", VerdictVerb::header_add, 2, 2, header_name},
    Rule{"header-remove", VerdictVerb::header_remove, 1, 1, header_name},
    Rule{"hold", VerdictVerb::hold, 2, 2, hold},
    Rule{"log", VerdictVerb::log, 1, 1, none},
    Rule{"message", VerdictVerb::message, 0, 0, none},
    Rule{"notify", VerdictVerb::notify, 2, 2, notify},
    Rule{"quarantine", VerdictVerb::quarantine, 2, 2, held_in},
    Rule{"recipient-add", VerdictVerb::recipient_add, 1, 1, address},
    Rule{"recipient-remove", VerdictVerb::recipient_remove, 1, 1, address},
    Rule{"recipient-replace", VerdictVerb::recipient_replace, 2, 2, address},
    Rule{"reject", VerdictVerb::reject, 2, 2, reject},
    Rule{"route", VerdictVerb::route, 1, kNoLimit, route},
    Rule{"score", VerdictVerb::score, 3, 3, score},
    Rule{"sender", VerdictVerb::sender, 1, 1, sender},
    Rule{"skip", VerdictVerb::skip, 1, 1, name},
    Rule{"source", VerdictVerb::source, 1, 1, source},
    Rule{"split", VerdictVerb::split, 2, kNoLimit, split_off},
    Rule{"stop", VerdictVerb::stop, 0, 0, none},
    Rule{"tag", VerdictVerb::tag, 2, 2, tag},
};

std::string how_many(const Rule& rule) {
  return rule.most == kNoLimit ? std::to_string(rule.least) + " or more" : std::to_string(rule.least);
}

}  // namespace

CheckedLine check_line(const VerdictLine& line) {
  const auto rule =
      std::find_if(kRules.begin(), kRules.end(), [&](const Rule& r) { return r.word == line.verb; });
  if (rule == kRules.end()) {
    if (line.may_ignore) return {VerdictVerb::ignored, {}};
    return {VerdictVerb::ignored,
            LineProblem{LineFault::verb, "unknown verb \"" + printable(line.verb, 40) + "\""}};
  }
  if (line.arguments.size() < rule->least || line.arguments.size() > rule->most) {
    return {rule->verb,
            LineProblem{LineFault::count, "\"" + line.verb + "\" takes " + how_many(*rule) + " arguments"}};
  }
  Problem problem = rule->check(line.arguments);
  if (problem) problem->text = line.verb + ": " + problem->text;
  return {rule->verb, std::move(problem)};
}

}  // namespace postern
