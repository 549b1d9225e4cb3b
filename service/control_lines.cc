#include "service/control_lines.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <vector>

#include "lib/text.h"

namespace postern {

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

}  // namespace postern
