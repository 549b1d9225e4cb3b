#include "receipt/list_lookup.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "lib/call.h"
#include "lib/child.h"
#include "lib/dns_answer.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr unsigned kSilentTimes = 5;
constexpr int64_t kSilenceMilliseconds = 30000;

ListFinding trouble(std::string why) {
  return {.kind = ListFinding::Kind::trouble, .score = 0, .why = std::move(why)};
}

ListFinding finding_of(const DnsList& list, const Result<DnsAnswer>& answer) {
  if (!answer) return trouble(answer.failure().text);
  ListFinding finding;
  for (const DnsRrset& rrset : answer->rrsets) {
    if (rrset.type != "A" || rrset.outcome != DnsOutcome::found) continue;
    for (const std::string& data : rrset.data) {
      if (is_list_trouble(data))
        return trouble("it answers " + printable(data, 40) + ", which is no listing");
      finding.answers.push_back(data);
      const std::optional<int> worth = worth_of(list, data);
      if (!worth) continue;
      finding.kind = ListFinding::Kind::listed;
      if (std::abs(*worth) > std::abs(finding.score)) finding.score = *worth;
    }
  }
  return finding;
}

Request question(const DnsList& list, const IpBytes& address) {
  Request request;
  request.arguments = {"any", "A", list_name(address, list.zone)};
  return request;
}

// As ask_dns has it: what is bogus or failed says nothing.
Result<DnsAnswer> answer_in(const Result<Reply>& reply) {
  if (!reply) return reply.failure();
  if (reply->exit_code != 0) return temporary("exit code " + std::to_string(reply->exit_code));
  Result<DnsAnswer> answer = parse_dns_answer(reply->output);
  if (answer && is_temporary(answer->outcome))
    return temporary("the answer is " + std::string(outcome_word(answer->outcome)));
  return answer;
}

}  // namespace

std::vector<ListFinding> ListLookup::ask(const std::vector<DnsList>& lists, const IpBytes& address,
                                         const std::string& dns_program, int64_t deadline_milliseconds) {
  std::vector<ListFinding> findings(lists.size());
  std::vector<Fd> asked(lists.size());
  const bool resident = dns_program.starts_with('@');
  for (size_t i = 0; i < lists.size(); ++i) {
    if (silence_of(lists[i].zone).until > now_milliseconds()) {
      findings[i] = trouble("it has been silent, and is not asked");
    } else if (resident) {
      Result<Fd> socket = connect_service(dns_program.substr(1), deadline_milliseconds);
      const Result<void> sent =
          socket ? send_request(socket->get(), question(lists[i], address)) : Result<void>(socket.failure());
      if (sent) asked[i] = std::move(*socket);
      if (!sent) findings[i] = trouble(sent.failure().text);
    } else {
      findings[i] = finding_of(
          lists[i], answer_in(call_program(dns_program, question(lists[i], address), deadline_milliseconds)));
      note(lists[i].zone, findings[i]);
    }
  }
  for (size_t i = 0; i < lists.size(); ++i) {
    if (!asked[i]) continue;
    findings[i] = finding_of(lists[i], answer_in(await_reply(asked[i].get(), deadline_milliseconds)));
    note(lists[i].zone, findings[i]);
  }
  return findings;
}

ListLookup::Silence& ListLookup::silence_of(const std::string& zone) {
  const auto found = std::find_if(silences_.begin(), silences_.end(),
                                  [&](const Silence& each) { return each.zone == zone; });
  if (found != silences_.end()) return *found;
  if (silences_.size() >= 2 * kMostLists) silences_.clear();  // of settings that are no more
  silences_.push_back({.zone = zone, .times = 0, .until = 0});
  return silences_.back();
}

void ListLookup::note(const std::string& zone, const ListFinding& finding) {
  Silence& silence = silence_of(zone);
  if (finding.kind != ListFinding::Kind::trouble) {
    silence.times = 0;
  } else if (++silence.times >= kSilentTimes) {
    silence.times = 0;
    silence.until = now_milliseconds() + kSilenceMilliseconds;
  }
}

}  // namespace postern
