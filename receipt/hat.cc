#include "receipt/hat.h"

#include <algorithm>
#include <map>

#include "lib/text.h"

namespace postern {

namespace {

using Hits = std::vector<HatTable::Hit>;

std::optional<uint32_t> entry_of(const Hits& hits, uint32_t group) {
  const auto found =
      std::find_if(hits.begin(), hits.end(), [&](const HatTable::Hit& hit) { return hit.group == group; });
  return found == hits.end() ? std::nullopt : std::optional(found->entry);
}

std::string_view state_words(HostName::State state) {
  switch (state) {
    case HostName::State::verified:
      return "has the address";
    case HostName::State::no_ptr:
      return "there is no PTR record";
    case HostName::State::ptr_fails:
      return "the PTR record cannot be looked up now";
    case HostName::State::nowhere:
      return "has no address";
    case HostName::State::differs:
      return "has other addresses";
  }
  return "";
}

class Match {
 public:
  Match(const HatTable& table, const AddressKey& address, const HatQuestions& ask, bool explain)
      : table_(table), ask_(ask), explain_(explain), addresses_(table.find_address(address)) {}

  Result<HatMatch> run() {
    for (uint32_t number = 0; number < table_.groups().size(); ++number) {
      const hat::Group& group = table_.groups()[number];
      const std::optional<uint32_t> entry = find(number, group);
      if (table_.damaged()) return table_.damage();
      if (!entry) continue;
      Result<PolicyLine> line = table_.policy(group.policy);
      if (!line) return line.failure();
      if (line->rule == AccessRule::go_on) {
        say("group " + name_of(group) + " says CONTINUE: " + std::string(text_of(*entry)) +
            " does not count");
        continue;
      }
      return take(group, *entry, *line);
    }
    return table_.damage();  // the last group has all
  }

 private:
  std::optional<uint32_t> find(uint32_t number, const hat::Group& group) {
    if (const std::optional<uint32_t> entry = entry_of(addresses_, number)) return entry;
    if (group.all_entry != hat::kNone) return group.all_entry;
    const std::span<const hat::Condition> conditions = table_.conditions(group);
    // The cheap ones first: any entry of a group will do.
    for (const bool of_lists : {false, true}) {
      for (const hat::Condition& condition : conditions) {
        const bool is_list = condition.kind == static_cast<uint32_t>(HatKind::dns_list);
        if (is_list == of_lists && holds(condition)) return condition.entry;
      }
      if (!of_lists && group.has_names != 0) {
        if (const std::optional<uint32_t> entry = entry_of(names(), number)) return entry;
      }
    }
    say("group " + name_of(group) + ": no entry matches");
    return std::nullopt;
  }

  bool holds(const hat::Condition& condition) {
    switch (static_cast<HatKind>(condition.kind)) {
      case HatKind::score: {
        const std::optional<int> tenths = score();
        return tenths && *tenths >= condition.lowest && *tenths <= condition.highest;
      }
      case HatKind::no_score:
        return !score();
      case HatKind::no_ptr:
        return host().state == HostName::State::no_ptr;
      case HatKind::ptr_fails:
        return host().state == HostName::State::ptr_fails;
      case HatKind::nowhere:
        return host().state == HostName::State::nowhere;
      case HatKind::differs:
        return host().state == HostName::State::differs || host().state == HostName::State::nowhere;
      case HatKind::dns_list:
        return is_listed(table_.text(condition.text));
      case HatKind::addresses:
      case HatKind::name:
      case HatKind::country:
      case HatKind::owner:
      case HatKind::all:
        return false;
    }
    return false;
  }

  const std::optional<int>& score() {
    if (!result_.score_asked) {
      result_.score_asked = true;
      result_.score = ask_.score();
      say("score: " + score_text(result_.score));
    }
    return result_.score;
  }

  const HostName& host() {
    if (!result_.host) {
      result_.host = ask_.host();
      std::string what = "name:";
      for (const std::string& name : result_.host->names) what += " " + printable(name, 255);
      say(what + (result_.host->names.empty() ? " " : ": ") + std::string(state_words(result_.host->state)));
    }
    return *result_.host;
  }

  // Only a name that has the address counts: anybody can write any name into his own PTR record.
  const Hits& names() {
    if (!names_) {
      names_.emplace();
      if (host().state == HostName::State::verified) {
        for (const std::string& name : host().names) {
          const Hits more = table_.find_name(name);
          names_->insert(names_->end(), more.begin(), more.end());
        }
      }
    }
    return *names_;
  }

  bool is_listed(std::string_view condition) {
    const std::vector<std::string_view> parts = words(condition);
    if (parts.empty()) return false;
    const auto [at, is_new] = lists_.try_emplace(std::string(parts[0]));
    if (is_new) {
      at->second = ask_.list(parts[0]);
      std::string what = "DNS list " + at->first + ":";
      for (const std::string& answer : at->second.answers) what += " " + answer;
      say(what + (at->second.answers.empty() ? " not listed" : ""));
    }
    const std::vector<std::string>& answers = at->second.answers;
    const bool listed = parts.size() == 1
                            ? !answers.empty()
                            : std::any_of(parts.begin() + 1, parts.end(), [&](std::string_view wanted) {
                                return std::find(answers.begin(), answers.end(), wanted) != answers.end();
                              });
    if (listed) result_.dns_list = parts[0];
    return listed;
  }

  Result<HatMatch> take(const hat::Group& group, uint32_t entry, const PolicyLine& line) {
    Result<MailFlowPolicy> policy = make_policy(line);
    if (!policy) return policy.failure();
    result_.policy = std::move(*policy);
    result_.group = name_of(group);
    result_.entry = text_of(entry);
    result_.line = table_.entry(entry).line;
    result_.policy_line = line.line;
    if (table_.damaged()) return table_.damage();
    return std::move(result_);
  }

  std::string name_of(const hat::Group& group) const {
    const std::string_view name = table_.text(group.name);
    return name.empty() || name == "ALL" ? "None" : std::string(name);
  }
  std::string_view text_of(uint32_t entry) const { return table_.text(table_.entry(entry).text); }

  void say(std::string step) {
    if (explain_) result_.steps.push_back(std::move(step));
  }

  const HatTable& table_;
  const HatQuestions& ask_;
  bool explain_;
  Hits addresses_;
  std::optional<Hits> names_;
  std::map<std::string, DnsListing> lists_;
  HatMatch result_;
};

}  // namespace

Result<HatMatch> match_client(const HatTable& table, const AddressKey& address, const HatQuestions& ask,
                              bool explain) {
  return Match(table, address, ask, explain).run();
}

Result<std::optional<HatMatch>> match_by_policy(const HatTable& table, std::string_view name) {
  Result<std::optional<PolicyLine>> line = table.find_policy(name);
  if (!line) return line.failure();
  if (!*line) return std::optional<HatMatch>();
  Result<MailFlowPolicy> policy = make_policy(**line);
  if (!policy) return policy.failure();
  HatMatch match;
  match.policy = std::move(*policy);
  match.policy_line = (*line)->line;
  return std::optional<HatMatch>(std::move(match));
}

}  // namespace postern
