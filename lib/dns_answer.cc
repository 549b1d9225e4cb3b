#include "lib/dns_answer.h"

#include <array>
#include <memory>
#include <utility>

#include "lib/call.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kWhyLimitBytes = 300;

constexpr std::array<std::pair<DnsOutcome, std::string_view>, 8> kOutcomes = {{
    {DnsOutcome::found, "found"},
    {DnsOutcome::implicit, "implicit"},
    {DnsOutcome::null_mx, "null"},
    {DnsOutcome::nodata, "nodata"},
    {DnsOutcome::nxdomain, "nxdomain"},
    {DnsOutcome::invalid, "invalid"},
    {DnsOutcome::bogus, "bogus"},
    {DnsOutcome::failed, "failed"},
}};

constexpr std::array<std::pair<DnsSecurity, std::string_view>, 4> kSecurities = {{
    {DnsSecurity::secure, "secure"},
    {DnsSecurity::insecure, "insecure"},
    {DnsSecurity::bogus, "bogus"},
    {DnsSecurity::failed, "failed"},
}};

Failure broken(std::string_view line) {
  return temporary("read a DNS answer: line \"" + printable(line, 80) + "\" does not fit", 0, "4.4.3");
}

std::optional<DnsOutcome> parse_outcome(std::string_view word) {
  for (const auto& [outcome, text] : kOutcomes) {
    if (text == word) return outcome;
  }
  return std::nullopt;
}

std::optional<DnsSecurity> parse_security(std::string_view word) {
  for (const auto& [security, text] : kSecurities) {
    if (text == word) return security;
  }
  return std::nullopt;
}

void append_rrset(const DnsRrset& rrset, std::string& text) {
  text.append("rrset ").append(rrset.type).append(" ").append(rrset.name).append(" ").append(rrset.canonical);
  text.append(" ").append(security_word(rrset.security)).append(" ").append(std::to_string(rrset.ttl));
  text.append(" ").append(outcome_word(rrset.outcome)).append("\n");
  for (const std::string& data : rrset.data) text.append("data ").append(data).append("\n");
  if (!rrset.why.empty()) text.append("why ").append(printable(rrset.why, kWhyLimitBytes)).append("\n");
}

Result<DnsRrset> parse_rrset(std::string_view line) {
  const std::vector<std::string_view> part = split(line, ' ');
  if (part.size() != 7) return broken(line);
  const std::optional<DnsSecurity> security = parse_security(part[4]);
  const std::optional<uint64_t> ttl = parse_number(part[5]);
  const std::optional<DnsOutcome> outcome = parse_outcome(part[6]);
  if (part[1].empty() || part[2].empty() || part[3].empty()) return broken(line);
  if (!security || !ttl || *ttl > UINT32_MAX || !outcome) return broken(line);
  return DnsRrset{.type = std::string(part[1]),
                  .name = std::string(part[2]),
                  .canonical = std::string(part[3]),
                  .security = *security,
                  .ttl = static_cast<uint32_t>(*ttl),
                  .outcome = *outcome,
                  .data = {},
                  .why = {}};
}

Result<DnsHost> parse_host(std::string_view line) {
  const std::vector<std::string_view> part = split(line, ' ');
  const std::optional<uint64_t> preference = part.size() == 3 ? parse_number(part[1]) : std::nullopt;
  if (!preference || *preference > 65535 || part[2].empty()) return broken(line);
  return DnsHost{
      .preference = static_cast<unsigned>(*preference), .name = std::string(part[2]), .addresses = {}};
}

// The RRset that a data or why line belongs to.
DnsRrset* last_rrset(DnsAnswer& answer) {
  std::vector<DnsRrset>& list = answer.hosts.empty() ? answer.rrsets : answer.hosts.back().addresses;
  return list.empty() ? nullptr : &list.back();
}

Result<void> take_line(std::string_view line, DnsAnswer& answer) {
  if (line.starts_with("rrset ")) {
    Result<DnsRrset> rrset = parse_rrset(line);
    if (!rrset) return rrset.failure();
    (answer.hosts.empty() ? answer.rrsets : answer.hosts.back().addresses).push_back(std::move(*rrset));
    return {};
  }
  if (line.starts_with("host ")) {
    Result<DnsHost> host = parse_host(line);
    if (!host || answer.question != "mx") return broken(line);
    answer.hosts.push_back(std::move(*host));
    return {};
  }
  DnsRrset* rrset = last_rrset(answer);
  if (rrset == nullptr) return broken(line);
  if (line.starts_with("data ") && line.size() > 5 && rrset->outcome == DnsOutcome::found) {
    rrset->data.emplace_back(line.substr(5));
    return {};
  }
  if (line.starts_with("why ") && rrset->why.empty() && is_temporary(rrset->outcome)) {
    rrset->why = line.substr(4);
    return {};
  }
  return broken(line);
}

// What is said of a question that could not be answered.
std::string reason(const DnsAnswer& answer) {
  std::string text = "look up " + answer.question + " " + answer.name + ": ";
  text += answer.outcome == DnsOutcome::bogus ? "the answer is bogus (DNSSEC)" : "no answer";
  const auto add_why = [&](const std::vector<DnsRrset>& rrsets) {
    for (const DnsRrset& rrset : rrsets) {
      if (is_temporary(rrset.outcome) && !rrset.why.empty()) {
        text.append(" (").append(rrset.why).append(")");
        return true;
      }
    }
    return false;
  };
  if (add_why(answer.rrsets)) return text;
  for (const DnsHost& host : answer.hosts) {
    if (add_why(host.addresses)) break;
  }
  return text;
}

