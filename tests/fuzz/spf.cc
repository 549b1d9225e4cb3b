// parts: dnsq/dns_name.cc lib
//
// SPF records and macros as a stranger's DNS may hold them. The input's lines are what every TXT question is
// answered with, in turn: includes, redirects and explanations come from it, too. What is asked is bounded,
// each question is a name that dnsq would take, and what is said is one line of printable ASCII.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dnsq/dns_name.h"
#include "lib/sender_exceptions.h"
#include "lib/spf.h"
#include "lib/spf_macro.h"
#include "lib/spf_record.h"
#include "lib/text.h"
#include "tests/fuzz/must.h"

using namespace postern;

namespace {

// TXT for the check itself, ten redirects or includes and the explanation; MX and A for ten terms with ten
// hosts each; PTR and its ten names, for each of the macros as well.
constexpr size_t kMostQuestions = 12 + 10 * 11 + 12 * 300;

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

DnsAnswer answer_with(const std::vector<std::string>& question, std::string_view line) {
  DnsAnswer answer;
  answer.outcome = DnsOutcome::found;
  DnsRrset rrset;
  rrset.outcome = DnsOutcome::found;
  const std::string_view type = question.front() == "ptr" ? "PTR" : std::string_view(question[1]);
  if (type == "TXT") {
    rrset.data.push_back(quote_dns_string(line));
  } else if (type == "A" || type == "AAAA") {
    rrset.data.push_back(type == "A" ? "192.0.2.1" : "2001:db8::1");
  } else {
    for (int i = 0; i < 12; ++i)
      rrset.data.push_back((type == "MX" ? "10 " : "") + std::string("h") + std::to_string(i) +
                           ".example.org");
    if (line.size() % 2 == 0) rrset.data.resize(3);
  }
  if (line.starts_with("none")) {
    answer.outcome = rrset.outcome = DnsOutcome::nxdomain;
    rrset.data.clear();
  }
  answer.rrsets.push_back(std::move(rrset));
  return answer;
}

void check(const std::vector<std::string_view>& lines, const SpfQuestion& question) {
  size_t asked = 0;
  const AskDns ask = [&](const std::vector<std::string>& words) -> Result<DnsAnswer> {
    ++asked;
    must(words.front() == "ptr" || parse_dns_name(words.back()).has_value());
    return answer_with(words, lines[asked % lines.size()]);
  };
  const SpfAnswer answer = check_spf(question, ask);
  must(asked <= kMostQuestions);
  must(is_plain(answer.reason) && is_plain(answer.explanation) && answer.explanation.size() <= 400);
  must(answer.explanation.empty() || answer.result == SpfResult::fail);
  must(!spf_word(answer.result).empty());
}

void check_text(std::string_view line) {
  const SpfMacros macros{.local_part = "l.o-c",
                         .sender_domain = "example.org",
                         .domain = "d.example.org",
                         .helo = "h.example",
                         .ip = *parse_spf_address("2001:db8::1"),
                         .receiver = "r.example",
                         .validated_name = [] { return std::string("p.example.org"); }};
  const bool good = is_spf_macro_string(line, SpfText::explanation);
  must(good == expand_spf_macros(line, SpfText::explanation, macros).has_value() || line.size() > 200);
  if (is_spf_domain_spec(line)) must(is_spf_macro_string(line, SpfText::domain));
  const Result<SpfRecord> record = parse_spf_record(line);
  if (record) {
    must(is_plain(line));
    for (const SpfTerm& term : record->terms) must(term.prefix4 <= 32 && term.prefix6 <= 128);
  }
  if (const Result<SenderException> exception = parse_exception_line(line)) {
    const Result<SenderException> again =
        parse_exception_line(exception->entry + exception_value(*exception, 1).substr(1));
    must(again.ok() && again->entry == exception->entry && again->text == exception->text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string_view> lines = split(text, '\n');
  for (const std::string_view line : lines) check_text(line);
  const std::string sender = std::string(lines.front()) + "@example.org";
  check(lines, {.ip = "192.0.2.7", .helo = "h.example", .sender = sender, .receiver = "r.example"});
  check(lines,
        {.ip = "2001:db8::7", .helo = std::string(lines.back()) + ".example", .sender = "", .receiver = ""});
  return 0;
}
