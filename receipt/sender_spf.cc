#include "receipt/sender_spf.h"

#include <algorithm>

#include "lib/text.h"

namespace postern {

namespace {

constexpr const char* kStep = "spf";
constexpr size_t kReplyTextLimitBytes = 480;  // of a reply line's 512 (RFC 5321, 4.5.3.1.5)

// The owner's words are a stranger's: they are marked as such (RFC 7208, 6.2 and 8.4).
SmtpReply fail_reply(const SpfAnswer& answer, const SpfQuestion& question) {
  std::string text =
      "SPF: " + printable(question.ip, 50) + " may not send mail of " + printable(answer.domain, 80);
  if (!answer.explanation.empty()) text += "; that domain says: " + printable(answer.explanation);
  if (text.size() > kReplyTextLimitBytes) text.resize(kReplyTextLimitBytes);
  return {.code = "550", .status = "5.7.23", .text = std::move(text)};
}

// What stands in a comment without meaning anything there.
std::string in_comment(std::string_view text) {
  std::string safe = printable(text, 200);
  std::replace_if(
      safe.begin(), safe.end(), [](char c) { return c == '(' || c == ')' || c == '\\'; }, '?');
  return safe;
}

std::string quoted(std::string_view text) {
  std::string safe = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') safe += '\\';
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    safe += control ? '?' : c;
  }
  return safe + '"';
}

}  // namespace

SpfVerdict judge_spf(const MailFlowPolicy& policy, const SpfQuestion& question, const AskDns& ask) {
  SpfVerdict verdict{.decision = pass(kStep, "spf is off")};
  if (policy.spf == SpfUse::off) return verdict;
  verdict.checked = true;
  verdict.answer = check_spf(question, ask);
  const SpfAnswer& answer = verdict.answer;
  const std::string why = std::string(spf_word(answer.result)) + " for " + answer.identity + " " +
                          printable(answer.domain, 100) + ": " + answer.reason;
  verdict.decision = pass(kStep, why);
  if (policy.spf != SpfUse::reject) return verdict;
  if (answer.result == SpfResult::fail) {
    verdict.decision = refuse(kStep, fail_reply(answer, question), why);
  } else if (answer.result == SpfResult::temperror) {
    verdict.decision =
        refuse(kStep,
               {.code = "451",
                .status = "4.7.24",
                .text = "SPF: the record of " + printable(answer.domain, 80) + " cannot be read now"},
               why);
  }
  return verdict;
}

std::string received_spf_field(const SpfAnswer& answer, const SpfQuestion& question) {
  std::string field = "Received-SPF: " + std::string(spf_word(answer.result)) + " (" +
                      in_comment(question.receiver) + ": " + in_comment(answer.reason) + ")\n";
  field += "  client-ip=" + (question.ip.find(':') == std::string::npos ? question.ip : quoted(question.ip)) +
           ";\n";
  field += "  envelope-from=" + quoted(question.sender) + ";\n";
  field += "  helo=" + quoted(question.helo) + "; identity=" + answer.identity + ";\n";
  field += "  receiver=" + question.receiver;
  if (!answer.mechanism.empty()) field += ";\n  mechanism=" + quoted(printable(answer.mechanism, 200));
  return field + "\n";
}

std::string spf_variable(const SpfAnswer& answer) {
  std::string domain = printable(answer.domain, 255);
  std::replace(domain.begin(), domain.end(), ' ', '?');
  return std::string(spf_word(answer.result)) + " " + answer.identity + " " + domain;
}

}  // namespace postern
