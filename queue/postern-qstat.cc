// postern-qstat - how many messages the queue holds, and where.
//
//   usage      postern-qstat [--spool DIR]
//   fd 1 out   lines "messages in queue: N", "of these not yet seen: N", "of these tried before: N", "being
//   written: N" env        POSTERN_HOME exit       0 done, 100 usage, 111 the queue could not be read

#include "lib/control.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/spool.h"

namespace {

using namespace postern;

int run(int argc, char** argv) {
  std::string directory = home_path("queue");
  if (argc == 3 && std::string_view(argv[1]) == "--spool") {
    directory = argv[2];
  } else if (argc != 1) {
    log_critical("start", "usage: postern-qstat [--spool DIR]");
    return 100;
  }
  const Spool spool(directory);
  const auto count = [&](std::string_view place) -> Result<size_t> {
    Result<std::vector<uint64_t>> mids = spool.list(place);
    if (!mids) return mids.failure();
    return mids->size();
  };
  const Result<size_t> unseen = count("new");
  const Result<size_t> taken = count("cur");
  const Result<size_t> tried = count("defer");
  const Result<size_t> unfinished = count("tmp");
  for (const Result<size_t>* number : {&unseen, &taken, &tried, &unfinished}) {
    if (*number) continue;
    log_critical("list the queue", number->failure().text);
    return 111;
  }
  const std::string text = "messages in queue: " + std::to_string(*unseen + *taken) +
                           "\nof these not yet seen: " + std::to_string(*unseen) +
                           "\nof these tried before: " + std::to_string(*tried) +
                           "\nbeing written: " + std::to_string(*unfinished) + "\n";
  return write_all(1, text, "write") ? 0 : 111;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-qstat", {}, run, argc, argv);
}
