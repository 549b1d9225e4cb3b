// What a stage finds around it: descriptors and variables, present or absent.
#include <initializer_list>
#include <utility>

#include "lib/request.h"
#include "scanq/stagetest_case.h"
#include "scanq/stagetest_directory.h"

namespace postern::stagetest {

namespace {

constexpr int kTemporary = 111;
constexpr size_t kRoomForOthers = 4096;  // of a request's 64 KiB

Outcome with_request(Examination& examination, const std::function<void(StageRequest&)>& change) {
  const std::string message = ordinary_mail();
  StageRequest request = examination.request(message);
  change(request);
  return examination.try_out(request);
}

Case request_case(std::string_view name, std::string_view demand, void (*change)(StageRequest&),
                  InForm form = InForm::either, std::string_view remedy = {}) {
  return {name, demand, [change](Examination& examination) { return with_request(examination, change); },
          form, remedy};
}

Case variables_case(std::string_view name, std::string_view demand,
                    std::vector<std::pair<std::string, std::string>> pairs) {
  return {name, demand, [pairs = std::move(pairs)](Examination& examination) {
            return with_request(examination, [&](StageRequest& request) {
              for (const auto& [variable, value] : pairs) request.environment.set(variable, value);
            });
          }};
}

// A stage that tells messages apart reads them: it cannot have an answer for one that it could not read.
Outcome refuse_message(Examination& examination, const std::function<void(StageRequest&)>& change) {
  const std::string message = ordinary_mail();
  StageRequest request = examination.request(message);
  change(request);
  const Seen seen = examination.ask(request);
  Outcome outcome = examination.judge(seen, request);
  if (outcome.kind != Outcome::passed || seen.exit_code == kTemporary) return outcome;
  if (!examination.answers_vary()) return {Outcome::passed, outcome.seen + "; it answers all messages alike"};
  return {Outcome::failed, outcome.seen + ", though it tells messages apart",
          "check every read of the message, and exit 111 when one fails"};
}

Outcome without_control_files(Examination& examination, bool with_home) {
  const WatchedDirectory directory;
  if (!directory.failure().empty()) return {Outcome::not_judged, directory.failure()};
  return with_request(examination, [&](StageRequest& request) {
    request.settings.emplace_back("POSTERN_HOME", directory.path(with_home ? "work" : "none"));
  });
}

}  // namespace

std::vector<Case> surroundings_cases() {
  return {
      request_case(
          "message-on-disk", "a message and an envelope in files on disk are answered",
          [](StageRequest& request) { request.message_as = request.envelope_as = Given::disk_file; }),
      {"no-message", "without descriptor 0 it says 111, unless it answers all messages alike",
       [](Examination& examination) {
         return refuse_message(examination, [](StageRequest& request) { request.absent = {0}; });
       },
       InForm::path},
      {"unreadable-message", "a message that cannot be read gets 111, unless it answers all messages alike",
       [](Examination& examination) {
         return refuse_message(examination,
                               [](StageRequest& request) { request.message_as = Given::unreadable; });
       }},
      request_case(
          "no-log", "it works without descriptor 2", [](StageRequest& request) { request.absent = {2}; },
          InForm::path),
      request_case(
          "log-is-full", "it works when descriptor 2 takes nothing",
          [](StageRequest& request) { request.full_log = true; }, InForm::path),
      request_case("no-envelope", "it works, or says 111, without descriptor 3",
                   [](StageRequest& request) { request.absent = {3}; }),
      request_case("no-output", "it works, or says 111, without descriptor 4",
                   [](StageRequest& request) { request.absent = {4}; }),
      request_case("no-envelope-no-output", "it works, or says 111, without descriptors 3 and 4",
                   [](StageRequest& request) {
                     request.absent = {3, 4};
                   }),
      request_case("no-variables", "it works, or says 111, without any variable of the joint",
                   [](StageRequest& request) {
                     request.environment = Environment{};
                     request.bare_environment = true;
                   }),
      request_case("not-a-dry-run",
                   "it works without POSTERN_DRYRUN; the only case, with no-variables, where it may learn",
                   [](StageRequest& request) { request.environment.unset("POSTERN_DRYRUN"); }),
      request_case("no-mid", "it works without POSTERN_MID",
                   [](StageRequest& request) { request.environment.unset("POSTERN_MID"); }),
      request_case(
          "in-the-root-directory", "it works wherever it is started",
          [](StageRequest& request) { request.directory = "/"; }, InForm::path),
      {"no-control-files", "it works, or says 111, where the instance has no control file",
       [](Examination& examination) { return without_control_files(examination, true); }, InForm::path},
      {"no-home", "it works, or says 111, where the instance's directory does not exist",
       [](Examination& examination) { return without_control_files(examination, false); }, InForm::path},
      variables_case("direction-in", "mail of direction in is answered",
                     {{"POSTERN_DIRECTION", "in"},
                      {"POSTERN_LISTENER", "public"},
                      {"POSTERN_SENDERGROUP", "UNKNOWNLIST"}}),
      variables_case("direction-out", "mail of direction out is answered",
                     {{"POSTERN_DIRECTION", "out"}, {"RELAYCLIENT", ""}, {"TCPREMOTEIP", "127.0.0.1"}}),
      variables_case("direction-local", "mail of direction local is answered",
                     {{"POSTERN_DIRECTION", "local"}, {"POSTERN_AUTH", "user@here.example"}}),
      variables_case("direction-unknown", "a direction that it does not know is answered",
                     {{"POSTERN_DIRECTION", "sideways"}}),
      variables_case("skip-flags", "a message with skip flags is answered",
                     {{"POSTERN_SKIP", "antispam graymail no-such-stage"}}),
      variables_case("released", "a message that was released from a quarantine is answered",
                     {{"POSTERN_RELEASED", "Virus"}, {"POSTERN_EXEMPT", "antivirus Eicar-Test-Signature"}}),
      variables_case("tags", "the tags of earlier stages, empty and long ones too, are taken",
                     {{"POSTERN_TAG_SPAM", "12.5"},
                      {"POSTERN_TAG_EMPTY", ""},
                      {"POSTERN_TAG_0_", std::string(8192, 'x')}}),
      variables_case("part-of-a-message", "a part of a split message is answered",
                     {{"POSTERN_PARENT_MID", "6871947673600004711"}, {"POSTERN_POLICY", "a policy"}}),
      variables_case("deferred", "a message out of the work queue is answered",
                     {{"POSTERN_DEFERRED", "1"}, {"POSTERN_SENDERGROUP", "RELAYLIST"}}),
      variables_case(
          "client-by-ipv6", "a client by IPv6 without a name is answered",
          {{"TCPREMOTEIP", "2001:db8::1"}, {"TCPREMOTEHOST", ""}, {"POSTERN_HELO", "[IPv6:2001:db8::1]"}}),
      variables_case("odd-values", "line ends, quotes, shell signs and 8-bit bytes in variables are taken",
                     {{"POSTERN_HELO", "$(id)\n`id`;|&\t\"'\\ \xff\xfe"},
                      {"TCPREMOTEHOST", "=a=b\r\nSubject: x"},
                      {"POSTERN_MID", "not a number"},
                      {"TCPREMOTEIP", "999.1.1.1"}}),
      variables_case("unknown-variables", "variables that it does not know are passed over",
                     {{"POSTERN_NOBODY_KNOWS", "x"}, {"TCPNOBODYKNOWS", "x"}}),
      variables_case("most-variables", "as many bytes of variables as a request may have are taken",
                     {{"POSTERN_TAG_LARGE", std::string(kRequestLimitBytes - kRoomForOthers, 'x')}}),
  };
}

}  // namespace postern::stagetest
