#include "remote/tlsrpt_round.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <random>
#include <utility>

#include "lib/child.h"
#include "lib/log.h"

namespace postern {

namespace {

// Three places, each with the queue's deadline of 235 s, beside the patience: what is behind it hangs.
constexpr unsigned kDeathSeconds = 15 * 60;

class Pass {
 public:
  Pass(const TlsTrier& try_one, int64_t patience, TlsRunEnd& end)
      : try_one_(try_one), patience_(patience), end_(end) {}

  // Those that were slow.
  std::vector<std::string> run(const std::vector<std::string>& domains, int64_t deadline) {
    for (const std::string& domain : domains) {
      while (running_.size() >= kTlsReportsAtOnce) await();
      if (!stopped_ && now_milliseconds() < deadline) {
        start(domain);
      } else {
        ++end_.failed;
      }
    }
    while (!running_.empty()) await();
    if (stopped_) end_.failed += std::exchange(slow_, {}).size();
    return std::move(slow_);
  }

 private:
  void start(const std::string& domain) {
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);
      if (::getppid() != parent) ::_exit(static_cast<int>(TlsTry::failed));
      ::alarm(kDeathSeconds);
      ::_exit(static_cast<int>(try_one_(domain, patience_)));
    }
    if (pid < 0) {
      log_warning("send the TLS report of " + domain, os_failure("fork", errno));
      ++end_.failed;
      return;
    }
    running_[pid] = domain;
  }

  void await() {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, 0);
    const auto found = running_.find(pid);
    if (found == running_.end()) {
      if (pid < 0 && errno != EINTR) running_.clear();  // nobody is left
      return;
    }
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(TlsTry::failed);
    if (code == static_cast<int>(TlsTry::sent)) {
      ++end_.sent;
    } else if (code == static_cast<int>(TlsTry::not_wanted)) {
      ++end_.not_wanted;
    } else if (code == static_cast<int>(TlsTry::slow)) {
      slow_.push_back(std::move(found->second));
    } else {
      stopped_ = stopped_ || code == static_cast<int>(TlsTry::not_noted);
      ++end_.failed;
    }
    running_.erase(found);
  }

  const TlsTrier& try_one_;
  int64_t patience_;
  TlsRunEnd& end_;
  std::map<pid_t, std::string> running_;
  std::vector<std::string> slow_;
  bool stopped_ = false;
};

}  // namespace

TlsRunEnd send_in_turn(std::vector<std::string> domains, int64_t deadline, const TlsTrier& try_one) {
  TlsRunEnd end;
  std::shuffle(domains.begin(), domains.end(), std::mt19937(std::random_device{}()));
  const std::vector<std::string> slow = Pass(try_one, kTlsQuickMilliseconds, end).run(domains, deadline);
  const std::vector<std::string> left = Pass(try_one, kTlsPatientMilliseconds, end).run(slow, deadline);
  end.failed += left.size();
  return end;
}

}  // namespace postern
