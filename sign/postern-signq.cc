// postern-signq - make the DKIM signatures and the bounce tags of what goes out; the keys are here alone.
//
//   usage      postern-signq [--serve [--workers N] [--clients UID,...]]
//              postern-signq sign SENDER    prints DKIM-Signature fields for the message, or nothing
//              postern-signq tag SENDER     prints the tagged sender, or nothing
//              postern-signq check ADDRESS  prints untagged, valid, expired or forged, TAB, the address
//              without tag
//   fd 0 in    sign: the message, a file
//   env        POSTERN_HOME; POSTERN_MID for the log
//   files      control/{dkim,dkimheaders,locals,rcpthosts,morercpthosts}, secrets/posterng/
//   user       posterng
//   exit       0 answered, 31 it cannot be signed, 54 unable to read it, 55 a broken setting or key, 100
//   wrong
//              arguments

#include <unistd.h>

#include <optional>

#include "lib/fd.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/program.h"
#include "lib/serve.h"
#include "lib/submit.h"
#include "lib/text.h"
#include "sign/signer.h"

namespace {

using namespace postern;

constexpr size_t kMessageLimitBytes = size_t{1} << 32;
constexpr unsigned kWorkers = 4;

class Service {
 public:
  // False: what was read before stays.
  bool load() {
    files_.changed();
    Result<Signer> signer = Signer::read();
    if (!signer) {
      log_critical("read the settings", signer.failure().text);
      return false;
    }
    signer_ = std::move(*signer);
    return true;
  }

  int answer(Job& job, std::string& output) {
    if (job.arguments.size() != 2) return wrong_arguments();
    if (files_.changed()) load();  // a new line counts for the next message
    const std::string& what = job.arguments[0];
    const std::string& address = job.arguments[1];
    const std::string label = mid_text(parse_mid(job.environment.get_or("POSTERN_MID", "")).value_or(0));
    const uint64_t now = now_microseconds() / 1000000;
    if (what == "sign") return say(sign(job, address, label), label, output);
    if (what == "tag") return say(signer_->tag(address, label, now), label, output);
    if (what != "check") return wrong_arguments();
    const PrvsCheck check = signer_->check(address, now);
    output += std::string(prvs_state_name(check.state)) + "\t" + check.address + "\n";
    return 0;
  }

 private:
  Result<std::string> sign(const Job& job, const std::string& sender, const std::string& label) {
    if (job.fd(0) < 0) return temporary("read the message: there is no descriptor 0", 54);
    // It must not change between its hash and its way into the queue; by hand it may be a pipe.
    Result<Fd> message = own_copy(job.fd(0), kMessageLimitBytes, "read the message");
    if (!message) return temporary(message.failure().text, 54);
    return signer_->sign(message->get(), sender, label);
  }

  static int say(const Result<std::string>& answer, const std::string& label, std::string& output) {
    if (!answer) {
      log_warning("answer for " + label, answer.failure());
      return queue_exit_code(answer.failure());
    }
    output += *answer;
    return 0;
  }

  static int wrong_arguments() {
    log_warning("answer", "the arguments are sign SENDER, tag SENDER or check ADDRESS");
    return 100;
  }

  std::optional<Signer> signer_;
  SignerFiles files_;
};

int run(int argc, char** argv) {
  Service service;
  ServeOptions defaults;
  defaults.workers = kWorkers;
  defaults.workers_file = "concurrencysign";
  const Forms forms{.defaults = defaults, .path_fds = {0}, .load = [&] { return service.load(); }};
  return run_forms(argc, argv, forms,
                   [&](Job& job, std::string& output) { return service.answer(job, output); });
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-signq", {.no_memory = 51, .bug = 81}, run, argc, argv);
}
