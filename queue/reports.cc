#include "queue/reports.h"

#include <algorithm>
#include <optional>

#include "lib/text.h"

namespace postern {

namespace {

constexpr int64_t kLongestHeldBack = 2 * 3600 * 1000;  // milliseconds; no limit has more minutes than 60

std::optional<Outcome> outcome_of(char letter) {
  switch (letter) {
    case 'r':
    case 'K':
      return Outcome::delivered;
    case 'p':
      return Outcome::passed_on;
    case 'e':
      return Outcome::expanded;
    case 'h':
    case 'D':
      return Outcome::permanent;
    case 'u':
      return Outcome::unsubscribed;
    case 'w':
      return Outcome::held_back;
    case 's':
    case 'Z':
      return Outcome::temporary;
    default:
      return std::nullopt;
  }
}

bool is_recipient_letter(char letter) {
  return letter == 'r' || letter == 'p' || letter == 'e' || letter == 'h' || letter == 's' || letter == 'u' ||
         letter == 'w';
}

}  // namespace

std::vector<RecipientReport> parse_reports(std::string_view bytes, size_t recipients) {
  std::vector<RecipientReport> reports;
  RecipientReport whole{Outcome::temporary, "the delivery program said nothing of the message"};
  bool complete = false;
  while (!complete) {
    const size_t end = bytes.find('\0');
    if (end == std::string_view::npos || end == 0) break;
    const std::optional<Outcome> outcome = outcome_of(bytes.front());
    if (!outcome) break;
    RecipientReport report{*outcome, std::string(bytes.substr(1, end - 1))};
    complete = !is_recipient_letter(bytes.front());
    if (complete) {
      whole = std::move(report);
    } else {
      reports.push_back(std::move(report));
    }
    bytes.remove_prefix(end + 1);
  }
  // Fewer recipient reports than recipients: those that are missing share the message's fate, but are never
  // "delivered".
  const size_t said = std::min(reports.size(), recipients);
  const bool counts = reports.size() == recipients;
  reports.resize(recipients, {Outcome::temporary, "the delivery program said nothing of this recipient"});
  for (size_t i = 0; i < reports.size(); ++i) {
    RecipientReport& report = reports[i];
    const bool stands = counts && complete;
    if (whole.outcome == Outcome::delivered && stands) continue;
    // What was said to be temporary stays so, as in qmail-rspawn: "D" may only mean that no recipient was
    // taken.
    const bool has_own = i < said && !is_done(report.outcome);
    if (whole.outcome == Outcome::permanent && complete && !has_own) {
      report = whole;
    } else if (is_done(report.outcome)) {
      report = stands ? whole
                      : RecipientReport{Outcome::temporary,
                                        "the delivery program ended in the middle of its report"};
    }
  }
  return reports;
}

HeldBack held_back_in(std::string_view text) {
  const size_t blank = text.find(' ');
  const std::optional<uint64_t> wait = parse_number(text.substr(0, blank));
  if (!wait || *wait > kLongestHeldBack) return {kLongestHeldBack, std::string(text)};
  return {static_cast<int64_t>(*wait), std::string(blank == text.npos ? "" : text.substr(blank + 1))};
}

const RecipientReport* first_with(Outcome outcome, const std::vector<RecipientReport>& reports) {
  const auto found = std::find_if(reports.begin(), reports.end(),
                                  [&](const RecipientReport& report) { return report.outcome == outcome; });
  return found == reports.end() ? nullptr : &*found;
}

std::vector<RecipientReport> reports_of(const Result<Reply>& reply, size_t recipients) {
  if (reply && reply->exit_code == 0) return parse_reports(reply->output, recipients);
  const std::string why = reply ? "the delivery program ended with code " + std::to_string(reply->exit_code)
                                : reply.failure().text;
  return {recipients, {Outcome::temporary, "4.3.0 " + why}};
}

}  // namespace postern
