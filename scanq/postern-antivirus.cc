// postern-antivirus - the stage that looks for viruses, with libclamav.
//
//   fd 0 in    the message
//   fd 1 out   the verdict (Joint 4): nothing when clean; `quarantine Virus NAME` and `stop`, or `reject 554
//   …` fd 2 out   the event log env        POSTERN_MID, POSTERN_DIRECTION, TMPDIR (what is unpacked goes
//   there)              user   posternv exit       0 a verdict, 100 wrong arguments, 111 it could not be
//   scanned to the end (never "clean" by mistake) resident   the signatures are loaded once; SIGHUP, or a
//   change in their directory, loads them anew

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <utility>

#include "lib/fd.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/program.h"
#include "lib/serve.h"
#include "lib/text.h"
#include "scanq/antivirus_actions.h"
#include "scanq/antivirus_engine.h"
#include "scanq/antivirus_mime.h"
#include "scanq/antivirus_scan.h"
#include "scanq/antivirus_scratch.h"

namespace postern {

namespace {

constexpr size_t kMessageLimitBytes = size_t{1024} * 1024 * 1024;
constexpr unsigned kWorkers = 2;  // each scan is one CPU's work
constexpr unsigned kPathDeadlineSeconds = 300;

volatile sig_atomic_t look_again = 0;

// The parent of the workers sleeps until a signal: the clock says SIGHUP to it, and that it was not the
// operator.
void note_time(int) {
  look_again = 1;
  ::kill(::getpid(), SIGHUP);
}

struct Unmap {
  size_t length = 0;
  void operator()(void* start) const { ::munmap(start, length); }
};
using Map = std::unique_ptr<void, Unmap>;

class Antivirus {
 public:
  explicit Antivirus(bool resident) : resident_(resident) {}

  // At the start: always true, so that a resident without signatures stays up and says so to everybody who
  // asks. As a reload: has there been a change?
  bool load() {
    const bool first = !std::exchange(started_, true);
    const bool by_clock = std::exchange(look_again, 0) != 0;
    const bool changed = load_if_changed(by_clock);
    if (resident_) look_again_later();
    return first || changed;
  }

  int answer(Job& job, std::string& output) {
    if (!job.arguments.empty()) return refuse_arguments();
    if (!resident_) ::alarm(kPathDeadlineSeconds);
    if (!engine_) {
      log_critical(doing(), why_not_);
      return 111;
    }
    const std::string mid =
        "MID " + std::to_string(parse_mid(job.environment.get_or("POSTERN_MID", "")).value_or(0));
    std::string_view message;
    Map map;
    AntivirusVerdict verdict;
    if (Result<Map> mapped = map_message(job, message); mapped) {
      map = std::move(*mapped);
      verdict = look_at(message);
    } else {
      verdict = {AntivirusKind::error, mapped.failure().text, {}};
    }
    if (verdict.kind != AntivirusKind::error) {
      const bool infected = verdict.kind == AntivirusKind::infected;
      LogLines lines;
      lines.info(mid + " interim AV verdict using ClamAV " + (infected ? "VIRAL" : "CLEAN"));
      lines.info(mid + " antivirus " + (infected ? "positive '" + verdict.name + "'" : "negative"));
    }
    return answer_with_policy(
        verdict, policy_, job, message, [&](std::string_view bytes) { return look_at(bytes); }, output);
  }

 private:
  [[nodiscard]] std::string doing() const {
    return settings_.directory.empty() ? "load signatures" : "load signatures from " + settings_.directory;
  }

  static int refuse_arguments() {
    log_critical("start", "it takes no arguments; usage: postern-antivirus < message");
    return 100;
  }

  // The new engine is complete and tested before the old one goes; what it was made from is remembered only
  // then, so that the clock tries again what failed.
  bool load_if_changed(bool by_clock) {
    Result<EngineSettings> settings = read_engine_settings();
    if (!settings) return keep_what_we_have(settings_.directory, settings.failure().text);
    const uint64_t fingerprint = signature_fingerprint(settings->directory);
    if (by_clock && engine_ && !behind_ && fingerprint == fingerprint_) return false;
    if (!engine_) settings_ = *settings;  // who asks is told which directory it is
    Result<AntivirusPolicy> policy = read_antivirus_policy();
    if (!policy) return keep_what_we_have(settings->directory, policy.failure().text);
    Result<Engine> fresh = Engine::load(*settings);
    if (!fresh) return keep_what_we_have(settings->directory, fresh.failure().text);
    engine_ = std::move(*fresh);
    policy_ = std::move(*policy);
    settings_ = std::move(*settings);
    fingerprint_ = fingerprint;
    behind_ = false;
    if (resident_) {
      prepare_mime();
      log_info("antivirus ready: " + std::to_string(engine_->signatures()) + " signatures from " +
               settings_.directory + ", database version " + std::to_string(engine_->database_version()));
    }
    return true;
  }

  bool keep_what_we_have(const std::string& directory, std::string why) {
    behind_ = true;
    why_not_ = std::move(why);
    if (resident_) {
      log_critical(
          "load signatures from " + directory,
          why_not_ + (engine_ ? "; the old ones stay in use" : "; every message is deferred until it works"));
    }
    return false;
  }

  void look_again_later() const {
    struct sigaction action {};
    action.sa_handler = note_time;
    ::sigaction(SIGALRM, &action, nullptr);
    ::alarm(static_cast<unsigned>(settings_.check_seconds == 0 ? 60 : settings_.check_seconds));
  }

  // The view lives as long as the map; an empty message has none.
  Result<Map> map_message(const Job& job, std::string_view& view) {
    if (!scratch_) {
      Result<Scratch> made = Scratch::make();
      if (!made) return made.failure();
      scratch_ = std::move(*made);
      engine_->use_scratch(scratch_->path());
    }
    if (job.fd(0) < 0) return temporary("there is no message on descriptor 0");
    Result<Fd> message = own_copy(job.fd(0), kMessageLimitBytes, "read the message");
    if (!message) return message.failure();
    Result<size_t> size = file_size(message->get(), "read the message");
    if (!size) return size.failure();
    if (*size == 0) return Map{};
    void* start = ::mmap(nullptr, *size, PROT_READ, MAP_PRIVATE, message->get(), 0);
    if (start == MAP_FAILED) return os_failure("map the message", errno);
    view = {static_cast<const char*>(start), *size};
    return Map{start, Unmap{*size}};
  }

  [[nodiscard]] AntivirusVerdict look_at(std::string_view message) const {
    if (message.empty()) return {};
    const MimeLimits limits{.decoded_bytes = settings_.max_scan_bytes};
    const ScanResult result =
        scan_message(message, limits, [&](std::string_view bytes) { return engine_->scan(bytes); });
    if (result.finding == Finding::infected) return {AntivirusKind::infected, result.what, {}};
    return {result.finding == Finding::clean ? AntivirusKind::clean : AntivirusKind::error, result.what, {}};
  }

  bool resident_;
  bool started_ = false;
  EngineSettings settings_;
  uint64_t fingerprint_ = 0;
  bool behind_ = false;  // the last load failed: the engine is not what the files ask for
  std::optional<Engine> engine_;
  AntivirusPolicy policy_;
  std::string why_not_;
  std::optional<Scratch> scratch_;  // of this process: a worker makes its own
};

int run(int argc, char** argv) {
  bool resident = false;
  for (int i = 1; i < argc; ++i) resident = resident || std::strcmp(argv[i], "--serve") == 0;
  Antivirus antivirus(resident);
  Forms forms;
  forms.defaults.workers = kWorkers;
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
