// postern-rspawn - deliver the jobs of postern-send to other hosts; each worker keeps its SMTP connection for
// the next job.
//
//   fd 3 in    --serve: the listening socket; each connection is one row of jobs, one at a time:
//              arguments HOST SENDER RECIPIENT..., descriptor 0 the message, 5 the extras, the reply as
//              postern-remote's output
//   without --serve: as postern-remote, one job
//   env        of a job: POSTERN_MID, POSTERN_RIDS, POSTERN_EXTRAS, POSTERN_ROUTE, POSTERN_COUNT_FROM
//   files      db/limits/addresses: what counts against limit_type=mxip
//   user       posternr
//   exit       0 after SIGTERM; of a job: 0 the reports say it all, 100 no such job, 111 no report

#include <optional>

#include "lib/control.h"
#include "lib/program.h"
#include "remote/delivery_job.h"

namespace postern {

namespace {

constexpr unsigned kWorkers = 20;
constexpr unsigned kDeadlineSeconds = 7200;  // above what twenty slow hosts in a row may take

int run(int argc, char** argv) {
  // One for all workers, also for those of later settings.
  SetAside set_aside;
  // Not open yet: each worker opens it for itself.
  AddressLimits limits(home_path("db/limits/addresses"));
  // Made before the workers are forked, so that each has the settings and none a connection; made anew on
  // SIGHUP.
  std::optional<Deliverer> deliverer;
  Forms forms;
  forms.defaults.workers = kWorkers;
  forms.defaults.workers_file = "concurrencyremote";
  forms.defaults.deadline_seconds = kDeadlineSeconds;
  forms.defaults.between = [&] { return deliverer->close_idle(); };
  forms.defaults.closed = [&] { deliverer->close(); };
  forms.path_fds = {0, 5};
  forms.load = [&] {
    Result<RemoteSettings> settings = read_remote_settings();
    if (!settings) {
      log_warning("read the settings", settings.failure());
      return false;
    }
    deliverer.emplace(std::move(*settings), true, set_aside, &limits);
    return true;
  };
  const int exit_code = run_forms(argc, argv, forms, [&](Job& job, std::string& output) {
    return run_delivery_job(job, *deliverer, output);
  });
  if (deliverer) deliverer->close();
  return exit_code;
}

}  // namespace

}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-rspawn", {}, postern::run, argc, argv);
}
