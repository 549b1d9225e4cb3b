// postern-access - says whether a sender, a recipient or a host's name is on the operator's lists of those
// that are not welcome.
//
//   usage      postern-access [--serve [--clients UID,...]]
//              postern-access mail SENDER | rcpt RECIPIENT | helo NAME
//              prints the line that decided, FILE:LINE: TEXT, or nothing
//   env        POSTERN_HOME
//   control    badmailfrom, badrcptto, badhelo; read again when one has changed
//   user       posternj
//   exit       0 welcome, 1 not welcome, 100 wrong arguments, 111 the list cannot be read

#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "lib/control.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/serve.h"
#include "lib/text.h"
#include "lib/watched_file.h"
#include "receipt/access_table.h"

namespace {

using namespace postern;

// One, as long as the service lives: where a file is broken the table before it holds, and each process knows
// its own alone. A question takes microseconds.
constexpr unsigned kWorkers = 1;
constexpr unsigned kRequestsPerWorker = std::numeric_limits<unsigned>::max();
// Clients ask as soon as they have connected; one that does not must not hold up all others, who wait for ten
// seconds.
constexpr int64_t kIdleMilliseconds = 1000;
constexpr int kNotWelcome = 1;

std::string file_of(AccessList list) {
  return "control/" + std::string(names_of(list).file);
}

// One file and what was made of it.
class ListFile {
 public:
  explicit ListFile(AccessList list) : list_(list), file_(home_path(file_of(list))) {}

  [[nodiscard]] AccessList list() const { return list_; }

  // Nothing: it was never readable.
  const AccessTable* table() {
    if (file_.changed()) (void)read();
    return table_ ? &*table_ : nullptr;
  }
  bool load() {
    (void)file_.changed();
    return read();
  }

 private:
  // False: it cannot be read, which changes nothing.
  bool read() {
    Result<std::string> text = file_.exists() ? read_file(file_.path(), kAccessFileBytes) : std::string();
    Result<AccessTable> made = text ? AccessTable::parse(*text, file_of(list_), list_) : text.failure();
    if (made) {
      table_ = std::move(*made);
    } else {
      log_critical("use a new " + file_of(list_) + (table_ ? "; the old one holds" : ""),
                   made.failure().text);
    }
    return made.ok();
  }

  AccessList list_;
  WatchedFile file_;
  std::optional<AccessTable> table_;
};

class Service {
 public:
  // At the start a broken list does not keep the others from being asked; on SIGHUP, the worker that knows
  // what stood there before stays.
  bool load() {
    bool good = true;
    for (ListFile& list : lists_) good = list.load() && good;
    return !std::exchange(loaded_, true) || good;
  }

  int answer(const Job& job, std::string& output) {
    ListFile* asked = job.arguments.size() == 2 ? find(job.arguments[0]) : nullptr;
    if (asked == nullptr || job.arguments[1].size() > kAccessValueBytes) {
      log_warning("answer", "the arguments are mail SENDER, rcpt RECIPIENT or helo NAME");
      return 100;
    }
    const AccessTable* table = asked->table();
    if (table == nullptr) return 111;
    const AccessVerdict verdict = table->judge(job.arguments[1]);
    if (verdict.line != 0)
      output += file_of(asked->list()) + ":" + std::to_string(verdict.line) + ": " + verdict.text + "\n";
    return verdict.welcome ? 0 : kNotWelcome;
  }

 private:
  ListFile* find(std::string_view verb) {
    for (ListFile& list : lists_) {
      if (names_of(list.list()).verb == verb) return &list;
    }
    return nullptr;
  }

  bool loaded_ = false;
  std::array<ListFile, 3> lists_ = {ListFile(AccessList::sender), ListFile(AccessList::recipient),
                                    ListFile(AccessList::helo)};
};

int run(int argc, char** argv) {
  Service service;
  ServeOptions defaults;
  defaults.workers = kWorkers;
  defaults.requests_per_worker = kRequestsPerWorker;
  defaults.idle_milliseconds = kIdleMilliseconds;
  const Forms forms{.defaults = defaults, .path_fds = {}, .load = [&] { return service.load(); }};
  return run_forms(argc, argv, forms,
                   [&](Job& job, std::string& output) { return service.answer(job, output); });
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-access", {.no_memory = 111, .bug = 111}, run, argc, argv);
}
