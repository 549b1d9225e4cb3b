// postern-stsd - the MTA-STS policy of a domain (RFC 8461): fetched by HTTPS, kept for as long as it says.
//
//   args       policy DOMAIN; --resolver ADDR:PORT or --dns FILE before it
//              --serve [--workers N] [--clients UID,..]: resident, one question a request
//   fd 1 out   the answer: lines, see postern-stsd(8)
//   fd 3 in    the listening socket, with --serve
//   env        POSTERN_HOME
//   control    dnsq, tlscapath, stsport, stsdomains, concurrencysts
//   files      db/sts/
//   user       posternh
//   exit       0 answered ("none" and "failed" are answers), 100 no such question, 111 it could not start

#include <algorithm>
#include <optional>

#include "lib/control.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/serve.h"
#include "lib/text.h"
#include "remote/https.h"
#include "remote/sts_lookup.h"

namespace postern {

namespace {

constexpr unsigned kWorkers = 20;           // half of them may fetch at a time
constexpr unsigned kDeadlineSeconds = 100;  // above kStsFetchMilliseconds, for an answer and what is due

uint64_t now_seconds() {
  return now_microseconds() / 1000000;
}

// Takes "--resolver X" or "--dns X" off: then postern-dnsq is started with it for each question.
std::string take_dns_options(std::vector<std::string>& words) {
  std::string options;
  while (words.size() >= 2 && (words[0] == "--resolver" || words[0] == "--dns")) {
    options += " " + words[0] + " " + words[1];
    words.erase(words.begin(), words.begin() + 2);
  }
  return options.empty() ? "" : "postern-dnsq" + options;
}

int answer(Job& job, StsLookup& lookup, std::string& output) {
  if (job.arguments.size() != 2 || job.arguments[0] != "policy" || !is_policy_domain(job.arguments[1])) {
    log_warning("answer a question", "the question is: policy DOMAIN");
    return 100;
  }
  output = format_sts_answer(lookup.look_up(job.arguments[1], now_seconds()));
  return 0;
}

int run(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  const std::string dns_program = take_dns_options(words);
  std::vector<char*> rest{argv[0]};
  for (std::string& word : words) rest.push_back(word.data());
  std::optional<StsLookup> lookup;
  Forms forms;
  forms.defaults.workers = kWorkers;
  forms.defaults.workers_file = "concurrencysts";
  forms.defaults.deadline_seconds = kDeadlineSeconds;
  // The client that has its answer has gone: what is due is fetched anew while nobody waits.
  forms.defaults.closed = [&] { lookup->refresh(now_seconds()); };
  forms.load = [&] {
    Result<StsSettings> settings = read_sts_settings();
    if (!settings) {
      log_warning("read the settings", settings.failure());
      return false;
    }
    // The others answer what needs no fetch, whoever's servers are silent.
    Result<FormArguments> arguments =
        parse_form_arguments(static_cast<int>(rest.size()), rest.data(), forms.defaults);
    if (arguments) settings->most_fetches = std::max(1U, arguments->options.workers / 2);
    if (!dns_program.empty()) settings->dns_program = dns_program;
    lookup.emplace(std::move(*settings), home_path("db/sts"));
    return true;
  };
  begin_https();
  return run_forms(static_cast<int>(rest.size()), rest.data(), forms,
                   [&](Job& job, std::string& output) { return answer(job, *lookup, output); });
}

}  // namespace

}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-stsd", {}, postern::run, argc, argv);
}
