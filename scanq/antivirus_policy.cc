#include "scanq/antivirus_policy.h"

#include <algorithm>
#include <optional>

#include "lib/control.h"
#include "lib/envelope.h"
#include "lib/next_hop.h"
#include "lib/text.h"
#include "lib/utf8.h"
#include "lib/variables.h"
#include "scanq/edits.h"

namespace postern {

namespace {

constexpr size_t kFileLimitBytes = 65536;
constexpr size_t kTextLimitBytes = 200;
constexpr size_t kActionLimit = 50;
constexpr size_t kNameBytes = 56;  // the store takes 64, of which "archive " is 8
constexpr size_t kRar = 6;
constexpr std::array<std::string_view, kAntivirusVerdicts> kVerdictWords = {
    "clean", "infected", "encrypted", "unscannable", "limit", "error", "rar"};
constexpr std::array<std::string_view, kDirections> kDirectionWords = {"in", "out", "local"};

// Where there is no control/templates/antivirus-note.
constexpr std::string_view kNote =
    "A part of this message was taken out on its way to you.\n"
    "\n"
    "    File:     \"$FileName\"\n"
    "    Finding:  $Finding\n"
    "    Date:     $Date\n"
    "    Message:  $MID at $Host\n"
    "\n"
    "The sender may not know of it. If you need what stood here, ask for it to be\n"
    "sent another way.\n";

// What holds for a verdict that control/antivirus does not name. A virus from outside is put away, never told
// to a sender who is most likely forged; our own users are told while they wait.
constexpr std::string_view kDefaults =
    "infected quarantine Virus\n"
    "infected stop\n"
    "infected@out,local reject 554 5.7.1 message contains a virus ($VirusName)\n"
    "encrypted header X-Postern-Antivirus encrypted ($VirusName)\n"
    "encrypted pass\n"
    "unscannable quarantine Unscannable\n"
    "limit quarantine Unscannable\n"
    "error defer\n"
    "clean pass\n";

struct ActionRule {
  std::string_view word;
  AntivirusDo what;
  std::string_view usage;
};
constexpr std::array kActions = {
    ActionRule{"repair", AntivirusDo::repair, ""},
    ActionRule{"replace", AntivirusDo::replace, ""},
    ActionRule{"subject", AntivirusDo::subject, "TEXT"},
    ActionRule{"header", AntivirusDo::header, "NAME VALUE"},
    ActionRule{"redirect", AntivirusDo::redirect, "ADDRESS"},
    ActionRule{"route", AntivirusDo::route, "HOST or HOST:PORT"},
    ActionRule{"archive", AntivirusDo::archive, "NAME"},
    ActionRule{"notify", AntivirusDo::notify, "sender, recipients, admin or ADDRESS, and TEMPLATE"},
    ActionRule{"stop", AntivirusDo::stop, ""},
    ActionRule{"pass", AntivirusDo::pass, ""},
    ActionRule{"quarantine", AntivirusDo::quarantine, "NAME"},
    ActionRule{"reject", AntivirusDo::reject, "[CODE] [TEXT]"},
    ActionRule{"defer", AntivirusDo::defer, "[TEXT]"},
    ActionRule{"delete", AntivirusDo::drop, ""},
};

std::vector<std::string_view> known_variables() {
  return {"Verdict", "VirusName", "Finding", "FileName", "MID", "Host", "Date"};
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string_view cut_word(std::string_view& text) {
  text = trim(text);
  const size_t end = std::min(text.size(), text.find_first_of(" \t"));
  const std::string_view word = text.substr(0, end);
  text = trim(text.substr(end));
  return word;
}

bool all_of(std::string_view text, std::string_view more) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || more.find(c) != std::string_view::npos;
  });
}

