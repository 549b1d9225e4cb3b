#include "receipt/recipient_inquiries.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lib/call.h"
#include "lib/child.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/text.h"
#include "receipt/recipient_table.h"

namespace postern {

namespace {

constexpr std::string_view kOwnUsers = "@userq";
constexpr int64_t kUsersMilliseconds = 2000;
constexpr int64_t kProgramMilliseconds = 60000;
constexpr int64_t kLdapMilliseconds = 30000;
constexpr int64_t kCallAheadMilliseconds = 250000;  // above the longest request that a profile may have
constexpr int64_t kAwayMilliseconds = 30000;        // whoever did not answer is not waited for again
constexpr size_t kWhyLimitBytes = 300;
// How the directory's program ends.
constexpr int kLdapYes = 0;
constexpr int kLdapNo = 1;
constexpr int kLdapTrouble = 111;

SmtpReply no_mailbox() {
  return {.code = "550", .status = "5.1.1", .text = "no mailbox here by that name"};
}
SmtpReply try_later() {
  return {.code = "451", .status = "4.3.0", .text = "unable to verify the recipient now, try again later"};
}

Decision not_known(const char* step, SmtpReply reply, std::string why) {
  Decision decision = refuse(step, std::move(reply), std::move(why));
  decision.unasked = true;
  return decision;
}

std::string first_line(std::string_view output) {
  return printable(trim(output.substr(0, output.find('\n'))), kWhyLimitBytes);
}
std::string second_line(std::string_view output) {
  const size_t end = output.find('\n');
  return end == std::string_view::npos ? "" : first_line(output.substr(end + 1));
}

// What was answered where there is a line with a code of that class, else what we say.
SmtpReply reply_or(std::string_view output, std::string_view classes, std::string_view detail,
                   SmtpReply otherwise) {
  return parse_reply(first_line(output), classes, detail).value_or(std::move(otherwise));
}

// The operator's own program gets the variables that RCPTCHECK has always had, which no joint passes on.
Result<Reply> run_with_names(std::string_view program, const Request& request, int64_t deadline) {
  ChildOptions options;
  for (const std::string_view word : words(program)) options.arguments.emplace_back(word);
  options.arguments.insert(options.arguments.end(), request.arguments.begin(), request.arguments.end());
  options.environment = child_environment(request.environment);
  options.environment.set("SENDER", request.arguments.at(0));
  options.environment.set("RECIPIENT", request.arguments.at(1));
  Result<ChildEnd> end = run_child(std::move(options), deadline, kReplyLimitBytes);
  if (!end) return end.failure();
  if (end->timed_out) return temporary("it did not end before the deadline", 52);
  if (end->signal != 0) return temporary("it was killed by signal " + std::to_string(end->signal));
  return Reply{.exit_code = end->exit_code, .output = std::move(end->output)};
}

}  // namespace

RecipientInquiries::RecipientInquiries(RecipientSettings settings, std::string program,
                                       Environment connection, AskProgram ask)
    : settings_(std::move(settings)),
      program_(std::move(program)),
      connection_(std::move(connection)),
      ask_(std::move(ask)) {}

Result<Reply> RecipientInquiries::ask(std::string_view program, std::vector<std::string> arguments,
                                      const RecipientInQuestion& recipient, int64_t most_milliseconds) {
  const int64_t now = now_milliseconds();
  if (const auto away = away_.find(program); away != away_.end() && now < away->second.until)
    return away->second.failure;
  Request request{.arguments = std::move(arguments), .environment = joint_variables(connection_), .fds = {}};
  request.environment.set("POSTERN_SENDER", recipient.sender);
  request.environment.set("POSTERN_RECIPIENT", recipient.address);
  const int64_t deadline = std::min(recipient.deadline, now + most_milliseconds);
  const bool by_name = program == program_ && !program.starts_with('@');
  Result<Reply> reply = ask_      ? ask_(program, request, deadline)
                        : by_name ? run_with_names(program, request, deadline)
                                  : call_program(program, request, deadline);
  if (!reply) {
    log_warning("ask " + printable(program, 100) + " about a recipient", reply.failure());
    if (!by_name)
      away_.insert_or_assign(std::string(program),
                             Away{now_milliseconds() + kAwayMilliseconds, reply.failure()});
  }
  return reply;
}

Decision RecipientInquiries::users(const RecipientInQuestion& recipient) {
  if (settings_.users.empty()) return pass(kUsersStep, "off: control/recipientchecks");
  // A gateway in front of other hosts would else ask about each recipient, to hear this.
  if (settings_.users == kOwnUsers && !may_be_local(recipient.address))
    return pass(kUsersStep, "not known: its domain is not delivered to on this host");
  Result<Reply> reply =
      ask(settings_.users, {"exists", std::string(recipient.address)}, recipient, kUsersMilliseconds);
  if (!reply) return pass(kUsersStep, "not known: " + reply.failure().text);
  const std::string why = first_line(reply->output);
  if (reply->exit_code == 100) return refuse(kUsersStep, no_mailbox(), why);
  if (reply->exit_code == 0) return pass(kUsersStep, why);
  return pass(kUsersStep,
              "not known: " + settings_.users + " ended with " + std::to_string(reply->exit_code));
}

// As postern-userq decides it, where no virtual domains have a say.
bool RecipientInquiries::may_be_local(std::string_view address) {
  if (!locals_read_) {
    locals_read_ = true;
    const Result<std::optional<std::string>> virtual_domains = control_text("virtualdomains");
    Result<std::optional<std::vector<std::string>>> locals = control_list("locals");
    const bool known = virtual_domains && locals && control_lines(virtual_domains->value_or("")).empty();
    if (known && locals->has_value()) {
      locals_ = std::move(**locals);
    } else if (known) {
      if (const Result<std::string> me = control_me()) locals_ = {*me};
    }
  }
  const std::string domain = domain_of(address);
  return !locals_ || domain.empty() || domain_listed(domain, *locals_);
}

Decision RecipientInquiries::program(const RecipientInQuestion& recipient) {
  if (program_.empty()) return pass(kProgramStep, "off: there is no control/rcptcheck");
  Result<Reply> reply = ask(program_, {std::string(recipient.sender), std::string(recipient.address)},
                            recipient, kProgramMilliseconds);
  if (!reply) return refuse(kProgramStep, try_later(), "control/rcptcheck: " + reply.failure().text);
  const std::string why =
      "control/rcptcheck: " + printable(program_, 100) + " ended with " + std::to_string(reply->exit_code);
  if (reply->exit_code == 0) return pass(kProgramStep, why);
  if (reply->exit_code == 100)
    return refuse(kProgramStep, reply_or(reply->output, "5", ".1.1", no_mailbox()), why);
  if (reply->exit_code == 111)
    return refuse(kProgramStep, reply_or(reply->output, "4", ".3.0", try_later()), why);
  log_warning("ask control/rcptcheck about a recipient",
              "it ended with " + std::to_string(reply->exit_code) + "; 0 is yes, 100 no, 111 later");
  return refuse(kProgramStep, try_later(), why);
}

Decision RecipientInquiries::ldap(const RecipientInQuestion& recipient) {
  if (settings_.ldap.empty()) return pass(kLdapStep, "off: control/recipientchecks");
  if (settings_.ldap == kLdapProgram && !has_directory())
    return pass(kLdapStep, "off: there is no control/ldap");
  std::vector<std::string> arguments = {"accept", std::string(recipient.address),
                                        std::string(recipient.sender)};
  if (!settings_.ldap_query.empty()) arguments.push_back(settings_.ldap_query);
  const Result<Reply> reply = ask(settings_.ldap, std::move(arguments), recipient, kLdapMilliseconds);
  if (!reply) return ldap_trouble("", reply.failure().text);
  const std::string said = first_line(reply->output);
  if (reply->exit_code == kLdapYes) return pass(kLdapStep, said.empty() ? "the directory has it" : said);
  if (reply->exit_code == kLdapNo)
    return refuse(kLdapStep, no_mailbox(), said.empty() ? "the directory has no such recipient" : said);
  const std::string ended = settings_.ldap + " ended with " + std::to_string(reply->exit_code);
  if (reply->exit_code != kLdapTrouble) return ldap_trouble("", ended);
  const std::string_view output = reply->output;
  const size_t tab = std::min(output.find('\t'), output.size());
  const std::string why = first_line(output.substr(std::min(tab + 1, output.size())));
  return ldap_trouble(output.substr(0, tab), why.empty() ? ended : why);
}

// `away`: what control/ldap says is to become of the recipient.
Decision RecipientInquiries::ldap_trouble(std::string_view away, const std::string& why) const {
  Decision decision = not_known(kLdapStep, try_later(), why);
  const std::optional<OnTrouble> own = settings_.ldap_trouble;
  if (own == OnTrouble::refuse)
    decision.reply = {.code = "550", .status = "5.4.3", .text = "unable to verify the recipient"};
  if (!own) decision.reply = parse_reply(away, "45", ".4.3").value_or(try_later());
  if (own ? own == OnTrouble::accept : away == "accept") {
    decision =
        pass(kLdapStep, "taken unseen, as " + std::string(own ? "control/recipientchecks" : "control/ldap") +
                            " has it: " + why);
    decision.unasked = true;
  }
  return decision;
}

bool RecipientInquiries::has_directory() {
  if (!has_directory_)
    has_directory_ = ::access(home_path("control/ldap").c_str(), F_OK) == 0 || errno != ENOENT;
  return *has_directory_;
}

Decision RecipientInquiries::call_ahead(const RecipientInQuestion& recipient) {
  if (settings_.call_ahead.empty()) return pass(kCallAheadStep, "off: control/recipientchecks");
  Result<Reply> reply = ask("@callahead", {"check", settings_.call_ahead, std::string(recipient.address)},
                            recipient, kCallAheadMilliseconds);
  if (!reply) return not_known(kCallAheadStep, try_later(), reply.failure().text);
  const std::string why = second_line(reply->output);
  if (reply->exit_code == 0) return pass(kCallAheadStep, why);
  if (reply->exit_code == 100)
    return refuse(kCallAheadStep, reply_or(reply->output, "5", ".1.1", no_mailbox()), why);
  return not_known(kCallAheadStep, reply_or(reply->output, "45", ".3.0", try_later()), why);
}

}  // namespace postern
