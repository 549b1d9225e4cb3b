#include "scanq/stagetest_case.h"

#include <algorithm>
#include <iterator>

#include "lib/envelope.h"

namespace postern::stagetest {

namespace {

constexpr std::string_view kSender = "sender@elsewhere.example";
constexpr std::string_view kRecipient = "recipient@here.example";

std::vector<std::string> recipients_of(std::string_view envelope) {
  std::vector<std::string> addresses;
  if (Result<Envelope> parsed = parse_envelope(envelope); parsed) {
    for (const Recipient& recipient : parsed->recipients) addresses.push_back(recipient.address);
  }
  return addresses;
}

bool has(const std::vector<Finding>& findings, Fault fault) {
  return std::any_of(findings.begin(), findings.end(),
                     [&](const Finding& finding) { return finding.fault == fault; });
}

std::string mail_with_attachment() {
  return "From: <sender@elsewhere.example>\nTo: <recipient@here.example>\nSubject: the list\nMIME-Version: "
         "1.0\nMessage-ID: <2@elsewhere.example>\nDate: Mon, 02 Jan 2023 15:04:05 +0000\nContent-Type: "
         "multipart/mixed; boundary=\"=_b\"\n\n--=_b\nContent-Type: text/plain; charset=utf-8\n\nHere it "
         "is.\n\n--=_b\nContent-Type: application/octet-stream; "
         "name=\"list.bin\"\nContent-Transfer-Encoding: "
         "base64\nContent-Disposition: attachment; "
         "filename=\"list.bin\"\n\nAAECAwQFBgcICQoLDA0ODw==\n--=_b--\n";
}

}  // namespace

std::string repeated(std::string_view text, size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

std::string mail_with_body(std::string_view subject, std::string_view body) {
  return "Received: from elsewhere.example (192.0.2.1) by here.example;\n\tMon, 02 Jan 2023 15:04:06 "
         "+0000\nFrom: A Sender <sender@elsewhere.example>\nTo: <recipient@here.example>\nSubject: " +
         std::string(subject) +
         "\nDate: Mon, 02 Jan 2023 15:04:05 +0000\nMessage-ID: <1@elsewhere.example>\n\n" + std::string(body);
}

std::string ordinary_mail(std::string_view subject) {
  return mail_with_body(subject, "Are you there tomorrow?\n");
}

// Both in halves, so that no scanner finds them in this program.
std::string eicar_mail() {
  return mail_with_body("the test virus", std::string("X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-") +
                                              "ANTIVIRUS-TEST-FILE!$H+H*\n");
}

std::string gtube_mail() {
  return mail_with_body("the test spam", std::string("XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-") +
                                             "UBE-TEST-EMAIL*C.34X\n");
}

std::string envelope_of(std::string_view sender, const std::vector<std::string>& recipients) {
  Envelope envelope;
  envelope.sender = sender;
  for (const std::string& address : recipients)
    envelope.recipients.push_back({.address = address, .notify = {}, .orcpt = {}});
  return serialise_envelope(envelope);
}

Examination::Examination(Examined examined, bool judge_all)
    : examined_(std::move(examined)), judge_all_(judge_all) {
  ordinary_ = {ordinary_mail(), mail_with_attachment(), eicar_mail(), gtube_mail()};
  std::copy(examined_.own_messages.begin(), examined_.own_messages.end(), std::back_inserter(ordinary_));
}

StageRequest Examination::request(std::string_view message) const {
  static const std::string envelope = envelope_of(kSender, {std::string(kRecipient)});
  StageRequest request{.message = message, .envelope = envelope, .environment = {}};
  for (const auto& [name, value] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"POSTERN_MID", "6871947673600004711"},
           {"POSTERN_ICID", "6871947673600000017"},
           {"POSTERN_DIRECTION", "in"},
           {"POSTERN_HELO", "elsewhere.example"},
           {"POSTERN_DRYRUN", "1"},
           {"TCPREMOTEIP", "192.0.2.1"},
           {"TCPREMOTEPORT", "40000"},
           {"TCPREMOTEHOST", "elsewhere.example"},
           {"TCPLOCALIP", "192.0.2.25"},
           {"TCPLOCALPORT", "25"}}) {
    request.environment.set(name, value);
  }
  return request;
}

int64_t Examination::grace() const {
  return has(findings_, Fault::left_behind) ? 0 : kGraceMilliseconds;
}

Seen Examination::ask(const StageRequest& request) const {
  return StageRun::begin(examined_.program, request, examined_.timeout_milliseconds).end(grace());
}

Outcome Examination::judge(const Seen& seen, const StageRequest& request) {
  const std::vector<Finding> findings = findings_of(seen, recipients_of(request.envelope));
  if (findings.empty()) return {Outcome::passed, summary_of(seen)};
  const auto is_new = [&](const Finding& finding) {
    return judge_all_ || !has(ordinary_findings(), finding.fault);
  };
  const auto first = std::find_if(findings.begin(), findings.end(), is_new);
  if (first == findings.end()) {
    return {Outcome::not_judged,
            "the fault of " + std::string(case_of(findings.front().fault).name) + " shows here too"};
  }
  std::string told = first->seen;
  if (!seen.last_words.empty() && seen.last_words != told) told += "; its last words: " + seen.last_words;
  return {Outcome::failed, std::move(told), std::string(case_of(first->fault).remedy)};
}

Outcome Examination::try_out(const StageRequest& request) {
  const Seen seen = ask(request);
  different_.insert(comparable(seen));
  return judge(seen, request);
}

void Examination::ask_ordinary() {
  if (std::exchange(asked_ordinary_, true)) return;
  for (const std::string& message : ordinary_) {
    // Files that it could change if it tried.
    StageRequest request = this->request(message);
    request.message_as = request.envelope_as = Given::writable;
    answers_.push_back(ask(request));
    different_.insert(comparable(answers_.back()));
    for (Finding& finding : findings_of(answers_.back(), recipients_of(request.envelope)))
      findings_.push_back(std::move(finding));
    if (!answers_.back().not_asked.empty() || answers_.back().late) return;
  }
}

const std::vector<Finding>& Examination::ordinary_findings() {
  ask_ordinary();
  return findings_;
}

const std::vector<Seen>& Examination::ordinary_answers() {
  ask_ordinary();
  return answers_;
}

bool Examination::answers_vary() {
  ask_ordinary();
  return different_.size() > 1;
}

bool Examination::answers_repeat() {
  if (!answers_repeat_)
    answers_repeat_ = comparable(ask(request(ordinary_[0]))) == comparable(ask(request(ordinary_[0])));
  return *answers_repeat_;
}

std::string Examination::hopeless() {
  if (judge_all_) return {};
  for (const Fault fault : {Fault::not_asked, Fault::late}) {
    if (has(ordinary_findings(), fault)) return std::string(case_of(fault).name) + " failed";
  }
  return {};
}

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (std::vector<Case> (*theme)() : {ordinary_cases, message_cases, mime_cases, envelope_cases,
                                       surroundings_cases, state_cases, resident_cases}) {
    for (Case& one : theme()) all.push_back(std::move(one));
  }
  return all;
}

}  // namespace postern::stagetest
