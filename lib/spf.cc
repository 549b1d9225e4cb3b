#include "lib/spf.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "lib/dns_text.h"
#include "lib/spf_address.h"
#include "lib/spf_macro.h"
#include "lib/spf_names.h"
#include "lib/spf_record.h"
#include "lib/text.h"

namespace postern {

namespace {

// RFC 7208, 4.6.4.
constexpr unsigned kTermLimit =
    10;  // that need the DNS, in all records of one check: bounds the recursion, too
constexpr unsigned kVoidLimit = 2;
constexpr size_t kHostLimit = 10;  // of one mx

constexpr size_t kExplanationLimitBytes = 400;  // it goes into a reply line of 512
constexpr size_t kShownLimitBytes = 100;

constexpr std::array<std::string_view, 7> kWords = {"none",     "neutral",   "pass",     "fail",
                                                    "softfail", "temperror", "permerror"};

struct Outcome {
  SpfResult result = SpfResult::none;
  std::string reason;
  std::string mechanism{};
  std::string explanation_spec{};  // exp= of the record that decided
  std::string domain{};            // whose record that is
};

// What an answer says to a term: it matches, it does not, or the whole check ends.
struct Match {
  bool matches = false;
  std::optional<Outcome> end{};
};

Match is(bool matches) {
  return {.matches = matches};
}
Match ends(SpfResult result, std::string reason) {
  return {.matches = false, .end = Outcome{.result = result, .reason = std::move(reason)}};
}

struct Found {
  DnsOutcome outcome = DnsOutcome::failed;
  std::vector<std::string> data;
  [[nodiscard]] bool failed() const { return is_temporary(outcome); }
  [[nodiscard]] bool nothing() const {
    return outcome == DnsOutcome::nodata || outcome == DnsOutcome::nxdomain;
  }
};

std::string shown(std::string_view text) {
  return printable(text, kShownLimitBytes);
}

// RFC 7208, 4.3: what cannot have a record. An address literal is no domain.
bool is_checkable(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  return domain.find('.') != std::string_view::npos && !domain.starts_with('[') &&
         dns_question_name(domain).has_value();
}

SpfResult result_of(char qualifier) {
  switch (qualifier) {
    case '-':
      return SpfResult::fail;
    case '~':
      return SpfResult::softfail;
    case '?':
      return SpfResult::neutral;
    default:
      return SpfResult::pass;
  }
}

class Check {
 public:
  Check(const SpfQuestion& question, const SpfAddress& ip, const AskDns& ask);
  Check(const Check&) = delete;  // names_ points here
  Check& operator=(const Check&) = delete;
  ~Check() = default;
  SpfAnswer run();

 private:
  Outcome check_host(std::string domain);
  Outcome evaluate(const SpfRecord& record, const std::string& domain, std::string& redirect);
  // The domain's record, or what the check ends with.
  Result<SpfRecord> record_of(const std::string& domain, Outcome& otherwise);

  Match match(const SpfTerm& term, const std::string& domain);
  Match match_include(const std::string& target);
  Match match_a(const SpfTerm& term, const std::string& target);
  Match match_mx(const SpfTerm& term, const std::string& target);
  Match match_ptr(const std::string& target);
  Match match_exists(const std::string& target);

  [[nodiscard]] SpfMacros macros(const std::string& domain);
  std::string explanation(const Outcome& outcome);

  Found look_up(const std::string& type, std::string_view name);
  Found look_up_addresses(std::string_view name) { return look_up(ip_.ipv6 ? "AAAA" : "A", name); }
  [[nodiscard]] bool holds_client(const Found& addresses, const SpfTerm& term) const;
  // One more answer without anything; true: that was one too many.
  bool too_void(const Found& found) { return found.nothing() && ++voids_ > kVoidLimit; }

