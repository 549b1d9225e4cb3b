// postern-qread - list the messages of the queue, one line each; works on any spool that one may read.
//
//   usage      postern-qread [--spool DIR]
//   fd 1 out   MID, place (new or cur), age in seconds, bytes, tries, seconds to the next try, <sender>, then
//   for each recipient
//              its state letter and <address>; separated by TAB
//   env        POSTERN_HOME
//   exit       0 done, 100 usage, 111 something could not be read (what could is printed)

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "lib/control.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/spool.h"
#include "lib/text.h"
#include "queue/attempts.h"

namespace {

using namespace postern;

std::string describe(const Spool& spool, std::string_view place, uint64_t mid, const QueuedMessage& message) {
  const uint64_t now = now_microseconds();
  const Attempts attempts = read_attempts(spool.path("defer", mid));
  const uint64_t seconds = now / 1000000;
  std::string line = std::to_string(mid) + "\t" + std::string(place) + "\t" +
                     std::to_string(now > message.born ? (now - message.born) / 1000000 : 0) + "\t" +
                     std::to_string(message.message_size) + "\t" + std::to_string(attempts.tries) + "\t" +
                     std::to_string(attempts.next > seconds ? attempts.next - seconds : 0) + "\t<" +
                     printable(message.envelope.sender) + ">";
  for (size_t rid = 0; rid < message.states.size(); ++rid) {
    line += "\t";
    line += static_cast<char>(message.states[rid]);
    line += " <" + printable(message.envelope.recipients[rid].address) + ">";
  }
  return line + "\n";
}

// A message that is delivered while we look is no fault.
bool print_message(const Spool& spool, std::string_view place, uint64_t mid) {
  const std::string path = spool.path(place, mid);
  const Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) return errno == ENOENT;
  Result<QueuedMessage> message = read_queue_file(file.get());
  if (!message) {
    log_warning("read " + path, message.failure());
    return false;
  }
  return write_all(1, describe(spool, place, mid, *message), "write").ok();
}

int run(int argc, char** argv) {
  std::string directory = home_path("queue");
  if (argc == 3 && std::string_view(argv[1]) == "--spool") {
    directory = argv[2];
  } else if (argc != 1) {
    log_critical("start", "usage: postern-qread [--spool DIR]");
    return 100;
  }
  const Spool spool(directory);
  bool all = true;
  for (const char* place : {"cur", "new"}) {
    Result<std::vector<uint64_t>> mids = spool.list(place);
    if (!mids) {
      log_critical("list the queue", mids.failure().text);
      return 111;
    }
    std::sort(mids->begin(), mids->end());
    for (const uint64_t mid : *mids) all = print_message(spool, place, mid) && all;
  }
  return all ? 0 : 111;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-qread", {}, run, argc, argv);
}
