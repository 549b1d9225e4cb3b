// postern-rated - count what clients, senders and users do, and say when it is too much.
//
//   usage      postern-rated --serve [--clients UID,...]
//   fd 3 in    the listening socket; requests: see receipt/rate_check.h and postern-rated(8)
//   env        POSTERN_HOME, QMAILQUEUE (for alerts; default @scanq), TZ (when a day begins)
//   control    ratedkeys, me, alertto
//   files      db/rated/counters
//   user       posterny
//   exit       0 after SIGTERM, 100 wrong arguments, 111 it could not start or write its file

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <sys/random.h>

#include "lib/control.h"
#include "lib/log.h"
#include "lib/program.h"
#include "receipt/counter_file.h"
#include "receipt/rate_alert.h"
#include "receipt/rated_service.h"

namespace {

using namespace postern;

constexpr uint64_t kKeys = 1000000;
constexpr uint64_t kLeastKeys = 1000;
constexpr uint64_t kMostKeys = 100000000;

int complain(const Failure& failure) {
  log_critical("start", failure.text);
  return failure.permanent() ? 100 : 111;
}

// So that nobody outside can choose two keys with one counter.
uint64_t random_seed() {
  uint64_t seed = 0;
  (void)!::getrandom(&seed, sizeof seed, 0);
  return seed;
}

int run(int argc, char** argv) {
  Result<FormArguments> arguments = parse_form_arguments(argc, argv, {});
  if (!arguments) return complain(arguments.failure());
  if (!arguments->serve || !arguments->rest.empty())
    return complain(permanent("usage: postern-rated --serve [--clients UID,...]"));
  Result<uint64_t> keys = control_number_or("ratedkeys", kKeys);
  if (!keys) return complain(temporary(keys.failure().text));
  const RatedOptions options{.state_file = home_path("db/rated/counters"), .alert = alert_postmaster};
  MemoryCounters counters(std::clamp(*keys, kLeastKeys, kMostKeys), random_seed());
  if (Result<void> loaded = load_counters(counters, options.state_file); !loaded)
    log_warning("read the counters", loaded.failure().text + "; all of them begin at 0");
  return serve_rates(kServiceFd, arguments->options, options, counters);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-rated", {}, run, argc, argv);
}
