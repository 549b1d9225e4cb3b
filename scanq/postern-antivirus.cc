// postern-antivirus - the stage that looks for viruses, with libclamav.
//
//   usage      postern-antivirus [file | version | banner | reload] [< message]
//   fd 0 in    the message; with `file` any file
//   fd 1 out   the verdict (Joint 4), as control/antivirus says; nothing when clean; with `file` one line,
//              KIND NAME; with `version` what is known of the signatures
//   fd 3, 4    the envelope; where a message goes that parts were taken out of
//   fd 2 out   the event log
//   env        POSTERN_MID, POSTERN_DIRECTION, TMPDIR (what is unpacked goes there)
//   control    antivirus, templates/antivirus-note, clamdb, avcheck, avheuristics, avmaxage, avmaxfiles,
//   avmaxfilesize, avmaxrecursion,
//              avmaxscansize, avmaxscantime, avminsignatures, avstale, avworkers
//   user       posternv; confined before it reads a message (antivirus_confine.h)
//   exit       0 a verdict, 100 wrong arguments, 111 it could not be scanned to the end (never "clean" by
//              mistake)
//   resident   the signatures are loaded once; SIGHUP, or a change in their directory, loads them anew

#include <signal.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <optional>
#include <utility>

#include "lib/log.h"
#include "lib/program.h"
#include "lib/serve.h"
#include "lib/text.h"
#include "scanq/antivirus_answer.h"
#include "scanq/antivirus_confine.h"
#include "scanq/antivirus_mime.h"
#include "scanq/antivirus_scan.h"
#include "scanq/antivirus_scratch.h"
#include "scanq/antivirus_signatures.h"

namespace postern {

namespace {

constexpr unsigned kWorkers = 2;  // each scan is one CPU's work
constexpr unsigned kPathDeadlineSeconds = 300;
constexpr const char* kUsage =
    "usage: postern-antivirus < message, or with one argument: file, version, banner or reload";

// Gives the bytes to the scanner, within the limits.
using Way = std::function<AntivirusVerdict(const MimeLimits& limits, const Scanner& scan)>;

class Antivirus {
 public:
  explicit Antivirus(bool resident) : resident_(resident), signatures_(resident) {}

  bool load() {
    const bool go_on = signatures_.load();
    if (go_on) {
      read_policy();
      prepare_character_sets();
    }
    return go_on;
  }

  // Once in each process that scans, before it reads anything of a message.
  void begin() {
    if (begun_) return;
    begun_ = true;
    Result<void> ready = give_up_rights();
    if (!ready) not_ready_ = ready.failure().text;
  }

  int answer(Job& job, std::string& output) {
    if (!resident_) ::alarm(kPathDeadlineSeconds);
    const std::string asked = job.arguments.size() == 1 ? job.arguments.front() : "";
    if (asked == "version" || asked == "banner") {
      output = asked == "version" ? signatures_.describe() : signatures_.banner() + "\n";
      return 0;
    }
    if (asked == "reload" && resident_) return ::kill(::getppid(), SIGALRM) == 0 ? 0 : 111;
    spend_until_ = 0;
    if (job.arguments.empty()) {
      if (!policy_) {
        log_warning("scan a message", no_policy_);
        return 111;
      }
      const Look look = [&](std::string_view message, const std::string& exempt) {
        return look_at([&](const MimeLimits& limits, const Scanner& scan) {
          return scan_message(message, limits, scan, exempt);
        });
      };
      return answer_job(job, look, "ClamAV", *policy_, output);
    }
    if (asked == "file") return answer_file(job, output);
    log_critical("start", kUsage);
    return 100;
  }

 private:
  // What is wrong in it leaves the settings as they were; at the start every message is deferred.
  void read_policy() {
    Result<AntivirusPolicy> policy = read_antivirus_policy();
    if (policy) {
      policy_ = std::move(*policy);
      no_policy_.clear();
      return;
    }
    log_critical("read the settings", policy.failure().text);
    if (!policy_) no_policy_ = policy.failure().text;
  }

  int answer_file(Job& job, std::string& output) {
    const AntivirusVerdict verdict = look_at_file(job.fd(0), [&](std::string_view bytes) {
      return look_at(
          [&](const MimeLimits& limits, const Scanner& scan) { return scan_file(bytes, limits, scan); });
    });
    output.append(kind_name(verdict.kind)).append(" ").append(printable(verdict.name, 500)).append("\n");
    return 0;
  }

  AntivirusVerdict look_at(const Way& look) {
    begin();
    Engine* engine = signatures_.engine();
    if (engine == nullptr) {
      log_critical(signatures_.doing(), signatures_.why_not());
      return {AntivirusKind::error, "there are no signatures", {}};
    }
    if (!not_ready_.empty()) return {AntivirusKind::error, not_ready_, {}};
    if (const std::string old = signatures_.too_old_to_use(); !old.empty())
      return {AntivirusKind::error, "the signatures are too old: " + old, {}};
    const MimeLimits limits{.decoded_bytes = signatures_.settings().max_scan_bytes};
    ScanBudget budget = engine->budget();
    // What is looked at again, parts and what is left without them, has the time of the same request.
    if (spend_until_ == 0) spend_until_ = budget.deadline_milliseconds;
    budget.deadline_milliseconds = spend_until_;
    return look(limits, [&](std::string_view piece, MailParser parser) {
      return engine->scan(piece, parser, budget);
    });
  }

  Result<void> give_up_rights() {
    Result<Scratch> made = Scratch::make();
    if (!made) return made.failure();
    scratch_ = std::move(*made);
    if (signatures_.engine() != nullptr) signatures_.engine()->use_scratch(scratch_->path());
    Result<Confined> confined = confine(scratch_->path(), resident_ ? ::getppid() : 0);
    if (!confined) return confined.failure();
    if (!confined->files_open.empty()) log_warning("keep a scan from other files", confined->files_open);
    return {};
  }

  bool resident_;
  Signatures signatures_;
  bool begun_ = false;
  int64_t spend_until_ = 0;  // of the request at hand; 0: nothing was looked at yet
  std::string not_ready_;
  std::optional<AntivirusPolicy> policy_;
  std::string no_policy_;
  std::optional<Scratch> scratch_;  // of this process: a worker makes its own
};

int run(int argc, char** argv) {
  bool resident = false;
  for (int i = 1; i < argc; ++i) resident = resident || std::strcmp(argv[i], "--serve") == 0;
  Antivirus antivirus(resident);
  Forms forms;
  forms.defaults.workers = kWorkers;
  forms.defaults.workers_file = "avworkers";
  forms.defaults.begin = [&] { antivirus.begin(); };
  forms.path_fds = {0, 3, 4};
  forms.load = [&] { return antivirus.load(); };
  return run_forms(argc, argv, forms,
                   [&](Job& job, std::string& output) { return antivirus.answer(job, output); });
}

}  // namespace

}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-antivirus", {.no_memory = 111, .bug = 111}, postern::run, argc, argv);
}
