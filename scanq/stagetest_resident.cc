// What only a resident can do wrong: it lives on between requests.
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "lib/call.h"
#include "lib/child.h"
#include "scanq/stagetest_case.h"
#include "scanq/stagetest_processes.h"

namespace postern::stagetest {

namespace {

constexpr size_t kRequests = 20;
constexpr int64_t kSettleMilliseconds = 5000;
constexpr timespec kPause = {0, 20'000'000};

Result<Fd> connection_to(const Examination& examination) {
  return connect_service(examination.program().service, now_milliseconds() + examination.timeout());
}

Outcome on_one_connection(Examination& examination, size_t requests) {
  const std::vector<Seen>& before = examination.ordinary_answers();
  if (!examination.answers_repeat()) return {Outcome::not_judged, std::string(kAnswersDiffer)};
  Result<Fd> connection = connection_to(examination);
  if (!connection) return {Outcome::failed, connection.failure().text};
  for (size_t i = 0; i < requests; ++i) {
    const size_t which = i % before.size();
    const StageRequest request = examination.request(examination.ordinary_messages()[which]);
    const Seen seen = StageRun::begin_on(connection->get(), request, examination.timeout()).end();
    if (comparable(seen) != comparable(before[which])) {
      return {Outcome::failed, "request " + std::to_string(i + 1) + ": \"" + summary_of(seen) + "\", \"" +
                                   summary_of(before[which]) + "\" on a connection of its own"};
    }
  }
  return {Outcome::passed, std::to_string(requests) + " answers as on connections of their own"};
}

// A packet that is no request; what it is answered does not matter, that the next client is does.
Outcome after_packet(Examination& examination, std::string_view packet) {
  Result<Fd> connection = connection_to(examination);
  if (!connection) return {Outcome::failed, connection.failure().text};
  ::send(connection->get(), packet.data(), packet.size(), MSG_NOSIGNAL);
  Result<Reply> reply = await_reply(connection->get(), now_milliseconds() + examination.timeout());
  if (reply && reply->exit_code == 0)
    return {Outcome::failed, "it answered 0 to a packet that is no request"};
  const std::string message = ordinary_mail();
  return examination.try_out(examination.request(message));
}

// The process that listens: postern-bind, which became the service.
pid_t service_process(const Examination& examination) {
  Result<Fd> connection = connection_to(examination);
  if (!connection) return 0;
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(connection->get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return 0;
  return peer.pid;
}

Outcome tidy(Examination& examination) {
  const pid_t service = service_process(examination);
  const std::vector<ProcessLine> before = below(all_processes(), service);
  if (service <= 1 || before.empty())
    return {Outcome::not_judged, "the service's processes cannot be seen from here"};
  for (const std::string& message : examination.ordinary_messages())
    examination.ask(examination.request(message));
  const int64_t deadline = now_milliseconds() + kSettleMilliseconds;
  for (;;) {
    const std::vector<ProcessLine> after = below(all_processes(), service);
    const auto zombies =
        std::count_if(after.begin(), after.end(), [](const ProcessLine& p) { return p.state == 'Z'; });
    if (after.size() <= before.size() && zombies == 0)
      return {Outcome::passed, std::to_string(after.size()) + " processes below the service, as before"};
    if (now_milliseconds() > deadline) {
      return {Outcome::failed, std::to_string(before.size()) + " processes before, " +
                                   std::to_string(after.size()) + " after, of them " +
                                   std::to_string(zombies) + " zombies"};
    }
    ::nanosleep(&kPause, nullptr);
  }
}

}  // namespace

std::vector<Case> resident_cases() {
  using namespace std::string_view_literals;
  return {
      {"second-request", "a second request on the same connection is answered as the first",
       [](Examination& examination) { return on_one_connection(examination, 2); }, InForm::resident,
       "keep nothing of a request when it is answered; start from descriptors of its own"},
      {"twenty-on-a-connection", "20 requests on one connection are answered as on 20",
       [](Examination& examination) { return on_one_connection(examination, kRequests); }, InForm::resident,
       "keep nothing of a request when it is answered"},
      {"empty-request", "a request of another version hurts nobody behind it",
       [](Examination& examination) { return after_packet(examination, "\x7f"sv); }, InForm::resident,
       "close the connection on a broken packet and take the next client"},
      {"cut-request", "a request that is cut short hurts nobody behind it",
       [](Examination& examination) { return after_packet(examination, "\x01\x05\x00one\0tw"sv); },
       InForm::resident, "close the connection on a broken packet and take the next client"},
      {"missing-descriptors", "a request whose descriptors did not come hurts nobody behind it",
       [](Examination& examination) { return after_packet(examination, "\x01\x00\x00\0\x00\x03\x04"sv); },
       InForm::resident, "compare the number of descriptors with what the packet says, and close"},
      {"leaves-no-zombies", "requests leave neither processes nor zombies below the service", tidy,
       InForm::resident, "wait for every child"},
  };
}

}  // namespace postern::stagetest
