// postern-rcpt - compile the tables of recipients, and say what becomes of a recipient.
//
//   usage      postern-rcpt compile [TABLE...]    all of control/ that are there, else those named
//              postern-rcpt test [--listener NAME] [--ip ADDRESS] [--sender ADDRESS] [--relay] [--json]
//              ADDRESS
//   reads      control/{rat,domainmap}[.LISTENER], control/aliases, and what smtpd reads of them
//   writes     compile: control/TABLE.cdb, in one step: readers see the old table or the new one
//   fd 1 out   test: a line for each step, then what comes into the envelope
//   exit       compile: 0 done, 100 a table is wrong (its old .cdb stays), 111 try again
//              test: 0 taken, 100 refused, 111 put off or not known

#include <optional>

#include "lib/control.h"
#include "lib/fd.h"
#include "lib/idn.h"
#include "lib/json_text.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/text.h"
#include "receipt/compile_tables.h"
#include "receipt/decision_text.h"
#include "receipt/rcpthosts.h"
#include "receipt/recipient.h"

namespace postern {
namespace {

struct Question {
  std::string address;
  std::string sender;
  std::string listener = "smtpd";
  std::string ip;
  bool relays = false;
  bool json = false;
};

int compile(std::vector<std::string> tables);  // the job, top to bottom:
std::optional<Question> parse_question(const std::vector<std::string>& words);
int explain(const Question& question);  //   as smtpd would decide
std::string text_of(const RecipientVerdict& verdict);
std::string json_of(const RecipientVerdict& verdict);

int usage() {
  log_critical("start",
               "usage: postern-rcpt compile [TABLE...] | postern-rcpt test [--listener NAME] [--ip ADDRESS] "
               "[--sender ADDRESS] [--relay] [--json] ADDRESS");
  return 100;
}

int run(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) return usage();
  if (words[0] == "compile") return compile({words.begin() + 1, words.end()});
  if (words[0] != "test") return usage();
  const std::optional<Question> question = parse_question({words.begin() + 1, words.end()});
  return question ? explain(*question) : usage();
}

int compile(std::vector<std::string> tables) {
  if (tables.empty()) {
    // Whoever removes a table does not want it to hold.
    std::vector<std::string> removed;
    const Result<void> done = remove_tables_without_text(removed);
    for (const std::string& path : removed) log_info(path + " is removed: its text is not there any more");
    if (!done) {
      log_critical("compile", done.failure().text);
      return 111;
    }
    Result<std::vector<std::string>> found = recipient_tables();
    if (!found) {
      log_critical("find the tables", found.failure().text);
      return 111;
    }
    tables = std::move(*found);
  }
  int worst = 0;
  for (const std::string& table : tables) {
    std::vector<std::string> doubts;
    Result<void> compiled = compile_recipient_table(table, doubts);
    for (const std::string& doubt : doubts) log_warning("use a line", doubt);
    if (compiled) continue;
    log_critical("compile " + printable(table, 100), compiled.failure().text);
    worst = std::max(worst, compiled.failure().permanent() ? 100 : 111);
  }
  return worst;
}

std::optional<Question> parse_question(const std::vector<std::string>& words) {
  Question question;
  size_t at = 0;
  for (; at < words.size() && words[at].starts_with("--"); ++at) {
    const std::string& word = words[at];
    if (word == "--relay" || word == "--json") {
      (word == "--relay" ? question.relays : question.json) = true;
      continue;
    }
    std::string* into = word == "--listener" ? &question.listener
                        : word == "--ip"     ? &question.ip
                        : word == "--sender" ? &question.sender
                                             : nullptr;
    if (into == nullptr || ++at == words.size()) return std::nullopt;
    *into = words[at] == "<>" ? "" : words[at];
  }
  if (at + 1 != words.size() || words[at].empty()) return std::nullopt;
  question.address = words[at];
  // As smtpd has it by then.
  const size_t domain = question.address.rfind('@');
  if (domain == std::string::npos) return question;
  if (Result<std::string> labels = a_labels(question.address.substr(domain + 1)))
    question.address.replace(domain + 1, std::string::npos, *labels);
  return question;
}

int explain(const Question& question) {
  const auto cannot = [](const Failure& failure) {
    log_critical("look at the configuration", failure.text);
    return 111;
  };
  Result<std::string> me = control_me();
  if (!me) return cannot(me.failure());
  Result<RecipientHosts> hosts = RecipientHosts::read(*me);
  if (!hosts) return cannot(hosts.failure());
  RecipientContext context{.me = *me,
                           .default_domain = {},
                           .listener = question.listener,
                           .relays = question.relays,
                           .environment = {}};
  context.environment.set("POSTERN_LISTENER", question.listener);
  if (!question.ip.empty()) context.environment.set("TCPREMOTEIP", question.ip);
  RecipientHooks hooks;
  hooks.is_ours = [&](std::string_view domain) { return hosts->is_ours(domain); };
  Result<RecipientChecks> checks = RecipientChecks::open(std::move(context), std::move(hooks));
  if (!checks) return cannot(checks.failure());
  Result<RecipientVerdict> verdict = checks->judge(question.address, question.sender);
  if (!verdict) return cannot(verdict.failure());
  if (!write_all(1, question.json ? json_of(*verdict) : text_of(*verdict), "write")) return 111;
  if (verdict->passes()) return 0;
  return verdict->steps.back().reply.permanent() ? 100 : 111;
}

std::string text_of(const RecipientVerdict& verdict) {
  std::string text;
  for (const Decision& step : verdict.steps) text += decision_text(step) + "\n";
  for (const std::string& recipient : verdict.recipients) text += "recipient: " + printable(recipient) + "\n";
  if (verdict.dropped) text += "dropped\n";
  return text;
}

std::string json_of(const RecipientVerdict& verdict) {
  Json answer = Json::object();
  put_bytes(answer, "said", verdict.said);
  answer["steps"] = Json::array();
  for (const Decision& step : verdict.steps) answer["steps"].push_back(decision_json(step));
  answer["recipients"] = Json::array();
  for (const std::string& recipient : verdict.recipients) {
    Json one = Json::object();
    put_bytes(one, "address", recipient);
    answer["recipients"].push_back(std::move(one));
  }
  answer["dropped"] = verdict.dropped;
  return json_line(answer) + "\n";
}

}  // namespace
}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-rcpt", {}, postern::run, argc, argv);
}