bool is_address(std::string_view text) {
  const size_t at = text.rfind('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.size() <= kAddressLimitBytes && is_utf8(text) &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return (c >= 0 && c <= ' ') || c == 0x7f || c == '<' || c == '>'; });
}

bool is_quarantine(std::string_view name) {
  return name.size() <= kNameBytes && name.front() != '-' && all_of(name, " -_");
}

// The remedy; empty: nothing is wrong with the text.
std::string problem_of_text(std::string_view text) {
  const bool prints =
      std::all_of(text.begin(), text.end(), [](char c) { return c < 0 || (c >= ' ' && c != 0x7f); });
  if (!is_utf8(text) || !prints) return "the text is not printing UTF-8; write it so";
  if (text.size() > kTextLimitBytes) return "the text is over 200 bytes; shorten it";
  if (const std::string_view name = unknown_variable(text, known_variables()); !name.empty())
    return "there is no variable $" + std::string(name) + "; write $$ for a dollar sign";
  return "";
}

// Fills in the arguments. The remedy; empty: nothing is wrong with them.
std::string take_arguments(AntivirusAction& action, std::string_view rest) {
  switch (action.what) {
    case AntivirusDo::repair:
    case AntivirusDo::replace:
    case AntivirusDo::stop:
    case AntivirusDo::pass:
    case AntivirusDo::drop:
      return rest.empty() ? "" : "it takes nothing behind it; end the line there";
    case AntivirusDo::subject:
      action.first = rest;
      return rest.empty() ? "write the text behind it" : problem_of_text(rest);
    case AntivirusDo::header:
      action.first = cut_word(rest);
      action.second = rest;
      if (rest.empty()) return "write a field's name and its value behind it";
      if (!check_header(action.first, action.second)) return "write a header field's name, without the colon";
      return problem_of_text(rest);
    case AntivirusDo::redirect:
      action.first = rest;
      return is_address(rest) ? "" : "write one address, user@example.org, or use route for a host";
    case AntivirusDo::route:
      action.first = rest;
      return is_next_hop(rest) ? "" : "write a host, or HOST:PORT";
    case AntivirusDo::archive:
    case AntivirusDo::quarantine:
      action.first = rest;
      return !rest.empty() && is_quarantine(rest) ? ""
                                                  : "write a name of letters, digits, blanks, '-' and '_'";
    case AntivirusDo::notify: {
      action.first = cut_word(rest);
      action.second = rest;
      const bool known = action.first == "sender" || action.first == "recipients" || action.first == "admin";
      if (!known && !is_address(action.first))
        return "write sender, recipients, admin or an address behind it";
      return all_of(rest, ".-_") && rest.front() != '.'
                 ? ""
                 : "write the name of a file in control/templates last";
    }
    case AntivirusDo::reject:
      if (const std::string_view code = rest.substr(0, rest.find(' ')); parse_number(code)) {
        action.first = cut_word(rest);
        if (code.size() != 3 || code.front() != '5') return "a refusal's code is 5yz; use defer for 4yz";
      }
      action.second = rest;
      return problem_of_text(rest);
    case AntivirusDo::defer:
      action.first = rest;
      return problem_of_text(rest);
  }
  return "";
}

// The lines for one verdict in one direction are gathered from those that name the direction, where there
// are any, else from those that do not.
struct Gathered {
  std::vector<AntivirusAction> everywhere;
  std::array<std::vector<AntivirusAction>, kDirections> there;
};
using GatheredByVerdict = std::array<Gathered, kAntivirusVerdicts>;

class Parser {
 public:
  explicit Parser(GatheredByVerdict& verdicts) : verdicts_(verdicts) {}

  Result<void> parse(std::string_view text) {
    if (text.size() > kFileLimitBytes) return wrong("the file is over 64 KiB; shorten it");
    for (const std::string_view line : split(text, '\n')) {
      ++number_;
      line_ = trim(line);
      if (line_.empty() || line_.starts_with('#')) continue;
      if (Result<void> taken = take(line_); !taken) return taken;
    }
    return {};
  }

 private:
  [[nodiscard]] Failure wrong(const std::string& why) const {
    return temporary(
        "read control/antivirus:" + std::to_string(number_) + ": \"" + printable(line_, 100) + "\": " + why,
        55);
  }

  Result<void> take(std::string_view rest) {
    const std::string_view who = cut_word(rest);
    const std::string_view verdict = who.substr(0, who.find('@'));
    const auto word = std::find(kVerdictWords.begin(), kVerdictWords.end(), verdict);
    if (word == kVerdictWords.end())
      return wrong("begin it with clean, infected, encrypted, unscannable, limit, error or rar");
    Gathered& gathered = verdicts_[static_cast<size_t>(word - kVerdictWords.begin())];
    const std::string_view name = cut_word(rest);
    const auto rule =
        std::find_if(kActions.begin(), kActions.end(), [&](const ActionRule& r) { return r.word == name; });
    if (rule == kActions.end()) return wrong(known_actions());
    AntivirusAction action;
    action.what = rule->what;
    if (const std::string problem = take_arguments(action, rest); !problem.empty()) return wrong(problem);
    const bool is_edit = action.what == AntivirusDo::repair || action.what == AntivirusDo::replace;
    if (is_edit && (verdict == "clean" || verdict == "error"))
      return wrong("nothing is known to take out there; remove the line");
    if (who.size() == verdict.size()) return add(gathered.everywhere, action);
    for (const std::string_view direction : split(who.substr(verdict.size() + 1), ',')) {
      const auto place = std::find(kDirectionWords.begin(), kDirectionWords.end(), direction);
      if (place == kDirectionWords.end()) return wrong("a direction behind @ is in, out or local");
      Result<void> added = add(gathered.there[static_cast<size_t>(place - kDirectionWords.begin())], action);
      if (!added) return added;
    }
    return {};
  }

  Result<void> add(std::vector<AntivirusAction>& actions, const AntivirusAction& action) const {
    const bool may_repeat = action.what == AntivirusDo::header || action.what == AntivirusDo::archive ||
                            action.what == AntivirusDo::notify;
    const bool clashes = std::any_of(actions.begin(), actions.end(), [&](const AntivirusAction& other) {
      if (is_final(action.what) && is_final(other.what)) return true;
      return other.what == action.what && (!may_repeat || other == action);
    });
    if (clashes)
      return wrong(is_final(action.what)
                       ? "a line above says already what becomes of such a message; keep one of them"
                       : "a line above says that already; keep one of them");
    if (actions.size() == kActionLimit) return wrong("it has more than 50 actions; remove some");
    actions.push_back(action);
    return {};
  }

  static std::string known_actions() {
    std::string text = "there is no such action; write";
    for (const ActionRule& rule : kActions)
      text.append(text.ends_with("write") ? " " : ", ").append(rule.word);
    return text;
  }

  GatheredByVerdict& verdicts_;
  size_t number_ = 0;
  std::string_view line_;
};

const std::vector<AntivirusAction>& pick(const Gathered& gathered, size_t direction) {
  return gathered.there[direction].empty() ? gathered.everywhere : gathered.there[direction];
}

bool decides(const std::vector<AntivirusAction>& actions) {
  return std::any_of(actions.begin(), actions.end(), [](const AntivirusAction& action) {
    return is_final(action.what) || action.what == AntivirusDo::repair ||
           action.what == AntivirusDo::replace || action.what == AntivirusDo::redirect ||
           action.what == AntivirusDo::route;
  });
}

// Lines that only add to it leave what becomes of the message at its default.
void add_defaults(std::vector<AntivirusAction>& actions, const std::vector<AntivirusAction>& defaults) {
  const bool none = actions.empty();
  for (const AntivirusAction& action : defaults) {
    const bool there = std::find(actions.begin(), actions.end(), action) != actions.end();
    if (none || (action.what != AntivirusDo::header && !there)) actions.push_back(action);
  }
}

}  // namespace