Result<DnsAnswer> read_reply(const Result<Reply>& reply) {
  if (!reply) return temporary("ask DNS: " + reply.failure().text, 0, "4.4.3");
  if (reply->exit_code != 0 && reply->exit_code != 111) {
    return temporary("ask DNS: exit code " + std::to_string(reply->exit_code), 0, "4.4.3");
  }
  Result<DnsAnswer> answer = parse_dns_answer(reply->output);
  if (!answer) return answer.failure();
  if (reply->exit_code != 0 || is_temporary(answer->outcome)) return temporary(reason(*answer), 0, "4.4.3");
  return answer;
}

// Then nobody is asked any more: who has a list of questions would put every one of them for nothing.
bool is_over(int64_t deadline_milliseconds) {
  return now_milliseconds() >= deadline_milliseconds;
}
Failure too_late() {
  return temporary("ask DNS: the time for it is over", 0, "4.4.3");
}

// One question on a connection that is there.
Result<Reply> ask_on(int connection, const Request& request, int64_t deadline_milliseconds) {
  if (Result<void> sent = send_request(connection, request); !sent) return sent.failure();
  return await_reply(connection, deadline_milliseconds);
}

}  // namespace

std::string_view outcome_word(DnsOutcome outcome) {
  for (const auto& [value, text] : kOutcomes) {
    if (value == outcome) return text;
  }
  return "failed";
}

std::string_view security_word(DnsSecurity security) {
  for (const auto& [value, text] : kSecurities) {
    if (value == security) return text;
  }
  return "failed";
}

std::string format_dns_answer(const DnsAnswer& answer) {
  std::string text = "answer " + answer.question + " " + answer.name + " ";
  text.append(outcome_word(answer.outcome)).append("\n");
  for (const DnsRrset& rrset : answer.rrsets) append_rrset(rrset, text);
  for (const DnsHost& host : answer.hosts) {
    text.append("host ").append(std::to_string(host.preference)).append(" ").append(host.name).append("\n");
    for (const DnsRrset& rrset : host.addresses) append_rrset(rrset, text);
  }
  return text;
}

Result<DnsAnswer> parse_dns_answer(std::string_view text) {
  if (text.empty() || text.back() != '\n') return broken(text);
  text.remove_suffix(1);
  const std::vector<std::string_view> lines = split(text, '\n');
  const std::vector<std::string_view> first = split(lines.front(), ' ');
  const std::optional<DnsOutcome> outcome = first.size() == 4 ? parse_outcome(first[3]) : std::nullopt;
  if (!outcome || first[0] != "answer" || first[1].empty() || first[2].empty()) return broken(lines.front());
  DnsAnswer answer;
  answer.question = first[1];
  answer.name = first[2];
  answer.outcome = *outcome;
  for (size_t i = 1; i < lines.size(); ++i) {
    if (Result<void> taken = take_line(lines[i], answer); !taken) return taken.failure();
  }
  return answer;
}

std::vector<std::string> host_addresses(const DnsHost& host) {
  std::vector<std::string> addresses;
  for (const std::string_view type : {"AAAA", "A"}) {
    for (const DnsRrset& rrset : host.addresses) {
      if (rrset.type == type) addresses.insert(addresses.end(), rrset.data.begin(), rrset.data.end());
    }
  }
  return addresses;
}

bool lookup_failed(const DnsHost& host) {
  for (const DnsRrset& rrset : host.addresses) {
    if (is_temporary(rrset.outcome)) return true;
  }
  return false;
}

Result<DnsAnswer> ask_dns(std::string_view program, const std::vector<std::string>& question,
                          int64_t deadline_milliseconds) {
  if (is_over(deadline_milliseconds)) return too_late();
  Request request;
  request.arguments = question;
  return read_reply(call_program(program, request, deadline_milliseconds));
}

// What asks several questions pays for the connection once. It is shared because a function object is copied.
AskDns dns_asker(std::string program, int64_t deadline_milliseconds) {
  if (!program.starts_with('@')) {
    return [program = std::move(program), deadline_milliseconds](const std::vector<std::string>& question) {
      return ask_dns(program, question, deadline_milliseconds);
    };
  }
  return [name = program.substr(1), deadline_milliseconds, connection = std::make_shared<Fd>()](
             const std::vector<std::string>& question) -> Result<DnsAnswer> {
    if (is_over(deadline_milliseconds)) return too_late();
    Request request;
    request.arguments = question;
    if (*connection) {
      // dnsq closes what was idle for long, and all when it ends: then on a new one.
      const Result<Reply> reply = ask_on(connection->get(), request, deadline_milliseconds);
      if (reply) return read_reply(reply);
      connection->reset();  // an answer that comes late would be taken for that of the next question
      if (is_over(deadline_milliseconds)) return too_late();
    }
    Result<Fd> fresh = connect_service(name, deadline_milliseconds);
    if (!fresh) return read_reply(fresh.failure());
    *connection = std::move(*fresh);
    Result<Reply> reply = ask_on(connection->get(), request, deadline_milliseconds);
    if (!reply) connection->reset();
    return read_reply(reply);
  };
}

Result<DnsAnswer> ask_mx(std::string_view program, std::string_view domain, int64_t deadline_milliseconds) {
  return ask_dns(program, {"mx", std::string(domain)}, deadline_milliseconds);
}

}  // namespace postern