  const SpfQuestion& question_;
  SpfAddress ip_;
  const AskDns& ask_;
  std::string local_part_ = "postmaster";
  std::string sender_domain_;
  unsigned terms_ = 0;
  unsigned voids_ = 0;
  SpfNames names_;
};

Match too_many_voids() {
  return ends(SpfResult::permerror,
              "more than " + std::to_string(kVoidLimit) + " DNS questions had an empty answer");
}
Match dns_failed(std::string_view name) {
  return ends(SpfResult::temperror, "no DNS answer for " + shown(name));
}

Check::Check(const SpfQuestion& question, const SpfAddress& ip, const AskDns& ask)
    : question_(question),
      ip_(ip),
      ask_(ask),
      names_(format_spf_address(ip), ask,
             [this](const std::string& name) { return holds_client(look_up_addresses(name), SpfTerm{}); }) {
  sender_domain_ = question.helo;
  if (question.sender.empty()) return;
  const size_t at = question.sender.rfind('@');
  sender_domain_ = at == std::string::npos ? question.sender : question.sender.substr(at + 1);
  if (at != std::string::npos && at > 0) local_part_ = question.sender.substr(0, at);
}

SpfAnswer Check::run() {
  Outcome outcome = check_host(sender_domain_);
  SpfAnswer answer{.result = outcome.result,
                   .identity = question_.sender.empty() ? "helo" : "mailfrom",
                   .domain = sender_domain_,
                   .mechanism = outcome.mechanism,
                   .reason = outcome.reason};
  if (outcome.result == SpfResult::fail && !outcome.explanation_spec.empty())
    answer.explanation = explanation(outcome);
  return answer;
}

Outcome Check::check_host(std::string domain) {
  for (bool redirected = false;; redirected = true) {
    Outcome outcome{.result = SpfResult::none, .reason = shown(domain) + " is no domain that has a record"};
    std::string redirect;
    if (is_checkable(domain)) {
      const Result<SpfRecord> record = record_of(domain, outcome);
      if (record) outcome = evaluate(*record, domain, redirect);
    }
    if (redirected && outcome.result == SpfResult::none) {  // 6.1
      outcome.result = SpfResult::permerror;
      outcome.reason = "redirect: " + outcome.reason;
    }
    if (redirect.empty()) return outcome;
    domain = std::move(redirect);
  }
}

Result<SpfRecord> Check::record_of(const std::string& domain, Outcome& otherwise) {
  const Found found = look_up("TXT", domain);
  if (found.failed()) {
    otherwise = *dns_failed(domain).end;
    return temporary(otherwise.reason);
  }
  std::vector<std::string> records;
  for (const std::string& data : found.data) {
    std::optional<std::string> text = txt_bytes(data);
    if (text && is_spf_record(*text)) records.push_back(std::move(*text));
  }
  if (records.empty()) {
    otherwise = {.result = SpfResult::none, .reason = shown(domain) + " has no SPF record"};
    return permanent(otherwise.reason);
  }
  otherwise.result = SpfResult::permerror;
  if (records.size() > 1) {
    otherwise.reason = shown(domain) + " has more than one SPF record";
    return permanent(otherwise.reason);
  }
  Result<SpfRecord> record = parse_spf_record(records.front());
  if (!record) otherwise.reason = "record of " + shown(domain) + ": " + record.failure().text;
  return record;
}

// 4.6. The first term that matches decides; `redirect` is set where none did and the record names another.
Outcome Check::evaluate(const SpfRecord& record, const std::string& domain, std::string& redirect) {
  for (const SpfTerm& term : record.terms) {
    Match matched = match(term, domain);
    if (matched.end) return std::move(*matched.end);
    if (!matched.matches) continue;
    return {.result = result_of(term.qualifier),
            .reason = "\"" + shown(term.text) + "\" of " + shown(domain) + " matches",
            .mechanism = term.text,
            .explanation_spec = record.explanation.value_or(""),
            .domain = domain};
  }
  if (record.redirect) {
    if (++terms_ > kTermLimit)
      return {.result = SpfResult::permerror,
              .reason = "more than " + std::to_string(kTermLimit) + " terms need the DNS"};
    // A name without any byte would read as "no redirect"; a lone dot is no domain either.
    redirect = expand_spf_domain(*record.redirect, macros(domain)).value_or(".");
    if (redirect.empty()) redirect = ".";
    return {};
  }
  return {.result = SpfResult::neutral, .reason = "no term of " + shown(domain) + " matches"};
}

Match Check::match(const SpfTerm& term, const std::string& domain) {
  switch (term.mechanism) {
    case SpfMechanism::all:
      return is(true);
    case SpfMechanism::ip4:
      return is(is_within(ip_, term.network, term.prefix4));
    case SpfMechanism::ip6:  // RFC 7208, 5: what came mapped is an IPv4 address, on this side alone
      return is(term.network.ipv6 && is_within(ip_, term.network, term.prefix6));
    default:
      break;
  }
  if (++terms_ > kTermLimit)
    return ends(SpfResult::permerror, "more than " + std::to_string(kTermLimit) + " terms need the DNS");
  const std::string target =
      term.domain_spec.empty() ? domain : expand_spf_domain(term.domain_spec, macros(domain)).value_or("");
  switch (term.mechanism) {
    case SpfMechanism::include:
      return match_include(target);
    case SpfMechanism::a:
      return match_a(term, target);
    case SpfMechanism::mx:
      return match_mx(term, target);
    case SpfMechanism::ptr:
      return match_ptr(target);
    default:
      return match_exists(target);
  }
}

// 5.2
Match Check::match_include(const std::string& target) {
  Outcome inner = check_host(target);
  switch (inner.result) {
    case SpfResult::pass:
      return is(true);
    case SpfResult::fail:
    case SpfResult::softfail:
    case SpfResult::neutral:
      return is(false);
    case SpfResult::temperror:
    case SpfResult::permerror:
      return ends(inner.result, std::move(inner.reason));
    case SpfResult::none:
      break;
  }
  return ends(SpfResult::permerror, "include: " + inner.reason);
}

Match Check::match_a(const SpfTerm& term, const std::string& target) {
  const Found found = look_up_addresses(target);
  if (found.failed()) return dns_failed(target);
  if (too_void(found)) return too_many_voids();
  return is(holds_client(found, term));
}

// 5.4. Hosts without an address of the client's family are no void answers of the term: a domain whose mail
// hosts speak IPv4 alone would else be in error for each client that speaks IPv6.
Match Check::match_mx(const SpfTerm& term, const std::string& target) {
  const Found found = look_up("MX", target);
  if (found.failed()) return dns_failed(target);
  if (too_void(found)) return too_many_voids();
  if (found.data.size() > kHostLimit)
    return ends(SpfResult::permerror,
                shown(target) + " has more than " + std::to_string(kHostLimit) + " MX records");
  for (const std::string& data : found.data) {
    const std::string_view host = std::string_view(data).substr(data.find(' ') + 1);
    if (host == ".") continue;
    const Found addresses = look_up_addresses(txt_bytes(host).value_or(""));
    if (addresses.failed()) return dns_failed(host);
    if (holds_client(addresses, term)) return is(true);
  }
  return is(false);
}

// 5.5. Whatever goes wrong with the DNS here is no match.
Match Check::match_ptr(const std::string& target) {
  if (too_void({.outcome = names_.outcome(), .data = {}})) return too_many_voids();
  return is(names_.has_one_of(target));
}

// 5.7: A records, whatever the client's family.
Match Check::match_exists(const std::string& target) {
  const Found found = look_up("A", target);
  if (found.failed()) return dns_failed(target);
  if (too_void(found)) return too_many_voids();
  return is(!found.data.empty());
}

SpfMacros Check::macros(const std::string& domain) {
  return {.local_part = local_part_,
          .sender_domain = sender_domain_,
          .domain = domain,
          .helo = question_.helo,
          .ip = ip_,
          .receiver = question_.receiver,
          .validated_name = [this, domain] { return names_.validated(domain); }};
}

// 6.2: what goes wrong with it leaves us without, and changes no result.
std::string Check::explanation(const Outcome& outcome) {
  const SpfMacros values = macros(outcome.domain);
  const Found found = look_up("TXT", expand_spf_domain(outcome.explanation_spec, values).value_or(""));
  if (found.data.size() != 1) return {};
  const std::optional<std::string> text = txt_bytes(found.data.front());
  if (!text) return {};
  std::string expanded = expand_spf_macros(*text, SpfText::explanation, values).value_or("");
  // A macro may have brought anything.
  const bool plain =
      std::all_of(expanded.begin(), expanded.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (!plain) return {};
  if (expanded.size() > kExplanationLimitBytes) expanded.resize(kExplanationLimitBytes);
  return expanded;
}

// A name that is none does not exist, and is not asked for (RFC 7208, 4.8 leaves that to us).
Found Check::look_up(const std::string& type, std::string_view name) {
  const std::optional<std::string> asked = dns_question_name(name);
  if (!asked) return {.outcome = DnsOutcome::invalid, .data = {}};
  const Result<DnsAnswer> answer = ask_({"any", type, *asked});
  if (!answer) return {.outcome = DnsOutcome::failed, .data = {}};
  Found found{.outcome = answer->outcome, .data = {}};
  for (const DnsRrset& rrset : answer->rrsets)
    found.data.insert(found.data.end(), rrset.data.begin(), rrset.data.end());
  return found;
}

bool Check::holds_client(const Found& addresses, const SpfTerm& term) const {
  return std::any_of(addresses.data.begin(), addresses.data.end(), [&](const std::string& data) {
    const std::optional<SpfAddress> address = parse_spf_address(data);
    return address && is_within(ip_, *address, ip_.ipv6 ? term.prefix6 : term.prefix4);
  });
}

}  // namespace

std::string_view spf_word(SpfResult result) {
  return kWords.at(static_cast<size_t>(result));
}

SpfAnswer check_spf(const SpfQuestion& question, const AskDns& ask) {
  const std::optional<SpfAddress> ip = parse_spf_address(question.ip);
  if (!ip)
    return {.result = SpfResult::none,
            .identity = "mailfrom",
            .domain = {},
            .reason = "the client has no IP address"};
  return Check(question, *ip, ask).run();
}

}  // namespace postern
