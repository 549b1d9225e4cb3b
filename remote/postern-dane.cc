// postern-dane - explain how mail for a domain would go: MX, DNSSEC, TLSA, certificate, MTA-STS.
//
//   args       [--json] [--no-connect] [--resolver ADDR:PORT | --dns FILE] [--trust-anchor FILE] DOMAIN
//   fd 1 out   what was found, for people; one JSON object with --json
//   env        POSTERN_HOME                 user   posternr, which root becomes
//   exit       0 a delivery would go, 111 it would be deferred, 100 never, or wrong arguments

#include <unistd.h>

#include "lib/bind.h"
#include "lib/child.h"
#include "lib/control.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/program.h"
#include "remote/dane_report.h"

namespace postern {

namespace {

struct Arguments {
  bool json = false;
  ExamineOptions examine;
  std::string dns_options;  // for postern-dnsq
  std::string domain;
};

int run(int argc, char** argv);                                         // the job, top to bottom:
std::optional<Arguments> parse(const std::vector<std::string>& words);  //   what was asked

int run(int argc, char** argv) {
  const std::optional<Arguments> arguments = parse({argv + 1, argv + argc});
  if (!arguments) {
    log_critical("read the arguments",
                 "they are [--json] [--no-connect] [--resolver ADDRESS:PORT | --dns FILE] "
                 "[--trust-anchor FILE] DOMAIN");
    return 100;
  }
  if (Result<void> became = leave_root("posternr"); !became) {
    log_critical("start", became.failure().text);
    return 111;
  }
  Result<RemoteSettings> settings = read_remote_settings();
  if (!settings) {
    log_critical("start", settings.failure().text);
    return 111;
  }
  // As in postern-remote: then postern-dnsq is started with them for each question.
  if (!arguments->dns_options.empty()) settings->dns_program = "postern-dnsq" + arguments->dns_options;
  const DaneReport report = examine(arguments->domain, *settings, arguments->examine);
  const std::string text =
      arguments->json ? json_line(dane_report_json(report)) + "\n" : dane_report_text(report);
  if (!write_all(1, text, "write the report")) return 111;
  return verdict_exit_code(report.verdict);
}

std::optional<Arguments> parse(const std::vector<std::string>& words) {
  Arguments arguments;
  size_t at = 0;
  for (; at < words.size() && words[at].starts_with("--"); ++at) {
    const std::string& word = words[at];
    if (word == "--json") {
      arguments.json = true;
    } else if (word == "--no-connect") {
      arguments.examine.connect = false;
    } else if (word == "--resolver" || word == "--dns" || word == "--trust-anchor") {
      // A program and its arguments are words: none of them can hold a blank.
      if (at + 1 >= words.size() || words[at + 1].find_first_of(" \t") != std::string::npos)
        return std::nullopt;
      arguments.dns_options += " " + word + " " + words[at + 1];
      ++at;
    } else {
      return std::nullopt;
    }
  }
  if (at + 1 != words.size() || words[at].empty()) return std::nullopt;
  arguments.domain = words[at];
  return arguments;
}

}  // namespace

}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-dane", {}, postern::run, argc, argv);
}
