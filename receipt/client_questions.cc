#include "receipt/client_questions.h"

#include <algorithm>

#include "lib/call.h"
#include "lib/child.h"
#include "lib/control.h"
#include "lib/dns_answer.h"
#include "lib/log.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kListTextBytes = 200;  // of a reply

// One try: a service that is not there must not hold up everybody who connects.
Result<Reply> ask_once(std::string_view program, const Request& request, int64_t deadline) {
  program = trim(program);
  if (!program.starts_with('@')) return call_program(program, request, deadline);
  Result<Fd> socket = try_connect_service(program.substr(1));
  if (!socket) return socket.failure();
  if (Result<void> sent = send_request(socket->get(), request); !sent) return sent.failure();
  return await_reply(socket->get(), deadline);
}

// RFC 5782 2.1: lists answer within 127.0.0.0/8. Anything else is a resolver that lies or a domain that was
// sold; 127.255.255.0/24 is what large lists use to say that they do not answer this resolver.
bool is_a_listing(std::string_view answer) {
  return answer.starts_with("127.") && !answer.starts_with("127.255.255.");
}

}  // namespace

ClientQuestions::ClientQuestions(const AddressKey& address, std::string given_name, bool is_verified)
    : address_(address),
      ip_(address_text(address)),
      given_name_(lower(given_name)),
      is_verified_(is_verified),
      last_(now_milliseconds() + kClientMilliseconds) {}

HatQuestions ClientQuestions::questions() {
  return {.score = [this] { return score(); },
          .host = [this] { return host(); },
          .list = [this](std::string_view zone) { return list(zone); }};
}

int64_t ClientQuestions::deadline(int64_t milliseconds) const {
  return std::min(now_milliseconds() + milliseconds, last_);
}

void ClientQuestions::warn(const std::string& doing, const std::string& why) const {
  log_warning(doing + " of " + ip_, why + "; the client is judged without it");
}

Result<DnsAnswer> ClientQuestions::ask_about(const std::vector<std::string>& question) {
  if (dns_program_.empty()) {
    Result<std::string> program = control_line_or("dnsq", "@dnsq");
    if (!program) return program.failure();
    dns_program_ = *program;
  }
  Result<DnsAnswer> answer =
      ask_dns(dns_program_, question, deadline(dns_failed_ ? kDnsAgainMilliseconds : kDnsMilliseconds));
  dns_failed_ = dns_failed_ || !answer;
  return answer;
}

std::optional<int> ClientQuestions::score() {
  if (given_score_) return *given_score_;
  Result<std::string> program = control_line_or("reputation", "@repd");
  if (program && *program == "none") return std::nullopt;
  const bool explains = only_looks_ && program && trim(*program) == "@repd";
  Request request;
  request.arguments = {explains ? "explain" : "score", ip_};
  const Result<Reply> reply =
      program ? ask_once(*program, request, deadline(kScoreMilliseconds)) : Result<Reply>(program.failure());
  if (!reply || reply->exit_code != 0) {
    warn("learn the score", reply ? "exit code " + std::to_string(reply->exit_code) : reply.failure().text);
    return std::nullopt;
  }
  std::string_view said =
      trim(explains ? std::string_view(reply->output)
                    : std::string_view(reply->output).substr(0, reply->output.find('\n')));
  // What it is made of comes first.
  if (const size_t last = said.rfind("score "); explains && last != std::string_view::npos)
    said.remove_prefix(last + 6);
  if (equal_ignoring_case(said, "none")) return std::nullopt;
  const std::optional<int> tenths = parse_score(said);
  if (!tenths) warn("learn the score", "\"" + printable(said, 40) + "\" is none");
  return tenths;
}

HostName ClientQuestions::host() {
  if (given_name_.empty()) return look_up_host();
  if (is_verified_) return {.state = HostName::State::verified, .names = {given_name_}};
  return verify({.state = HostName::State::no_ptr, .names = {given_name_}});
}

HostName ClientQuestions::look_up_host() {
  Result<DnsAnswer> ptr = ask_about({"ptr", ip_});
  if (!ptr) {
    warn("look up the name", ptr.failure().text);
    return {.state = HostName::State::ptr_fails};
  }
  HostName claimed{.state = HostName::State::no_ptr};
  if (ptr->outcome != DnsOutcome::found) return claimed;
  for (const DnsRrset& rrset : ptr->rrsets)
    for (const std::string& name : rrset.data)
      if (claimed.names.size() < kMostPtrNames) claimed.names.push_back(lower(name));
  return claimed.names.empty() ? claimed : verify(std::move(claimed));
}

HostName ClientQuestions::verify(HostName claimed) {
  HostName verified{.state = HostName::State::verified};
  bool has_address = false;
  bool fails = false;
  for (const std::string& name : claimed.names) {
    Result<DnsAnswer> addresses = ask_about({"ip", name});
    if (!addresses) {
      fails = true;
      continue;
    }
    bool is_it = false;
    for (const DnsRrset& rrset : addresses->rrsets) {
      has_address = has_address || !rrset.data.empty();
      for (const std::string& data : rrset.data) is_it = is_it || parse_address(data) == address_;
    }
    if (is_it) verified.names.push_back(name);
  }
  if (!verified.names.empty()) return verified;
  // A name server that is away now says nothing against anybody.
  claimed.state = fails         ? HostName::State::ptr_fails
                  : has_address ? HostName::State::differs
                                : HostName::State::nowhere;
  return claimed;
}

DnsListing ClientQuestions::list(std::string_view zone) {
  const std::string name = reversed_address(address_) + "." + std::string(zone);
  const Result<DnsAnswer> answer = ask_about({"any", "A", name});
  if (!answer) {
    warn("ask the DNS list " + std::string(zone), answer.failure().text);
    return {};
  }
  DnsListing listing;
  for (const DnsRrset& rrset : answer->rrsets) {
    for (const std::string& data : rrset.data) {
      if (is_a_listing(data)) {
        listing.answers.push_back(data);
      } else {
        warn("ask the DNS list " + std::string(zone),
             "it answers " + printable(data, 40) + ", which is no listing");
      }
    }
  }
  return listing;
}

std::string ClientQuestions::list_text(std::string_view zone) {
  const std::string name = reversed_address(address_) + "." + std::string(zone);
  const Result<DnsAnswer> answer = ask_about({"txt", name});
  if (!answer) return {};
  for (const DnsRrset& rrset : answer->rrsets) {
    for (std::string_view data : rrset.data) {
      if (data.starts_with('"')) data.remove_prefix(1);
      if (data.ends_with('"')) data.remove_suffix(1);
      return printable(data, kListTextBytes);
    }
  }
  return {};
}

}  // namespace postern
