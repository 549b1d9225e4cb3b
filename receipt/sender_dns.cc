#include "receipt/sender_dns.h"

#include <algorithm>

#include "lib/control.h"
#include "lib/dns_text.h"
#include "lib/text.h"
#include "receipt/custom_reply.h"

namespace postern {

namespace {

constexpr const char* kStep = "sender-dns";
constexpr const char* kExceptionStep = "sender-exceptions";

const SmtpReply kRejected = {
    .code = "553", .status = "5.7.1", .text = "mail from this sender is not accepted here"};

Decision refused(const CustomReply& custom, SmtpReply otherwise, std::string why) {
  return refuse(kStep, reply_of(custom, std::move(otherwise)), std::move(why));
}

Decision unresolvable(const MailFlowPolicy& policy, std::string_view domain, std::string why) {
  return refused(policy.unresolvable,
                 {.code = "451",
                  .status = "4.1.8",
                  .text = "the domain of the sender's address does not resolve: " + printable(domain, 80)},
                 std::move(why));
}

Decision no_answer(std::string_view domain, const std::string& why) {
  return refuse(
      kStep,
      {.code = "451",
       .status = "4.4.3",
       .text = "the domain of the sender's address cannot be looked up now: " + printable(domain, 80)},
      why);
}

// Does any of the mail hosts have an address? Where none has, and one gave no answer, nobody knows.
Decision judge_hosts(const MailFlowPolicy& policy, std::string_view domain, const DnsAnswer& answer) {
  const auto resolves = [](const DnsHost& host) { return !host_addresses(host).empty(); };
  const auto found = std::find_if(answer.hosts.begin(), answer.hosts.end(), resolves);
  if (found != answer.hosts.end()) {
    return pass(kStep, std::string(domain) + " takes mail at " + found->name);
  }
  if (std::any_of(answer.hosts.begin(), answer.hosts.end(), lookup_failed))
    return no_answer(domain, "no answer about the mail hosts of " + std::string(domain));
  return unresolvable(policy, domain, "no mail host of " + std::string(domain) + " has an address");
}

}  // namespace

Result<std::optional<Decision>> check_sender_exceptions(const MailFlowPolicy& policy, std::string_view sender,
                                                        SenderExceptions& exceptions) {
  if (!policy.exceptions) return std::optional<Decision>();
  Result<std::optional<SenderException>> found = exceptions.find(sender);
  if (!found) return found.failure();
  if (!found->has_value()) return std::optional<Decision>();
  const SenderException& exception = **found;
  std::string why = home_path("control/senderexceptions") + ":" + std::to_string(exception.line) + ": " +
                    exception.entry + (exception.accept ? " accept" : " reject");
  if (exception.accept) return std::optional(pass(kExceptionStep, std::move(why)));
  const CustomReply reply{.code = exception.code, .text = exception.text};
  return std::optional(refuse(kExceptionStep, reply_of(reply, kRejected), std::move(why)));
}

Decision check_sender_domain(const MailFlowPolicy& policy, std::string_view sender, const AskDns& ask) {
  if (!policy.verify_sender) return pass(kStep, "verify_sender is off");
  if (sender.empty()) return pass(kStep, "the null reverse-path has no domain");
  const std::string domain = domain_of(sender);
  if (domain.starts_with('[')) return pass(kStep, "an address literal is not looked up");
  const std::optional<std::string> name = dns_question_name(domain);
  if (!name) {
    if (policy.allow_malformed) return pass(kStep, "malformed, which allow_malformed lets pass");
    return refused(policy.malformed,
                   {.code = "553", .status = "5.1.7", .text = "the sender's address is malformed"},
                   "\"" + printable(domain, 80) + "\" can be no domain");
  }
  const Result<DnsAnswer> answer = ask({"mx", *name});
  if (!answer) return no_answer(domain, answer.failure().text);
  switch (answer->outcome) {
    case DnsOutcome::found:
    case DnsOutcome::implicit:
      return judge_hosts(policy, domain, *answer);
    case DnsOutcome::nxdomain:
    case DnsOutcome::invalid:
      return refused(policy.no_such_domain,
                     {.code = "550",
                      .status = "5.1.8",
                      .text = "the domain of the sender's address does not exist: " + printable(domain, 80)},
                     domain + " does not exist (NXDOMAIN)");
    case DnsOutcome::null_mx:  // RFC 7505, 4.2: nobody there could read an answer
      return refuse(kStep,
                    {.code = "550",
                     .status = "5.7.27",
                     .text = "the domain of the sender's address takes no mail: " + printable(domain, 80)},
                    domain + " has a null MX (RFC 7505)");
    case DnsOutcome::nodata:
      return unresolvable(policy, domain, domain + " has neither MX nor address records");
    case DnsOutcome::bogus:
    case DnsOutcome::failed:
      break;
  }
  return no_answer(domain, "no answer about " + domain);
}

}  // namespace postern
