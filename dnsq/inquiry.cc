#include "dnsq/inquiry.h"

#include <algorithm>
#include <array>

#include "dnsq/dns_name.h"
#include "dnsq/dns_record.h"
#include "lib/request.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kHostLimit = 32;     // mail hosts looked up; the others are the worst
constexpr size_t kAddressLimit = 16;  // of one host and family

struct KindType {
  std::string_view kind;
  uint16_t type;
};
constexpr std::array<KindType, 5> kKinds = {
    {{"mx", kTypeMx}, {"ip", 0}, {"ptr", kTypePtr}, {"txt", kTypeTxt}, {"tlsa", kTypeTlsa}}};

// The hosts of an MX RRset by preference, each once; "." is none. Nothing when a record cannot be read: that
// one may be the best host, and what is missing must not look like a null MX.
std::optional<std::vector<DnsHost>> hosts_of(const DnsRrset& mx) {
  std::vector<DnsHost> hosts;
  for (const std::string& data : mx.data) {
    const std::vector<std::string_view> part = split(data, ' ');
    const std::optional<uint64_t> preference = part.size() == 2 ? parse_number(part[0]) : std::nullopt;
    if (!preference || *preference > 65535 || part[1].empty()) return std::nullopt;
    if (part[1] == ".") continue;
    hosts.push_back({static_cast<unsigned>(*preference), std::string(part[1]), {}});
  }
  std::stable_sort(hosts.begin(), hosts.end(),
                   [](const DnsHost& a, const DnsHost& b) { return a.preference < b.preference; });
  std::vector<DnsHost> unique;
  for (DnsHost& host : hosts) {
    const bool known =
        std::any_of(unique.begin(), unique.end(), [&](const DnsHost& h) { return h.name == host.name; });
    if (!known && unique.size() < kHostLimit) unique.push_back(std::move(host));
  }
  return unique;
}

// What several RRsets of one name say together: found if any has data; else failure goes before "no such
// thing".
DnsOutcome combined(const std::vector<DnsRrset>& rrsets) {
  const auto any = [&](DnsOutcome outcome) {
    return std::any_of(rrsets.begin(), rrsets.end(), [&](const DnsRrset& r) { return r.outcome == outcome; });
  };
  for (const DnsOutcome outcome :
       {DnsOutcome::found, DnsOutcome::bogus, DnsOutcome::failed, DnsOutcome::nodata}) {
    if (any(outcome)) return outcome;
  }
  return DnsOutcome::nxdomain;
}

}  // namespace

Result<DnsQuestion> parse_dns_question(const std::vector<std::string>& words) {
  if (words.size() < 2)
    return permanent("read the question: it reads mx|ip|ptr|txt|tlsa NAME or any TYPE NAME", 100);
  DnsQuestion question;
  question.kind = lower(words.front());
  question.asked = words.back();
  std::string name = words.back();
  const auto kind =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const KindType& k) { return k.kind == question.kind; });
  if (question.kind == "any" && words.size() == 3) {
    const std::optional<uint16_t> type = parse_dns_type(words[1]);
    if (!type)
      return permanent("read the question: \"" + printable(words[1], 40) + "\" is not a record type", 100);
    question.type = *type;
  } else if (kind != kKinds.end() && words.size() == 2) {
    question.type = kind->type;
  } else {
    return permanent("read the question: it reads mx|ip|ptr|txt|tlsa NAME or any TYPE NAME", 100);
  }
  if (question.kind == "ptr") name = reverse_dns_name(name).value_or("");
  if (const std::optional<std::string> wire = parse_dns_name(name)) question.name = format_dns_name(*wire);
  return question;
}

Inquiry::Inquiry(DnsQuestion question, DnsSource& source) : question_(std::move(question)), source_(source) {
  answer_.question = question_.kind;
  answer_.name = question_.name;
}

Inquiry::~Inquiry() {
  for (const uint64_t lookup : lookups_) source_.forget(lookup);
}

void Inquiry::start() {
  if (question_.name.empty()) {
    // One word whatever was asked, so that the line keeps its form.
    answer_.name = quote_dns_string(question_.asked.substr(0, 255));
    std::replace(answer_.name.begin(), answer_.name.end(), ' ', '_');
    answer_.outcome = DnsOutcome::invalid;
    finished_ = true;
  } else if (question_.kind == "mx") {
    awaited_ = 1;
    look_up(question_.name, kTypeMx, &Inquiry::take_mx);
  } else if (question_.kind == "ip") {
    awaited_ = 2;
    look_up(question_.name, kTypeA, &Inquiry::take_rrset);
    look_up(question_.name, kTypeAaaa, &Inquiry::take_rrset);
  } else {
    awaited_ = 1;
    look_up(question_.name, question_.type, &Inquiry::take_rrset);
  }
}

