#include "receipt/reputation.h"

#include <xxhash.h>

#include <algorithm>
#include <array>

#include "lib/child.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr uint64_t kTroubleSeconds = 10;  // for which what was found without some list is kept
constexpr int64_t kLogEveryMilliseconds = 60000;
constexpr uint64_t kMostEvents = 1000000;

uint64_t now_seconds() {
  return now_microseconds() / 1000000;
}

int weighted(int tenths, int weight) {
  return tenths * weight / 10;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all.append(all.empty() ? "" : ",").append(printable(text, 40));
  return all;
}

std::string rounded(double number) {
  return std::to_string(static_cast<uint64_t>(number + 0.5));
}

}  // namespace

Reputation::Reputation()
    : lists_file_(home_path("control/reputationlists")),
      table_file_(home_path("control/reputationtable")),
      dns_file_(home_path("control/dnsq")) {}

bool Reputation::load() {
  const bool lists = lists_file_.changed();
  const bool table = table_file_.changed();
  if (dns_file_.changed()) {
    if (Result<std::string> program = control_line_or("dnsq", "@dnsq"))
      dns_program_ = std::string(trim(*program));
  }
  if (lists) {
    Result<std::optional<std::string>> text = control_text("reputationlists");
    const std::string content = text && text->has_value() ? **text : std::string();
    Result<ReputationSettings> read = text ? parse_reputation_lists(content, lists_file_.path())
                                           : Result<ReputationSettings>(text.failure());
    if (!read) {
      log_critical("read the settings", read.failure().text);
      return loaded_;
    }
    settings_ = std::move(*read);
    mark_ = static_cast<uint32_t>(XXH3_64bits(content.data(), content.size()));
  }
  if (table) {
    Result<std::optional<std::string>> text = control_text("reputationtable");
    const std::string content = text && text->has_value() ? **text : std::string();
    Result<ReputationTable> read =
        text ? ReputationTable::parse(content, table_file_.path()) : Result<ReputationTable>(text.failure());
    if (!read) {
      log_critical("read the settings", read.failure().text);
      return loaded_;
    }
    table_ = std::move(*read);
  }
  loaded_ = true;
  return true;
}

void Reputation::open_history(bool make) {
  Result<ReputationHistory> opened = ReputationHistory::open(home_path("db/repd/history"), make);
  if (opened) {
    history_.emplace(std::move(*opened));
  } else {
    log_warning("look at the history; scores are without it", opened.failure());
  }
}

Score Reputation::score(const IpBytes& address, bool explain) {
  Score score;
  if (const std::optional<ReputationTable::Row> row = table_.find(address)) {
    score.tenths = row->score;
    score.reasons.push_back(table_file_.path() + ":" + std::to_string(row->line) + " " +
                            tenths_text(row->score));
    return score;
  }
  const uint64_t now = now_seconds();
  std::optional<ListAnswer> listed;
  if (history_ && !explain) listed = history_->list_answer(address, now, mark_);
  if (!listed) listed = ask_lists(address, explain, score.reasons);
  std::optional<int> own;
  if (history_) {
    const Experience seen = history_->experience(address, now, settings_.half_life_seconds);
    if (settings_.history_weight != 0) own = score_of(seen);
    if (own) own = weighted(*own, settings_.history_weight);
    if (explain)
      score.reasons.push_back("history accepted " + rounded(seen.accepted) + " spam " + rounded(seen.spam) +
                              " virus " + rounded(seen.virus) + " unknown " + rounded(seen.unknown) + " " +
                              (own ? tenths_text(*own) : "none"));
  }
  if (!listed->score && !own) return score;
  score.tenths = std::clamp(listed->score.value_or(0) + own.value_or(0), -kMostScore, kMostScore);
  return score;
}

ListAnswer Reputation::ask_lists(const IpBytes& address, bool explain, std::vector<std::string>& reasons) {
  ListAnswer answer;
  if (settings_.lists.empty()) return answer;
  const int64_t deadline = now_milliseconds() + static_cast<int64_t>(settings_.timeout_milliseconds);
  const std::vector<ListFinding> findings = lookup_.ask(settings_.lists, address, dns_program_, deadline);
  bool complete = true;
  int sum = 0;
  for (size_t i = 0; i < findings.size(); ++i) {
    const DnsList& list = settings_.lists[i];
    const ListFinding& finding = findings[i];
    if (finding.kind == ListFinding::Kind::trouble) {
      complete = false;
      log_trouble(list.zone, finding.why);
      reasons.push_back("list " + list.zone + " trouble: " + printable(finding.why, 200));
      continue;
    }
    const std::string said = finding.answers.empty() ? "not listed" : joined(finding.answers);
    if (finding.kind == ListFinding::Kind::listed) {
      const int worth = weighted(finding.score, list.weight);
      sum += worth;
      answer.score = std::clamp(sum, -kMostScore, kMostScore);
      reasons.push_back("list " + list.zone + " " + said + " " + tenths_text(worth));
    } else {
      reasons.push_back("list " + list.zone + " " + said + " none");
    }
  }
  if (history_ && !explain)
    history_->keep_list_answer(
        address, answer, now_seconds(),
        complete ? settings_.cache_seconds : std::min(settings_.cache_seconds, kTroubleSeconds), mark_);
  return answer;
}

void Reputation::log_trouble(const std::string& zone, const std::string& why) {
  if (now_milliseconds() < quiet_until_) return;
  quiet_until_ = now_milliseconds() + kLogEveryMilliseconds;
  log_warning("ask the list " + zone + "; scores are without it", printable(why, 200));
}

bool Reputation::note(const IpBytes& address, const Experience& more) {
  if (!history_) return false;
  history_->note(address, more, now_seconds(), settings_.half_life_seconds);
  return true;
}

Result<Experience> parse_events(const std::vector<std::string>& words, size_t from) {
  struct Event {
    std::string_view name;
    double Experience::*number;
  };
  static constexpr std::array kEvents = {Event{"accepted", &Experience::accepted},
                                         Event{"spam", &Experience::spam}, Event{"virus", &Experience::virus},
                                         Event{"unknown", &Experience::unknown}};
  Experience experience;
  for (size_t i = from; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const std::string_view name = word.substr(0, word.find('='));
    const std::string_view said = name.size() == word.size() ? "1" : word.substr(name.size() + 1);
    const auto event =
        std::find_if(kEvents.begin(), kEvents.end(), [&](const Event& known) { return known.name == name; });
    const uint64_t number = parse_number(said).value_or(UINT64_MAX);
    if (event == kEvents.end() || number > kMostEvents)
      return permanent("an event is accepted, spam, virus or unknown, with =NUMBER where there were several");
    experience.*event->number += static_cast<double>(number);
  }
  if (words.size() <= from) return permanent("no event is named");
  return experience;
}

}  // namespace postern
