// parts: remote/sts_policy.cc remote/sts_answer.cc remote/tag_record.cc
// parts: lib
//
// mta-sts.txt as a stranger's server may send it, and TXT records: what is taken is within its bounds, goes
// through the cache's file unchanged, and names no host that is not one.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/dns_text.h"
#include "remote/sts_answer.h"
#include "remote/sts_policy.h"
#include "remote/tag_record.h"
#include "tests/fuzz/must.h"

using namespace postern;

namespace {

void look_at_policy(std::string_view text) {
  Result<StsPolicy> policy = parse_sts_policy(text);
  if (!policy) {
    must(policy.failure().permanent());
    return;
  }
  must(policy->mx.size() <= kStsMxLimit && policy->max_age <= kStsLongestAgeSeconds);
  must(policy->mode == StsPolicy::Mode::none || !policy->mx.empty());
  for (const std::string& mx : policy->mx) {
    const bool wild = mx.starts_with("*.");
    must(sts_matches(*policy, wild ? "a" + mx.substr(1) : mx));
    must(mx.find_first_of(" \n\t/") == std::string::npos && mx.size() <= 255);
  }
  StsEntry entry{.domain = "example.org", .policy = *policy, .fetched = 1, .tried = 1};
  entry.policy.id = "1";
  const std::string written = format_sts_entry(entry);
  const Result<StsEntry> again = parse_sts_entry(written);
  must(again.ok() && again->policy.mx == policy->mx && again->policy.mode == policy->mode);
  must(format_sts_entry(*again) == written);
  std::string lines;
  for (const std::string& line : sts_policy_lines(*policy)) lines += line + "\r\n";
  const Result<StsPolicy> reread = parse_sts_policy(lines);
  must(reread.ok() && reread->mx == policy->mx && reread->max_age == policy->max_age);
}

void look_at_record(std::string_view text) {
  const std::optional<std::string> bytes = txt_bytes(text);
  if (bytes) must(bytes->size() <= text.size());
  const std::string id = sts_id_of({std::string(text)});
  must(id.size() <= 32 && id.find_first_of("; \n") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  look_at_policy(text);
  look_at_record(text);
  const Result<StsAnswer> answer = parse_sts_answer(text);
  if (answer) must(parse_sts_answer(format_sts_answer(*answer)).ok());
  return 0;
}
