#include "receipt/ldap_accept.h"

#include <utility>

#include "lib/child.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr std::string_view kStep = "ldap";
constexpr int kYes = 0;
constexpr int kNo = 1;
constexpr int kTrouble = 111;

}  // namespace

LdapAsk ask_ldap(std::string program, int64_t milliseconds) {
  return [program = std::move(program), milliseconds](const Request& request) {
    return call_program(program, request, now_milliseconds() + milliseconds);
  };
}

Decision ldap_accepts(const LdapAcceptQuestion& question, const LdapAsk& ask) {
  const std::string step(kStep);
  const SmtpReply later{"451", "4.3.0", "the directory of recipients does not answer; try again later"};
  Request request;
  request.arguments = {"accept", question.recipient, question.sender};
  if (!question.query.empty()) request.arguments.push_back(question.query);
  const Result<Reply> reply = ask(request);
  if (!reply) return refuse(step, later, reply.failure().text);
  const std::string_view said = trim(reply->output);
  if (reply->exit_code == kYes) return pass(step, std::string(said));
  if (reply->exit_code == kNo)
    return refuse(step, {"550", "5.1.1", "there is no such mailbox here"}, std::string(said));
  // "accept" or "defer", TAB, the reason; any other code says nothing about the recipient.
  const size_t tab = said.find('\t');
  const std::string why(tab == std::string_view::npos ? said : said.substr(tab + 1));
  if (reply->exit_code == kTrouble && said.substr(0, tab) == "accept")
    return pass(step, "taken unseen, as control/ldap has it: " + why);
  return refuse(step, later, why.empty() ? "exit code " + std::to_string(reply->exit_code) : why);
}

}  // namespace postern
