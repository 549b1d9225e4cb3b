#include "queue/diagnosis.h"

#include <algorithm>
#include <array>

#include "lib/text.h"

namespace postern {

namespace {

constexpr std::string_view kSaid = " said: ";

bool is_status(std::string_view word) {
  const std::vector<std::string_view> parts = split(word, '.');
  return parts.size() == 3 && parts[0].size() == 1 &&
         (parts[0][0] == '2' || parts[0][0] == '4' || parts[0][0] == '5') && parts[1].size() <= 3 &&
         parts[2].size() <= 3 && parse_number(parts[1]) && parse_number(parts[2]);
}

std::string_view behind_said(std::string_view report) {
  const size_t said = report.find(kSaid);
  return said == std::string_view::npos ? report : report.substr(said + kSaid.size());
}

bool is_code(std::string_view word) {
  return word.size() == 3 && word[0] >= '2' && word[0] <= '5' && parse_number(word);
}

struct Meaning {
  std::string_view status;  // without its class
  std::string_view words;
};
// RFC 3463 3, RFC 7372, RFC 7505 and Cisco's words where it has some; a subject alone for what is not here.
constexpr std::array kMeanings = {
    Meaning{"1", "Unknown address error"},
    Meaning{"1.1", "Bad destination mailbox address"},
    Meaning{"1.2", "Bad destination system address"},
    Meaning{"1.3", "Bad destination mailbox address syntax"},
    Meaning{"1.6", "Destination mailbox has moved"},
    Meaning{"1.8", "Bad sender's system address"},
    Meaning{"1.10", "Destination takes no mail"},
    Meaning{"2", "Unknown mailbox error"},
    Meaning{"2.1", "Mailbox disabled"},
    Meaning{"2.2", "Mailbox full"},
    Meaning{"2.3", "Message too long for the mailbox"},
    Meaning{"3", "Other mail system problem"},
    Meaning{"3.1", "Mail system full"},
    Meaning{"3.4", "Message too big for the system"},
    Meaning{"4", "Unknown network error"},
    Meaning{"4.1", "No answer from host"},
    Meaning{"4.2", "Bad connection"},
    Meaning{"4.3", "Name server failure"},
    Meaning{"4.4", "Unable to route"},
    Meaning{"4.5", "Mail system congestion"},
    Meaning{"4.6", "Routing loop"},
    Meaning{"4.7", "Delivery expired (message too old)"},
    Meaning{"5", "Unknown protocol error"},
    Meaning{"5.3", "Too many recipients"},
    Meaning{"6", "Unknown content error"},
    Meaning{"7", "Security or policy error"},
    Meaning{"7.1", "Delivery not authorised"},
    Meaning{"7.20", "No passing DKIM signature"},
    Meaning{"7.23", "SPF validation failed"},
    Meaning{"7.25", "Reverse DNS validation failed"},
    Meaning{"7.26", "Several authentication checks failed"},
};

std::string_view meaning_of(std::string_view status) {
  const auto* const found =
      std::find_if(kMeanings.begin(), kMeanings.end(), [&](const Meaning& m) { return m.status == status; });
  return found == kMeanings.end() ? std::string_view() : found->words;
}

}  // namespace

Said said_in(std::string_view report) {
  Said said;
  std::string_view rest = trim(behind_said(report));
  const auto cut = [&](std::string& into, std::string_view ends, bool (*fits)(std::string_view)) {
    const std::string_view word = rest.substr(0, rest.find_first_of(ends));
    if (!fits(word)) return;
    into = word;
    rest = trim(rest.substr(std::min(rest.size(), word.size() + 1)));
  };
  cut(said.code, " \t-", is_code);
  cut(said.status, " \t", is_status);
  said.text = rest;
  return said;
}

std::string_view status_words(std::string_view status) {
  const std::vector<std::string_view> parts = split(status, '.');
  if (parts.size() != 3) return "Unknown error";
  if (const std::string_view words = meaning_of(status.substr(2)); !words.empty()) return words;
  const std::string_view subject = meaning_of(parts[1]);
  return subject.empty() ? "Unknown error" : subject;
}

Diagnosis diagnose(std::string_view report, char status_class) {
  Diagnosis diagnosis{.status = "5.0.0", .remote_mta = {}, .smtp_reply = {}};
  diagnosis.status[0] = status_class;
  if (const size_t said = report.find(kSaid); said != std::string_view::npos) {
    diagnosis.remote_mta = report.substr(0, report.find_first_of("[ "));
    diagnosis.smtp_reply = report.substr(said + kSaid.size());
  }
  if (const Said said = said_in(report); !said.status.empty()) {
    diagnosis.status = said.status;
    diagnosis.status[0] = status_class;
  }
  return diagnosis;
}

}  // namespace postern
