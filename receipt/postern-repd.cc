// postern-repd - the reputation of an address: a score from -10 to +10.
//
//   usage      postern-repd [--serve [--workers N] [--clients UID,...]]
//              postern-repd score ADDRESS            prints the score, or none
//              postern-repd explain ADDRESS          prints what it is made of, then the score
//              postern-repd note ADDRESS EVENT...    accepted, spam, virus or unknown, with =N for several
//   env        POSTERN_HOME
//   control    reputationlists, reputationtable, dnsq, concurrencyrepd
//   files      db/repd/history
//   user       posternz
//   exit       0 answered, 100 wrong arguments, 111 it could not be noted, or could not start

#include <unistd.h>

#include <optional>

#include "lib/log.h"
#include "lib/program.h"
#include "lib/serve.h"
#include "lib/text.h"
#include "receipt/reputation.h"

namespace {

using namespace postern;

constexpr unsigned kWorkers = 10;
constexpr unsigned kDeadlineSeconds = 60;  // beyond every time-out of ours

int wrong_arguments(const std::string& why) {
  log_warning("answer", why);
  return 100;
}

std::string text_of(const Score& score) {
  return score.tenths ? tenths_text(*score.tenths) : "none";
}

int answer(Reputation& reputation, const Job& job, std::string& output) {
  const std::vector<std::string>& words = job.arguments;
  const std::string verb = words.empty() ? "" : words[0];
  const std::optional<IpBytes> address = words.size() < 2 ? std::nullopt : parse_ip(words[1]);
  if (!address || (verb != "note" && words.size() != 2))
    return wrong_arguments("the arguments are score ADDRESS, explain ADDRESS or note ADDRESS EVENT...");
  (void)reputation.load();  // a new line counts for the next question
  if (verb == "note") {
    Result<Experience> more = parse_events(words, 2);
    if (!more) return wrong_arguments(more.failure().text);
    return reputation.note(*address, *more) ? 0 : 111;
  }
  if (verb != "score" && verb != "explain")
    return wrong_arguments("the arguments are score ADDRESS, explain ADDRESS or note ADDRESS EVENT...");
  const bool explain = verb == "explain";
  const Score score = reputation.score(*address, explain);
  if (explain) {
    for (const std::string& reason : score.reasons) output.append(reason).append("\n");
    output += "score ";
  }
  output += text_of(score) + "\n";
  return 0;
}

int run(int argc, char** argv) {
  std::optional<Reputation> reputation;
  bool serves = false;
  for (int i = 1; i < argc; ++i) serves = serves || std::string_view(argv[i]) == "--serve";
  const auto load = [&] {
    if (reputation) return reputation->load();
    reputation.emplace();
    if (!reputation->load()) return false;
    reputation->open_history(serves);
    return true;
  };
  ServeOptions defaults;
  defaults.workers = kWorkers;
  defaults.workers_file = "concurrencyrepd";
  defaults.deadline_seconds = kDeadlineSeconds;
  const Forms forms{.defaults = defaults, .path_fds = {}, .load = load};
  return run_forms(argc, argv, forms,
                   [&](Job& job, std::string& output) { return answer(*reputation, job, output); });
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-repd", {}, run, argc, argv);
}
