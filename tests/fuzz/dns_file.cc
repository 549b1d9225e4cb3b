// parts: dnsq/dns_file.cc dnsq/dns_name.cc dnsq/dns_record.cc dnsq/inquiry.cc lib
//
// A DNS file, and wire data: what comes out has one form, which is its own normal form, and an answer made of
// it can be parsed again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "dnsq/dns_file.h"
#include "dnsq/dns_name.h"
#include "dnsq/dns_record.h"
#include "dnsq/inquiry.h"
#include "lib/text.h"

using namespace postern;

namespace {

void require(bool fact) {
  if (!fact) std::abort();
}

void check_name(std::string_view text) {
  const std::optional<std::string> wire = parse_dns_name(text);
  if (!wire) return;
  require(wire->size() <= 255);
  const std::string normal = format_dns_name(*wire);
  require(parse_dns_name(normal) == wire);
  for (const char c : normal) require(c > 0x20 && c < 0x7f);
}

void check_wire(std::string_view bytes) {
  for (const uint16_t type :
       {kTypeA, kTypeAaaa, kTypeMx, kTypeTxt, kTypeTlsa, kTypeCname, uint16_t{33}, uint16_t{65}}) {
    const std::string text = format_dns_data(type, bytes);
    for (const char c : text) require(c >= 0x20 && c < 0x7f);
    const std::optional<std::vector<DnsToken>> tokens = split_dns_line(text);
    require(tokens.has_value());
    const std::optional<std::string> again = normalise_dns_data(type, *tokens);
    // TLSA without any data has no text that could be read again.
    if (type != kTypeTlsa) require(again == text);
  }
}

void check_question(const std::vector<std::string>& words, DnsSource& source) {
  Result<DnsQuestion> question = parse_dns_question(words);
  if (!question) return;
  Inquiry inquiry(std::move(*question), source);
  inquiry.start();
  require(inquiry.finished());
  const std::string text = answer_text(inquiry.answer());
  const Result<DnsAnswer> parsed = parse_dns_answer(text);
  require(parsed.ok() && format_dns_answer(*parsed) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_wire(text);
  Result<std::unique_ptr<DnsFile>> file = DnsFile::parse(text, "f");
  for (const std::string_view line : split(text, '\n')) {
    const std::string_view name = line.substr(0, line.find_first_of(" \t"));
    check_name(name);
    if (!file) continue;
    for (const char* kind : {"mx", "ip", "txt", "ptr", "tlsa"})
      check_question({kind, std::string(name)}, **file);
    check_question({"any", "CNAME", std::string(name)}, **file);
  }
  return 0;
}