// `awaited_` is set before the first look_up of a group: a source may answer before it returns.
void Inquiry::look_up(const std::string& name, uint16_t type, void (Inquiry::*then)(DnsRrset)) {
  lookups_.push_back(source_.look_up(name, type, [this, then](DnsRrset rrset) {
    if (!finished_) (this->*then)(std::move(rrset));
  }));
}

void Inquiry::take_rrset(DnsRrset rrset) {
  answer_.rrsets.push_back(std::move(rrset));
  if (--awaited_ > 0) return;
  answer_.outcome = combined(answer_.rrsets);
  finish();
}

void Inquiry::take_mx(DnsRrset rrset) {
  --awaited_;
  answer_.rrsets.push_back(std::move(rrset));
  DnsRrset& mx = answer_.rrsets.front();
  answer_.outcome = mx.outcome;
  if (mx.outcome == DnsOutcome::found) {
    if (std::optional<std::vector<DnsHost>> hosts = hosts_of(mx); !hosts || mx.data.empty()) {
      answer_.outcome = mx.outcome = DnsOutcome::failed;
      mx.why = "an MX record cannot be read";
      mx.data.clear();
    } else if (hosts->empty()) {
      answer_.outcome = DnsOutcome::null_mx;
    } else {
      answer_.hosts = std::move(*hosts);
    }
  } else if (mx.outcome == DnsOutcome::nodata) {
    answer_.hosts.push_back({0, mx.canonical, {}});
  }
  if (answer_.hosts.empty()) {
    finish();
  } else {
    ask_hosts();
  }
}

void Inquiry::ask_hosts() {
  awaited_ = 2 * answer_.hosts.size();
  std::vector<std::string> names;  // a copy: answers may come while we ask
  for (const DnsHost& host : answer_.hosts) names.push_back(host.name);
  for (const std::string& name : names) {
    look_up(name, kTypeA, &Inquiry::take_host_rrset);
    look_up(name, kTypeAaaa, &Inquiry::take_host_rrset);
  }
}

void Inquiry::take_host_rrset(DnsRrset rrset) {
  if (rrset.data.size() > kAddressLimit) rrset.data.resize(kAddressLimit);
  for (DnsHost& host : answer_.hosts) {
    if (host.name == rrset.name) {
      host.addresses.push_back(std::move(rrset));
      break;
    }
  }
  if (--awaited_ == 0) conclude();
}

// All hosts of an mx question have answered.
void Inquiry::conclude() {
  for (DnsHost& host : answer_.hosts) {
    std::sort(host.addresses.begin(), host.addresses.end(),
              [](const DnsRrset& a, const DnsRrset& b) { return a.type < b.type; });
  }
  if (answer_.outcome == DnsOutcome::nodata) {
    // Without MX the domain is its own host, if it has an address; when that is not known, nothing is.
    const DnsOutcome addresses = combined(answer_.hosts.front().addresses);
    if (addresses == DnsOutcome::found) answer_.outcome = DnsOutcome::implicit;
    if (is_temporary(addresses)) answer_.outcome = addresses;
  }
  finish();
}

void Inquiry::finish() {
  finished_ = true;
  lookups_.clear();
}

void Inquiry::give_up(std::string_view why) {
  for (const uint64_t lookup : lookups_) source_.forget(lookup);
  answer_.hosts.clear();
  answer_.outcome = DnsOutcome::failed;
  DnsRrset rrset;
  rrset.type = question_.type == 0 ? "A" : format_dns_type(question_.type);
  rrset.name = question_.name;
  rrset.canonical = question_.name;
  rrset.why = why;
  answer_.rrsets.assign(1, std::move(rrset));
  finish();
}

std::string answer_text(const DnsAnswer& answer) {
  std::string text = format_dns_answer(answer);
  if (text.size() <= kReplyLimitBytes) return text;
  DnsAnswer failed;
  failed.question = answer.question;
  failed.name = answer.name;
  return format_dns_answer(failed);
}

int answer_exit_code(const DnsAnswer& answer) {
  const bool fits = format_dns_answer(answer).size() <= kReplyLimitBytes;
  return is_temporary(answer.outcome) || !fits ? 111 : 0;
}

}  // namespace postern
