// postern-callahead - ask the host that mail is for whether it takes a recipient, before we do.
//
//   usage      postern-callahead [--serve [--workers N] [--clients UID,...]]
//              postern-callahead check PROFILE ADDRESS
//   fd 1 out   the reply for the client ("550 5.1.1 text"), then a line that says who said so
//   env        POSTERN_HOME
//   control    callahead, smtproutes and what postern-remote reads of the network; concurrencycallahead
//   user       posternr
//   exit       0 the recipient is taken, 100 refused, 111 not known: put off, or refused
//              where the profile says so; or wrong arguments or settings

#include <algorithm>
#include <memory>
#include <optional>

#include "lib/control.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "lib/program.h"
#include "lib/serve.h"
#include "remote/call_ahead.h"

namespace postern {

namespace {

constexpr unsigned kWorkers = 20;
constexpr const char* kWorkersFile = "concurrencycallahead";
constexpr unsigned kDeadlineSeconds = kLongestCallAheadSeconds + 60;

class Service {
 public:
  // False: what was read before stays. The memory is made anew with the settings: they say how much of it.
  bool load() {
    Result<RemoteSettings> settings = read_remote_settings();
    if (!settings) return cannot(settings.failure());
    Result<CallAheadProfiles> profiles = CallAheadProfiles::read();
    if (!profiles) return cannot(profiles.failure());
    Result<uint64_t> workers = control_number_or(kWorkersFile, kWorkers);
    if (!workers) return cannot(workers.failure());
    call_ahead_.reset();
    memory_ = std::make_unique<CallAheadMemory>(*profiles, std::clamp<uint64_t>(*workers, 1, kMostWorkers));
    call_ahead_.emplace(std::move(*settings), std::move(*profiles), *memory_);
    return true;
  }

  int answer(const Job& job, std::string& output) {
    if (job.arguments.size() != 3 || job.arguments[0] != "check") {
      log_warning("answer a question", "the question is: check PROFILE ADDRESS");
      return 111;
    }
    const CallAheadAnswer answer = call_ahead_->ask(job.arguments[1], job.arguments[2]);
    output = answer.reply + "\n" + answer.why + "\n";
    return answer.exit_code;
  }

  int64_t close_idle() { return call_ahead_->close_idle(); }
  void close() {
    if (call_ahead_) call_ahead_->close();
  }

 private:
  static bool cannot(const Failure& failure) {
    log_critical("read the settings", failure.text);
    return false;
  }

  std::unique_ptr<CallAheadMemory> memory_;
  std::optional<CallAhead> call_ahead_;
};

int run(int argc, char** argv) {
  Service service;
  Forms forms;
  forms.defaults.workers = kWorkers;
  forms.defaults.workers_file = kWorkersFile;
  forms.defaults.deadline_seconds = kDeadlineSeconds;
  forms.defaults.idle = [&] { return service.close_idle(); };
  forms.load = [&] { return service.load(); };
  const int exit_code = run_forms(argc, argv, forms,
                                  [&](Job& job, std::string& output) { return service.answer(job, output); });
  service.close();
  return exit_code;
}

}  // namespace

}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-callahead", {}, postern::run, argc, argv);
}