const std::vector<AntivirusAction>& AntivirusPolicy::of(const AntivirusVerdict& verdict,
                                                        std::string_view direction) const {
  const auto place = std::find(kDirectionWords.begin(), kDirectionWords.end(), direction);
  const size_t column =
      place == kDirectionWords.end() ? 0 : static_cast<size_t>(place - kDirectionWords.begin());
  const bool is_rar = verdict.kind == AntivirusKind::unscannable && verdict.name.starts_with("RAR");
  return actions[is_rar ? kRar : static_cast<size_t>(verdict.kind)][column];
}

Result<AntivirusPolicy> parse_antivirus_policy(std::string_view text) {
  GatheredByVerdict defaults;
  GatheredByVerdict written;
  if (Result<void> parsed = Parser(defaults).parse(kDefaults); !parsed) return parsed.failure();
  if (Result<void> parsed = Parser(written).parse(text); !parsed) return parsed.failure();
  AntivirusPolicy policy;
  policy.note = kNote;
  for (size_t verdict = 0; verdict < kAntivirusVerdicts; ++verdict) {
    for (size_t direction = 0; direction < kDirections; ++direction) {
      std::vector<AntivirusAction>& actions = policy.actions[verdict][direction];
      actions = pick(written[verdict], direction);
      const size_t otherwise = verdict == kRar ? static_cast<size_t>(AntivirusKind::unscannable) : verdict;
      if (actions.empty() && verdict == kRar) actions = policy.actions[otherwise][direction];
      if (decides(actions)) continue;
      add_defaults(actions, pick(defaults[otherwise], direction));
    }
  }
  return policy;
}

Result<AntivirusPolicy> read_antivirus_policy() {
  Result<std::optional<std::string>> text = control_text("antivirus");
  if (!text) return text.failure();
  Result<AntivirusPolicy> policy = parse_antivirus_policy(text->value_or(std::string()));
  if (!policy) return policy;
  const std::string note_path = home_path("control/templates/antivirus-note");
  Result<std::optional<std::string>> note = control_text("templates/antivirus-note");
  if (!note) return note.failure();
  if (note->has_value() && !(*note)->empty()) policy->note = **note;
  if (!is_utf8(policy->note))
    return temporary("read " + note_path + ": it is not UTF-8; write it so, or remove the file", 55);
  if (const std::string_view name = unknown_variable(policy->note, known_variables()); !name.empty())
    return temporary(
        "read " + note_path + ": there is no variable $" + std::string(name) + "; write $$ for a dollar sign",
        55);
  Result<std::string> me = control_me();
  if (!me) return me.failure();
  policy->host = *me;
  Result<std::string> to = control_line_or("doublebounceto", "postmaster");
  if (!to) return to.failure();
  Result<std::string> host = control_line_or("doublebouncehost", *me);
  if (!host) return host.failure();
  policy->admin = *to + "@" + *host;
  return policy;
}

std::vector<std::string> AntivirusPolicy::header_names() const {
  std::vector<std::string> names;
  for (const auto& directions : actions) {
    for (const std::vector<AntivirusAction>& list : directions) {
      for (const AntivirusAction& action : list) {
        if (action.what == AntivirusDo::header &&
            std::find(names.begin(), names.end(), action.first) == names.end())
          names.push_back(action.first);
      }
    }
  }
  return names;
}

std::string expand_antivirus_text(std::string_view text, const AntivirusVariables& variables) {
  return expand_variables(text, {{"Verdict", variables.verdict},
                                 {"VirusName", variables.virus},
                                 {"Finding", variables.finding},
                                 {"FileName", variables.file_name},
                                 {"MID", variables.mid},
                                 {"Host", variables.host},
                                 {"Date", variables.date}});
}

}  // namespace postern
