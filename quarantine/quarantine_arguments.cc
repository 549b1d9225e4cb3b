#include "quarantine/quarantine_arguments.h"

#include <algorithm>
#include <array>

#include "lib/mid.h"
#include "lib/quarantine_name.h"
#include "lib/text.h"

namespace postern::quarantine {

namespace {

constexpr size_t kExemptionLimit = 300;
constexpr size_t kFilterLimit = 1003;  // as long as an address may be
constexpr uint64_t kMicroseconds = 1000000;

std::string named(std::string_view word) {
  return "\"" + printable(word, 80) + "\"";
}

Failure no_name(std::string_view word) {
  return permanent(named(word) + " is no quarantine's name: letters, digits, blanks, - and _, at most 64");
}

struct Option {
  const char* name;
  std::string verbs;  // the first letters of those that know it
  Result<void> (*take)(Selection& selection, const std::string& value, uint64_t now);
};

Result<void> take_text(std::string& into, const std::string& value) {
  if (value.empty() || value.size() > kFilterLimit)
    return permanent("a text to look for has 1 to 1003 bytes");
  into = value;
  return {};
}

Result<void> take_name(std::string& into, const std::string& value) {
  if (!is_quarantine_name(value)) return no_name(value);
  into = value;
  return {};
}

Result<void> take_age(uint64_t& into, const std::string& value, uint64_t now) {
  const std::optional<uint64_t> age = parse_age(value);
  if (!age) return permanent(named(value) + " is no age: write 90s, 15m, 8h or 30d");
  into = now > *age * kMicroseconds ? now - *age * kMicroseconds : 1;
  return {};
}

Result<void> take_mid(Selection& selection, const std::string& value, uint64_t) {
  const std::optional<uint64_t> mid = parse_mid(value);
  if (!mid) return permanent(named(value) + " is no message's number");
  selection.filter.mids.push_back(*mid);
  return {};
}

// l list, r release, d delete, m move; f: a filter, for all four.
const std::array<Option, 13>& options() {
  static const std::array<Option, 13> kOptions = {{
      {"--quarantine", "f",
       [](Selection& s, const std::string& v, uint64_t) { return take_name(s.filter.quarantine, v); }},
      {"--sender", "f",
       [](Selection& s, const std::string& v, uint64_t) { return take_text(s.filter.sender, v); }},
      {"--recipient", "f",
       [](Selection& s, const std::string& v, uint64_t) { return take_text(s.filter.recipient, v); }},
      {"--subject", "f",
       [](Selection& s, const std::string& v, uint64_t) { return take_text(s.filter.subject, v); }},
      {"--reason", "f",
       [](Selection& s, const std::string& v, uint64_t) { return take_text(s.filter.reason, v); }},
      {"--older", "f",
       [](Selection& s, const std::string& v, uint64_t now) { return take_age(s.filter.before, v, now); }},
      {"--newer", "f",
       [](Selection& s, const std::string& v, uint64_t now) { return take_age(s.filter.after, v, now); }},
      {"--mid", "f", take_mid},
      {"--limit", "f",
       [](Selection& s, const std::string& v, uint64_t) -> Result<void> {
         const std::optional<uint64_t> number = parse_number(v);
         if (!number || *number == 0 || *number > 1000000000)
           return permanent("--limit takes a number of messages");
         s.filter.limit = *number;
         return {};
       }},
      {"--from", "rm", [](Selection& s, const std::string& v, uint64_t) { return take_name(s.from, v); }},
      {"--to", "m", [](Selection& s, const std::string& v, uint64_t) { return take_name(s.to, v); }},
      {"--except", "r",
       [](Selection& s, const std::string& v, uint64_t) -> Result<void> {
         if (!valid_exemption(v)) return permanent(named(v) + " is no exemption: write \"STAGE VERDICT\"");
         s.exemption = v;
         return {};
       }},
      {"", "", nullptr},  // the end
  }};
  return kOptions;
}

char letter_of(Verb verb) {
  switch (verb) {
    case Verb::list:
      return 'l';
    case Verb::release:
      return 'r';
    case Verb::remove:
      return 'd';
    case Verb::move:
      return 'm';
    default:
      return '-';
  }
}

bool knows(Verb verb, const Option& option) {
  const char letter = letter_of(verb);
  return letter != '-' && (option.verbs == "f" || option.verbs.find(letter) != std::string::npos);
}

// A word that is no option: list takes a quarantine, all others numbers.
Result<void> take_word(Verb verb, Selection& selection, const std::string& word, uint64_t now) {
  if (word.starts_with("--")) return permanent("there is no option " + named(word) + " here");
  if (verb != Verb::list) return take_mid(selection, word, now);
  if (!selection.filter.quarantine.empty()) return permanent("list takes one quarantine's name at most");
  return take_name(selection.filter.quarantine, word);
}

Result<void> whole(Verb verb, const Selection& selection) {
  const Filter& filter = selection.filter;
  switch (verb) {
    case Verb::list:
    case Verb::check:
      return {};
    case Verb::show:
    case Verb::audit:
      if (filter.mids.size() != 1) return permanent("it takes one message's number");
      return {};
    case Verb::move:
      if (selection.to.empty()) return permanent("say --to which quarantine");
      break;
    case Verb::release:
    case Verb::remove:
      break;
  }
  // A limit alone would choose by chance.
  if (!selection.filtered) return permanent("say which messages: their numbers, or filters");
  return {};
}

}  // namespace

bool valid_exemption(std::string_view text) {
  const std::string_view stage = text.substr(0, text.find(' '));
  const auto stage_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  if (text.size() > kExemptionLimit || stage.empty() || stage.size() + 1 >= text.size()) return false;
  if (text[stage.size() + 1] == ' ' || text.back() == ' ') return false;
  return std::all_of(stage.begin(), stage.end(), stage_letter) &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

Result<std::vector<Placement>> parse_placements(const std::vector<std::string>& words) {
  if (words.size() < 2 || words.size() % 2 != 0)
    return permanent("put takes names of quarantines, each with a reason");
  std::vector<Placement> placements;
  for (size_t i = 0; i < words.size(); i += 2) {
    if (!is_quarantine_name(words[i])) return no_name(words[i]);
    const auto same = std::find_if(placements.begin(), placements.end(),
                                   [&](const Placement& one) { return one.quarantine == words[i]; });
    if (same != placements.end()) {
      same->reason = words[i + 1];
    } else if (placements.size() == kMembershipLimit) {
      return permanent("at most 16 quarantines hold one message");
    } else {
      placements.push_back({words[i], words[i + 1]});
    }
  }
  return placements;
}

Result<Selection> parse_selection(Verb verb, const std::vector<std::string>& words, uint64_t now) {
  Selection selection;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--json" && verb == Verb::list) {
      selection.json = true;
      continue;
    }
    if (word == "--repair" && verb == Verb::check) {
      selection.repair = true;
      continue;
    }
    const auto option = std::find_if(options().begin(), options().end() - 1,
                                     [&](const Option& one) { return word == one.name && knows(verb, one); });
    Result<void> taken;
    if (option->take == nullptr) {
      taken = take_word(verb, selection, word, now);
      selection.filtered = true;
    } else {
      if (++i == words.size()) return permanent(word + " needs a value");
      taken = option->take(selection, words[i], now);
      selection.filtered = selection.filtered || (option->verbs == "f" && word != "--limit");
    }
    if (!taken) return taken.failure();
  }
  if (verb == Verb::check && selection.filtered) return permanent("check takes no messages");
  if (Result<void> fits = whole(verb, selection); !fits) return fits.failure();
  return selection;
}

}  // namespace postern::quarantine
