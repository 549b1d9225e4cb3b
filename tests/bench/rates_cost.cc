// rates_cost PID - asks the postern-rated of $POSTERN_HOME, whose process is PID, and prints what a decision
// costs at 10,000 keys, with one connection and beside 1,000 others, and what 1,000,000 keys take of memory;
// and, to compare, what it costs to hand a packet of that size to a process that hands it back unread.
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/fd.h"
#include "lib/text.h"
#include "receipt/rated_line.h"

namespace {

using namespace postern;
using Clock = std::chrono::steady_clock;

constexpr int kDecisions = 100000;

RateCheck recipients(unsigned number) {
  const std::string ip = std::to_string(10 + (number >> 24)) + "." + std::to_string(number >> 16 & 255) +
                         "." + std::to_string(number >> 8 & 255) + "." + std::to_string(number & 255);
  return {.what = RateCheck::What::take,
          .name = "recipients",
          .key = ip + "/32",
          .seconds = 3600,
          .limit = 1000000};
}

void ask(RatedLine& line, std::span<const RateCheck> checks) {
  if (line.ask(checks)) return;
  std::fprintf(stderr, "rated gives no answer\n");
  std::exit(1);
}

void fill(RatedLine& line, unsigned from, unsigned to) {
  std::vector<RateCheck> checks;
  for (unsigned number = from; number < to; ++number) {
    checks.push_back(recipients(number));
    if (checks.size() < kRateChecks && number + 1 < to) continue;
    ask(line, checks);
    checks.clear();
  }
}

// User and system time of the process, in ticks.
long ticks_of(const std::string& pid) {
  Result<std::string> stat = read_file("/proc/" + pid + "/stat", 4096);
  if (!stat) return 0;
  const std::vector<std::string_view> parts = words(std::string_view(*stat).substr(stat->rfind(')') + 1));
  return static_cast<long>(parse_number(parts[11]).value_or(0) + parse_number(parts[12]).value_or(0));
}

size_t resident_bytes(const std::string& pid) {
  Result<std::string> statm = read_file("/proc/" + pid + "/statm", 4096);
  return statm ? parse_number(words(*statm)[1]).value_or(0) * static_cast<size_t>(::sysconf(_SC_PAGESIZE))
               : 0;
}

struct Times {
  double mean, median, high;
};

Times times_of(const std::function<void()>& once) {
  std::vector<double> times;
  times.reserve(kDecisions);
  for (int i = 0; i < kDecisions; ++i) {
    const Clock::time_point begin = Clock::now();
    once();
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
  }
  std::sort(times.begin(), times.end());
  double sum = 0;
  for (const double each : times) sum += each;
  return {sum / kDecisions, times[kDecisions / 2], times[kDecisions * 99 / 100]};
}

void print(const char* what, const Times& times) {
  std::printf("%-34s mean %5.1f us, median %5.1f, 99th of 100 %5.1f", what, times.mean, times.median,
              times.high);
}

void measure_echo() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) < 0) std::exit(1);
  std::array<char, 64> packet{};
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[1]);
    while (::recv(ends[0], packet.data(), packet.size(), 0) > 0)
      ::send(ends[0], packet.data(), packet.size(), MSG_NOSIGNAL);
    ::_exit(0);
  }
  ::close(ends[0]);
  print("the same with nobody thinking", times_of([&] {
          ::send(ends[1], packet.data(), packet.size(), MSG_NOSIGNAL);
          ::recv(ends[1], packet.data(), packet.size(), 0);
        }));
  std::printf("\n");
  ::close(ends[1]);
  ::waitpid(pid, nullptr, 0);
}

void measure(RatedLine& line, const std::string& pid, unsigned keys, const char* what) {
  unsigned state = 1;
  const long before = ticks_of(pid);
  print(what, times_of([&] {
          state = state * 1664525 + 1013904223;
          const RateCheck check = recipients((state >> 8) % keys);
          ask(line, {&check, 1});
        }));
  std::printf("; of rated's processor %4.1f us\n", static_cast<double>(ticks_of(pid) - before) /
                                                       static_cast<double>(::sysconf(_SC_CLK_TCK)) * 1e6 /
                                                       kDecisions);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 100;
  const std::string pid = argv[1];
  RatedLine line;
  fill(line, 0, 1);
  const size_t empty = resident_bytes(pid);
  fill(line, 0, 10000);
  measure(line, pid, 10000, "a decision at 10,000 keys");
  measure_echo();
  {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    std::vector<std::unique_ptr<RatedLine>> others;
    for (unsigned i = 0; i < 1000; ++i) {
      others.push_back(std::make_unique<RatedLine>());
      RateCheck check = recipients(i);
      check.what = RateCheck::What::slot;
      check.seconds = 0;
      ask(*others.back(), {&check, 1});
    }
    measure(line, pid, 10000, "the same beside 1,000 connections");
  }
  fill(line, 10000, 1000000);
  measure(line, pid, 1000000, "a decision at 1,000,000 keys");
  const size_t bytes = resident_bytes(pid) - empty;
  std::printf("%-34s %.0f bytes a key\n", "memory at 1,000,000 keys", static_cast<double>(bytes) / 1e6);
  return 0;
}
