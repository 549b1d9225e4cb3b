// parts: queue/attempts.cc lib
//
// What stands in defer/, torn by a crash or worse. Reading never fails; a reply is one line of what stands
// there, and what is appended behind anything is read.
#include "queue/attempts.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/fd.h"
#include "tests/fuzz/must.h"

using namespace postern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Attempts attempts = parse_attempts(text);
  must(attempts.tries <= 1000000);
  for (const auto& [rid, reply] : attempts.replies) {
    must(!reply.empty() && reply.find('\n') == std::string::npos &&
         text.find(reply) != std::string_view::npos);
  }
  const RetryProfile profile{.first_wait = attempts.last, .longest_wait = attempts.next};
  uint64_t before = 0;
  for (unsigned tries = 0; tries < 70; ++tries) {
    const uint64_t wait = wait_after(profile, tries);
    must(wait <= std::max<uint64_t>(1, profile.longest_wait) && wait >= 1 && wait >= before);
    before = wait;
  }

  Result<Fd> file = memory_file_with("attempts", text);
  must(file.ok());
  const std::string path = "/proc/self/fd/" + std::to_string(file->get());
  Attempts pass;
  pass.tries = 3;
  pass.last = 100;
  pass.next = 200;
  pass.replies = {{7, std::string(text)}, {8, "kept"}};
  pass.warned = {{9, {.count = 1, .last = 100}}};
  pass.turns = {{5, {.tries = 2, .next = 300}}};
  must(append_attempt(path, pass, {11}).ok());
  must(append_successes(path, {{10, {"relayed", std::string(text)}}}).ok());
  const Attempts read = read_attempts(path);
  const bool torn = !text.empty() && !text.ends_with('\n');
  must(read.tries == 3 && read.next == 200 && read.replies.at(8) == "kept");
  must(read.turn_of(5) == Turn{2, 300});
  must(read.warned.contains(9) && read.untold.at(10).action == "relayed" && !read.untold.contains(11));
  if (!torn && text.find_first_not_of(" \t") != std::string_view::npos) must(read.replies.contains(7));
  return 0;
}
