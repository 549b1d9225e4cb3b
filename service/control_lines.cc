#include "service/control_lines.h"

#include <arpa/inet.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <vector>

#include "lib/control.h"
#include "lib/dkim_table.h"
#include "lib/inner_addresses.h"
#include "lib/quarantine_settings.h"
#include "lib/sender_exceptions.h"
#include "lib/smtproutes.h"
#include "lib/text.h"
#include "lib/unsubscribe_list.h"
#include "service/check_auth.h"
#include "service/init_options.h"

namespace postern {

namespace {

bool is_host(std::string_view text) {
  return !text.empty() && text.size() <= 253 && text.find_first_of(" \t@:/") == std::string_view::npos;
}

// "read FILE line N: WHY" to WHY.
std::string after_colon(const std::string& text) {
  return text.substr(std::min(text.find(": "), text.size() - 2) + 2);
}

// A rule of tcprules(1): smtpd looks for the address and for prefixes of it, as text.
std::string problem_of_tcp_rule(std::string_view line) {
  const size_t end = std::min(line.find(":allow"), line.find(":deny"));
  if (end == std::string_view::npos) return "is no rule; write ADDRESS:allow or ADDRESS:deny";
  const std::string key{line.substr(0, end)};
  static constexpr std::string_view kNever = "is never met: ";
  if (key.find_first_of("=@") != std::string::npos)
    return std::string(kNever) +
           "smtpd asks nobody for the client's host name or user; write the address, or a prefix of it";
  if (key.find('/') != std::string::npos)
    return std::string(kNever) + "a network is written as a prefix; write 192.0.2. or 2001:db8:";
  if (key.empty() || key.ends_with('.') || key.ends_with(':') || key.find('-') != std::string::npos)
    return "";
  const int family = key.find(':') == std::string::npos ? AF_INET : AF_INET6;
  std::array<unsigned char, sizeof(in6_addr)> address{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_pton(family, key.c_str(), address.data()) != 1)
    return std::string(kNever) + "it is no address; write one, or a prefix that ends with a dot or a colon";
  ::inet_ntop(family, address.data(), text.data(), text.size());
  return key == text.data() ? ""
                            : std::string(kNever) + "addresses are compared as text; write " + text.data();
}

// The words of postern-antivirus(8); what stands behind an action it checks itself when it loads the file.
std::string problem_of_antivirus_line(std::string_view line) {
  static constexpr std::array<std::string_view, 7> kVerdicts = {
      "clean", "infected", "encrypted", "unscannable", "limit", "error", "rar"};
  static constexpr std::array<std::string_view, 3> kDirections = {"in", "out", "local"};
  struct Action {
    std::string_view word;
    size_t least;  // words behind it
    size_t most;
  };
  static constexpr size_t kAny = 10000;
  static constexpr std::array<Action, 14> kActions = {{{"repair", 0, 0},
                                                       {"replace", 0, 0},
                                                       {"subject", 1, kAny},
                                                       {"header", 2, kAny},
                                                       {"redirect", 1, 1},
                                                       {"route", 1, 1},
                                                       {"archive", 1, kAny},
                                                       {"notify", 2, 2},
                                                       {"stop", 0, 0},
                                                       {"pass", 0, 0},
                                                       {"quarantine", 1, kAny},
                                                       {"reject", 0, kAny},
                                                       {"defer", 0, kAny},
                                                       {"delete", 0, 0}}};
  const std::vector<std::string_view> all = words(line);
  const std::string_view verdict = all[0].substr(0, all[0].find('@'));
  if (std::find(kVerdicts.begin(), kVerdicts.end(), verdict) == kVerdicts.end())
    return "names no verdict; begin it with clean, infected, encrypted, unscannable, limit, error or rar";
  if (verdict.size() < all[0].size()) {
    for (const std::string_view direction : split(all[0].substr(verdict.size() + 1), ','))
      if (std::find(kDirections.begin(), kDirections.end(), direction) == kDirections.end())
        return "names no direction; write in, out or local behind the @";
  }
  const auto action = std::find_if(kActions.begin(), kActions.end(), [&](const Action& known) {
    return all.size() > 1 && known.word == all[1];
  });
  if (action == kActions.end()) return "names no action; postern-antivirus(8) lists them";
  const size_t behind = all.size() - 2;
  return behind >= action->least && behind <= action->most
             ? ""
             : "has too much or too little behind its action; see postern-antivirus(8)";
}

}  // namespace

std::string problem_of_line(Form form, std::string_view line) {
  switch (form) {
    case Form::number:
      return parse_number(line) ? "" : "is not a number; write decimal digits only";
    case Form::scanning:
      return line == "inline" || line == "deferred" ? "" : "is not known; write inline or deferred";
    case Form::host:
      return is_host(line) ? "" : "is not a host name; write one without spaces";
    case Form::domains:
      return is_host(line) ? "" : "is not a domain; write one a line, \".example.org\" for all below it";
    case Form::address_port:
      return parse_address_port(line).ok() ? "" : "is not ADDR:PORT; write 127.0.0.1:25 or [::1]:25";
    case Form::dkim: {
      const Result<DkimTable> parsed = DkimTable::parse(line, "it");
      return parsed ? "" : "is no line of control/dkim: " + after_colon(parsed.failure().text);
    }
    case Form::signed_headers: {
      const auto parsed = parse_signed_headers(line, "it");
      return parsed ? "" : "is no list of header fields: " + after_colon(parsed.failure().text);
    }
    case Form::mail_address: {
      const size_t at = line.find('@');
      const bool whole = at != 0 && at != std::string_view::npos && is_host(line.substr(at + 1)) &&
                         line.find_first_of(" \t<>()") == std::string_view::npos;
      return whole ? "" : "is no address; write one user@domain";
    }
    case Form::unsubscribed: {
      std::vector<std::string> problems;
      UnsubscribeList::parse(line, problems);
      return problems.empty() ? ""
                              : "is no entry; write user@domain, @domain, @.domain, user@ or an IP address";
    }
    case Form::networks:
      return Networks::parse({std::string(line)}, "it")
                 ? ""
                 : "is no network; write 192.0.2.1, 192.0.2.0/24 or fd00::/8";
    case Form::drop_or_bounce:
      return line == "drop" || line == "bounce" ? "" : "is neither of two words; write drop or bounce";
    case Form::directory: {
      struct stat status {};
      const bool there = ::stat(std::string(line).c_str(), &status) == 0 && S_ISDIR(status.st_mode);
      return there ? "" : "is not a directory; make it, or name the right one";
    }
    case Form::families: {
      const std::vector<std::string_view> family = words(line);
      const bool known = std::all_of(family.begin(), family.end(), [](std::string_view word) {
        return equal_ignoring_case(word, "ipv4") || equal_ignoring_case(word, "ipv6");
      });
      const bool twice = family.size() == 2 && equal_ignoring_case(family[0], family[1]);
      return known && !twice && !family.empty() && family.size() <= 2
                 ? ""
                 : "is no order of address families; write \"ipv6 ipv4\", \"ipv4 ipv6\", \"ipv4\" or "
                   "\"ipv6\"";
    }
    case Form::tls_version:
      for (const std::string_view version : {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"})
        if (equal_ignoring_case(line, version)) return "";
      return "is no version of TLS; write TLSv1.2 or TLSv1.3 (TLSv1 and TLSv1.1 are broken)";
    case Form::tlsd_version:
      for (const std::string_view version : {"TLSv1.2", "TLSv1.3"})
        if (equal_ignoring_case(line, version)) return "";
      return "is no version of TLS that is served; write TLSv1.2 or TLSv1.3";
    case Form::file: {
      struct stat status {};
      const bool there = ::stat(std::string(line).c_str(), &status) == 0 && S_ISREG(status.st_mode);
      return there ? "" : "is no file; write the absolute path of one";
    }
    case Form::send_or_refuse:
      return line == "send" || line == "refuse" ? "" : "is neither of two words; write send or refuse";
    case Form::warn_or_error:
      return line == "warn" || line == "error" ? "" : "is neither of two words; write warn or error";
    case Form::heuristics:
      for (const std::string_view word : words(line)) {
        static constexpr std::array kWords = {"none",       "broken",      "brokenmedia", "macros",
                                              "partitions", "cloakedurls", "sslmismatch"};
        if (std::find(kWords.begin(), kWords.end(), word) == kWords.end())
          return "has a word that is not known; write none, or some of broken, brokenmedia, macros, "
                 "partitions, cloakedurls, sslmismatch";
      }
      return "";
    case Form::routes: {
      const Result<RouteTable> table = RouteTable::parse(line, "");
      return table ? "" : "is wrong" + table.failure().text.substr(std::string_view(":1").size());
    }
    case Form::virtual_domains:
      return line.find(':') != std::string_view::npos
                 ? ""
                 : "has no colon; write DOMAIN:PREFIX, or DOMAIN: where it is not virtual";
    case Form::antivirus:
      return problem_of_antivirus_line(line);
    case Form::stages:
      return words(line).size() >= 2 || line == "none" ? "" : "names no program; write a name and a program";
    case Form::text:
      return line.empty() ? "is empty; write a value or remove the file" : "";
    case Form::barelf:
      return line == "refuse" || line == "strip" || line == "allow"
                 ? ""
                 : "is not known; write refuse, strip or allow";
    case Form::senders:
      return line.find('@') != std::string_view::npos ? ""
                                                      : "has no @; write user@domain, @domain or @.domain";
    case Form::quarantines: {
      const Result<QuarantineSettings> parsed = parse_quarantine_line(line);
      return parsed ? "" : parsed.failure().text;
    }
    case Form::tcp_rules:
      return problem_of_tcp_rule(line);
    case Form::exceptions: {
      const Result<SenderException> exception = parse_exception_line(line);
      return exception ? "" : exception.failure().text;
    }
    case Form::authcheck:
      return problem_of_checker(line);
    case Form::mechanisms:
      return problem_of_mechanisms(line);
    case Form::bounce_profiles:  // taken as a whole: what a line means depends on DEFAULT
    case Form::gateways:         // likewise: a line may name what stands in another
    case Form::ldap:             // likewise
    case Form::host_access:      // likewise
    case Form::policies:         // likewise
    case Form::reputation_lists:
    case Form::reputation_table:
    case Form::unwelcome_senders:  // by the program's own parser
    case Form::unwelcome_recipients:
    case Form::unwelcome_names:
    case Form::proxies:
    case Form::recipient_table:
    case Form::recipient_checks:
    case Form::call_ahead:
    case Form::send_as:
    case Form::line:
    case Form::any:
      return "";
  }
  return "";
}

}  // namespace postern
