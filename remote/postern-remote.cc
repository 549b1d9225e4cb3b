// postern-remote - deliver one message to another host by SMTP, as qmail-remote does.
//
//   args       HOST SENDER RECIPIENT...; --resolver ADDR:PORT or --dns FILE before them
//   fd 0 in    the message, LF line ends
//   fd 1 out   reports: r, p, h or s and a text for each recipient, then K, Z or D and a text, each ended by
//              NUL
//   fd 5 in    extras (RFC 3461, SMTPUTF8), only with POSTERN_EXTRAS=5
//   env        POSTERN_MID, POSTERN_RIDS, POSTERN_ROUTE, POSTERN_HOME
//   user       posternr
//   exit       0 the reports say it all, 100 wrong arguments, 111 no report: try again later

#include "lib/control.h"
#include "lib/program.h"
#include "remote/delivery.h"

namespace postern {

namespace {

// Takes "--resolver X" or "--dns X" off the arguments: then postern-dnsq and postern-stsd are
// started with it for each question.
void take_dns_options(Job& job, RemoteSettings& settings) {
  std::string options;
  while (job.arguments.size() >= 2 && (job.arguments[0] == "--resolver" || job.arguments[0] == "--dns")) {
    options += " " + job.arguments[0] + " " + job.arguments[1];
    job.arguments.erase(job.arguments.begin(), job.arguments.begin() + 2);
  }
  if (options.empty()) return;
  settings.dns_program = "postern-dnsq" + options;
  if (settings.sts_program != "none") settings.sts_program = "postern-stsd" + options;
}

int run(int argc, char** argv) {
  Job job{.arguments = {argv + 1, argv + argc}, .environment = Environment::of_process(), .fds = {}};
  Result<RemoteSettings> settings = read_remote_settings();
  if (!settings) {
    log_critical("start", settings.failure().text);
    return 111;
  }
  take_dns_options(job, *settings);
  job.fds.emplace_back(0, Fd(0));
  if (job.environment.get("POSTERN_EXTRAS") == "5") job.fds.emplace_back(5, Fd(5));
  Deliverer deliverer(std::move(*settings), false);
  std::string output;
  const int exit_code = run_delivery_job(job, deliverer, output);
  return write_all(1, output, "write the reports") ? exit_code : 111;
}

}  // namespace

}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-remote", {}, postern::run, argc, argv);
}
