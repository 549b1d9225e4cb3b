// postern-clamd - the stage that asks a clamd, in place of postern-antivirus or beside it.
//
//   usage      postern-clamd [--fdpass] [ADDRESS] < message
//   fd 0 in    the message
//   fd 1 out   the verdict (Joint 4), as postern-antivirus
//   env        POSTERN_MID, POSTERN_DIRECTION
//   control    antivirus: what is done; clamd: ADDRESS, a socket's path or HOST:PORT; default
//   /run/clamav/clamd.ctl user       posterns as a path, any by postern-serve exit       0 a verdict, 100
//   wrong arguments, 111 it could not be scanned to the end (never "clean" by
//              mistake: a clamd that is away keeps the message waiting)

#include <string>

#include "lib/child.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/serve.h"
#include "lib/text.h"
#include "scanq/antivirus_answer.h"
#include "scanq/antivirus_scan.h"
#include "scanq/clamd_client.h"

namespace postern {

namespace {

constexpr std::string_view kDefaultAddress = "/run/clamav/clamd.ctl";
constexpr int64_t kDeadlineMilliseconds = 200 * 1000;  // below the 230 s that scanq has for all stages
constexpr const char* kUsage = "usage: postern-clamd [--fdpass] [ADDRESS] < message";

struct Options {
  ClamdWay way = ClamdWay::stream;
  std::string address;
};

Result<Options> read_options(const std::vector<std::string>& arguments) {
  Options options;
  auto at = arguments.begin();
  if (at != arguments.end() && *at == "--fdpass") {
    options.way = ClamdWay::descriptor;
    ++at;
  }
  if (arguments.end() - at > 1 || (at != arguments.end() && at->starts_with('-')))
    return permanent(kUsage, 100);
  if (at != arguments.end()) {
    options.address = *at;
  } else {
    Result<std::string> address = control_line_or("clamd", kDefaultAddress);
    if (!address) return address.failure();
    options.address = std::move(*address);
  }
  if (options.way == ClamdWay::descriptor && !options.address.starts_with('/'))
    return permanent("--fdpass needs the path of a Unix socket, not " + printable(options.address, 200), 100);
  return options;
}

AntivirusVerdict look(std::string_view message, const Options& options, int64_t deadline,
                      const std::string& exempt) {
  Result<ClamdClient> clamd = ClamdClient::connect(options.address, options.way, deadline);
  if (!clamd) return {AntivirusKind::error, clamd.failure().text, {}};
  return scan_message(
      message, {}, [&](std::string_view piece, MailParser) { return clamd->scan(piece); }, exempt);
}

int answer(Job& job, std::string& output) {
  Result<Options> options = read_options(job.arguments);
  if (!options) {
    log_critical("start", options.failure().text);
    return options.failure().permanent() ? 100 : 111;
  }
  Result<AntivirusPolicy> policy = read_antivirus_policy();
  if (!policy) {
    log_critical("read the settings", policy.failure().text);
    return 111;
  }
  const int64_t deadline = now_milliseconds() + kDeadlineMilliseconds;
  return answer_job(
      job,
      [&](std::string_view message, const std::string& exempt) {
        return look(message, *options, deadline, exempt);
      },
      "clamd", *policy, output);
}

int run(int argc, char** argv) {
  // As a resident its arguments come with each request; without any control/clamd says whom it asks.
  Forms forms;
  forms.path_fds = {0, 3, 4};
  return run_forms(argc, argv, forms, answer);
}

}  // namespace

}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-clamd", {.no_memory = 111, .bug = 111}, postern::run, argc, argv);
}
