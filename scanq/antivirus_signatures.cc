#include "scanq/antivirus_signatures.h"

#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <utility>

#include "lib/child.h"
#include "lib/log.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr unsigned kSettleSeconds = 1;
constexpr int64_t kLongestRetryMilliseconds = 600 * 1000;  // a load may take half a minute of CPU
constexpr uint64_t kSecondsPerDay = 24 * 3600;
constexpr uint64_t kUsualCheckSeconds = 10;

volatile sig_atomic_t look_again = 0;

// The parent of the workers sleeps until a signal: the clock says SIGHUP to it, and that it was not the
// operator.
void note_time(int) {
  look_again = 1;
  ::kill(::getpid(), SIGHUP);
}

uint64_t now_seconds() {
  return now_microseconds() / 1000000;
}

}  // namespace

struct Signatures::Shared {
  std::atomic<size_t> problem_bytes;
  char problem[1024];
};

Signatures::Signatures(bool resident) : resident_(resident) {
  void* page = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page != MAP_FAILED) shared_ = ::new (page) Shared{};
}

bool Signatures::load() {
  const bool first = !std::exchange(started_, true);
  const bool by_clock = std::exchange(look_again, 0) != 0;
  const bool changed = load_if_needed(by_clock);
  if (resident_) {
    warn_of_age();
    look_again_later();
  }
  return first || changed;
}

// What the engine was made from is remembered as it was before the load, and only when that succeeds: what
// changes meanwhile, or failed, is tried again by the clock.
bool Signatures::load_if_needed(bool by_clock) {
  Result<EngineSettings> settings = read_engine_settings();
  if (!settings) return keep_what_we_have(settings_.directory, settings.failure().text);
  const SignatureFiles files = look_at_signatures(settings->directory);
  if (!is_time(by_clock, files.fingerprint)) return false;
  if (!engine_) settings_ = *settings;  // who asks is told which directory it is
  Result<Engine> fresh = Engine::load(*settings);
  if (!fresh) return keep_what_we_have(settings->directory, fresh.failure().text);
  engine_ = std::move(*fresh);
  settings_ = std::move(*settings);
  files_ = files;
  loaded_ = now_seconds();
  failures_ = 0;
  tell_workers({});
  if (resident_) {
    log_info("antivirus ready: " + std::to_string(engine_->signatures()) + " signatures from " +
             settings_.directory + ", database version " + std::to_string(engine_->database_version()) +
             ", made " + rfc5322_date(files_.date) + ", ClamAV " + Engine::library_version());
  }
  return true;
}

bool Signatures::is_time(bool by_clock, uint64_t fingerprint) {
  const bool moves = std::exchange(seen_fingerprint_, fingerprint) != fingerprint;
  settling_ = false;
  if (!by_clock) return true;
  if (moves) {
    settling_ = true;
    failures_ = failures_ == 0 ? 0 : 1;
    retry_at_ = 0;
    return false;
  }
  if (failures_ > 0) return now_milliseconds() >= retry_at_;
  return !engine_ || fingerprint != files_.fingerprint;
}

bool Signatures::keep_what_we_have(const std::string& directory, std::string why) {
  why_not_ = std::move(why);
  const auto check = static_cast<int64_t>(std::max<uint64_t>(settings_.check_seconds, 1)) * 1000;
  const int64_t wait =
      std::min(check << std::min(failures_, 10U), std::max(check, kLongestRetryMilliseconds));
  ++failures_;
  // A little less, for the clock that looks has the same period.
  retry_at_ = now_milliseconds() + wait - check / 2;
  tell_workers(why_not_);
  if (resident_) {
    log_critical(
        "load signatures from " + directory,
        why_not_ + (engine_ ? "; the old ones stay in use" : "; every message is deferred until it works"));
  }
  return false;
}

void Signatures::look_again_later() const {
  struct sigaction action {};
  action.sa_handler = note_time;
  ::sigaction(SIGALRM, &action, nullptr);
  const uint64_t check = settings_.check_seconds == 0 ? kUsualCheckSeconds : settings_.check_seconds;
  ::alarm(settling_ ? kSettleSeconds : static_cast<unsigned>(check));
}

std::string Signatures::doing() const {
  return settings_.directory.empty() ? "load signatures" : "load signatures from " + settings_.directory;
}

std::string Signatures::age_problem() const {
  const uint64_t now = now_seconds();
  if (!engine_ || settings_.max_age_seconds == 0 || files_.date == 0 ||
      now < files_.date + settings_.max_age_seconds) {
    return {};
  }
  return "the newest were made " + std::to_string((now - files_.date) / kSecondsPerDay) +
         " days ago, longer than control/avmaxage; look whether freshclam runs";
}

std::string Signatures::too_old_to_use() const {
  return settings_.stale_is_error ? age_problem() : std::string();
}

void Signatures::warn_of_age() {
  const std::string problem = age_problem();
  if (problem.empty() || now_seconds() < warned_of_age_ + kSecondsPerDay) return;
  warned_of_age_ = now_seconds();
  log_warning("trust the signatures from " + settings_.directory, problem);
}

void Signatures::tell_workers(const std::string& problem) {
  if (shared_ == nullptr) return;
  const size_t length = std::min(problem.size(), sizeof shared_->problem);
  std::memcpy(shared_->problem, problem.data(), length);
  shared_->problem_bytes.store(length);
}

std::string Signatures::describe() const {
  const std::string problem =
      shared_ == nullptr ? std::string() : std::string(shared_->problem, shared_->problem_bytes.load());
  std::string state = "ready";
  if (!engine_) {
    state = "none: " + why_not_;
  } else if (!problem.empty()) {
    state = "behind: " + problem;
  } else if (const std::string age = age_problem(); !age.empty()) {
    state = "stale: " + age;
  }
  return "engine " + Engine::library_version() + "\nsignatures " +
         std::to_string(engine_ ? engine_->signatures() : 0) + "\nversion " +
         std::to_string(engine_ ? engine_->database_version() : 0) + "\nmade " + std::to_string(files_.date) +
         "\nloaded " + std::to_string(loaded_) + "\ndirectory " + settings_.directory + "\nstate " +
         printable(state, 1024) + "\n";
}

std::string Signatures::banner() const {
  std::string text = "ClamAV " + Engine::library_version();
  if (!engine_ || engine_->database_version() == 0) return text;
  const auto made = static_cast<time_t>(files_.date);
  struct tm date {};
  char written[64] = "";
  if (::gmtime_r(&made, &date) == nullptr ||
      ::strftime(written, sizeof written, "%a %b %e %H:%M:%S %Y", &date) == 0) {
    return text;
  }
  return text + "/" + std::to_string(engine_->database_version()) + "/" + written;
}

}  // namespace postern
