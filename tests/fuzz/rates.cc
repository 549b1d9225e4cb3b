// parts: receipt/rate_check.cc receipt/counters.cc
//
// By the first byte: what a client asks postern-rated, what smtpd takes for its answer, or its state file,
// whole and with the checksum put right. What is taken can be written again and means the same; counting
// never lets more than a limit through.
#include <xxhash.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "lib/text.h"
#include "receipt/counters.h"
#include "receipt/rate_check.h"
#include "tests/fuzz/must.h"

using namespace postern;

namespace {

constexpr uint64_t kNow = 1767268800;

void question(std::string_view text) {
  std::vector<std::string> arguments;
  for (const std::string_view word : split(text, '\0')) arguments.emplace_back(word);
  const Result<std::vector<RateCheck>> checks = parse_rate_arguments(arguments);
  if (!checks) return must(checks.failure().permanent());
  must(!checks->empty() && checks->size() <= kRateChecks);
  const Result<std::vector<RateCheck>> again = parse_rate_arguments(rate_arguments(*checks));
  must(again.ok() && *again == *checks);
  MemoryCounters counters(1000, 1);
  for (int i = 0; i < 4; ++i) {
    const RateAnswer answer = counters.ask(*checks, kNow + static_cast<uint64_t>(i));
    if (answer.over) must(answer.check < checks->size() && answer.count >= (*checks)[answer.check].limit);
  }
  must(counters.size() <= checks->size());
}

void state(std::string bytes, bool right) {
  if (right && bytes.size() >= 40) {
    std::memcpy(bytes.data(), "postern-rated 1\n", 16);
    const uint64_t sum = XXH3_64bits(bytes.data(), bytes.size() - 8);
    std::memcpy(bytes.data() + bytes.size() - 8, &sum, sizeof sum);
  }
  MemoryCounters counters(1000, 1);
  if (!counters.decode(bytes, kNow)) return must(counters.size() == 0);
  must(counters.size() <= bytes.size() / 76);
  const size_t size = counters.size();
  MemoryCounters again(1000, 2);
  must(again.decode(counters.encode(), kNow).ok() && again.size() == size);
  const RateCheck check{.what = RateCheck::What::take, .name = "a", .key = "k", .seconds = 3600, .limit = 1};
  (void)counters.ask({&check, 1}, kNow);
  must(counters.ask({&check, 1}, kNow).over);
  for (int i = 0; i < 100; ++i) counters.sweep(kNow + 40 * 86400, 1);
  must(counters.size() == 0 || size > 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      question(text);
      break;
    case 1:
      if (const Result<RateAnswer> answer = parse_rate_answer(text, 3); answer && answer->over) {
        must(answer->check < 3);
        must(parse_rate_answer(format_rate_answer(*answer), 3)->count == answer->count);
      }
      break;
    default:
      state(std::string(text), data[0] % 4 == 3);
  }
  return 0;
}
