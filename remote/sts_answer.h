// What postern-stsd answers, and what stands in db/sts/: lines of a word and its value.
//
//   domain example.org          the first line
//   outcome found               found: a policy holds; none: none is published; failed: there is one, or
//                               may be, and it could not be had; pending: there is one, it is not known yet,
//                               and another worker fetches it, or too many are being fetched
//   mode enforce                these five only where a policy is there
//   id 20261122T000000
//   max_age 604800
//   left 600000                 seconds for which it still holds
//   mx *.example.net            one a line
//   result sts-webpki-invalid   why it could not be fetched anew, in RFC 8460's words (4.3)
//   why TEXT                    and in ours
//   end                         the last line: half an answer is none
//
// A file of db/sts/ has fetched and tried (seconds since 1970) in the place of outcome and left.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/result.h"
#include "remote/sts_policy.h"

namespace postern {

struct StsAnswer {
  enum class Outcome { found, none, failed, pending };
  std::string domain{};
  Outcome outcome = Outcome::none;
  StsPolicy policy{};
  uint64_t left = 0;  // seconds
  std::string result{};
  std::string why{};
};

// What is known of a domain between two fetches.
struct StsEntry {
  std::string domain{};
  StsPolicy policy{};
  uint64_t fetched = 0;  // when the policy was; 0: there is none
  uint64_t tried = 0;    // when its fetch was begun the last time
  std::string result{};  // of that, where it failed
  std::string why{};
  uint64_t used = 0;  // when somebody asked for it, to the hour: the file's time, not in it

  [[nodiscard]] bool holds(uint64_t now) const { return fetched != 0 && now < fetched + policy.max_age; }
};

std::string format_sts_answer(const StsAnswer& answer);
Result<StsAnswer> parse_sts_answer(std::string_view text);
std::string format_sts_entry(const StsEntry& entry);
Result<StsEntry> parse_sts_entry(std::string_view text);

}  // namespace postern
