#include "remote/sts.h"

#include <time.h>

#include <algorithm>
#include <cerrno>

#include "lib/call.h"
#include "lib/child.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/text.h"
#include "remote/sts_cache.h"
#include "remote/sts_decision.h"
#include "remote/tag_record.h"

namespace postern {

namespace {

constexpr int64_t kWaitMilliseconds = 20000;  // for which a delivery waits for a policy that is fetched
constexpr int64_t kDueMilliseconds = 1000;
constexpr int64_t kPendingMilliseconds =
    5000;  // for which a delivery asks again while another worker fetches
constexpr timespec kPendingPause{0, 250 * 1000000};
constexpr int64_t kConnectMilliseconds = 1000;  // a service that is being restarted is back by then

// A service that is not there at all, as in an instance that never had it, is not waited for.
Result<Fd> connect_briefly(const std::string& name, int64_t deadline) {
  errno = 0;
  Result<Fd> socket = try_connect_service(name);
  if (socket || (errno != EAGAIN && errno != ECONNREFUSED)) return socket;
  return connect_service(name, std::min(deadline, now_milliseconds() + kConnectMilliseconds));
}

Result<Reply> ask(const std::string& program, const Request& request, int64_t deadline) {
  if (!program.starts_with('@')) return call_program(program, request, deadline);
  Result<Fd> socket = connect_briefly(program.substr(1), deadline);
  if (!socket) return socket.failure();
  if (Result<void> sent = send_request(socket->get(), request); !sent) return sent.failure();
  return await_reply(socket->get(), deadline);
}

Result<StsAnswer> ask_stsd(const std::string& program, const std::string& domain, int64_t deadline) {
  const Request request{.arguments = {"policy", domain}, .environment = {}, .fds = {}};
  Result<Reply> reply = ask(program, request, deadline);
  if (!reply) return reply.failure();
  if (reply->exit_code != 0) return temporary("exit code " + std::to_string(reply->exit_code));
  Result<StsAnswer> answer = parse_sts_answer(reply->output);
  if (answer && answer->domain != domain) return temporary("the answer is for another domain");
  return answer;
}

// Asks again for a short while where another worker fetches the policy: of two first deliveries to a domain
// the second goes by it too.
Result<StsAnswer> ask_until_known(const std::string& program, const std::string& domain, int64_t deadline) {
  const int64_t patience = std::min(deadline, now_milliseconds() + kPendingMilliseconds);
  for (;;) {
    Result<StsAnswer> answer = ask_stsd(program, domain, deadline);
    if (!answer || answer->outcome != StsAnswer::Outcome::pending || now_milliseconds() >= patience)
      return answer;
    ::nanosleep(&kPendingPause, nullptr);
  }
}

}  // namespace

StsAnswer look_up_sts(const StsPrograms& programs, std::string_view asked, int64_t deadline) {
  const std::string domain = lower(asked);
  if (programs.sts == "none" || !is_policy_domain(domain)) return {.domain = domain};
  const uint64_t now = now_microseconds() / 1000000;
  const std::optional<StsEntry> entry = StsCache(home_path("db/sts")).find(domain);
  const Result<std::vector<std::string>> records = ask_txt(programs.dns, "_mta-sts." + domain, deadline);
  StsDecision decision = decide_sts(domain, entry, records, now);
  // Only stsd may write the cache: it hears of what is in use now and then, so that this is not pushed out.
  const bool told = decision.due || (entry && sts_to_be_touched(*entry, now));
  if (decision.answer && !told) return std::move(*decision.answer);
  // What is only due, or to be told, waits for nobody: the answer is there.
  const int64_t patience =
      decision.answer ? std::min(deadline, now_milliseconds() + kDueMilliseconds) : deadline;
  Result<StsAnswer> answer = ask_until_known(programs.sts, domain, patience);
  if (answer) return std::move(*answer);
  log_warning("ask for the MTA-STS policy of " + domain, answer.failure());
  if (decision.answer) return std::move(*decision.answer);
  // stsd is there, and its fetch goes on: it will be known.
  if (now_milliseconds() >= patience) return sts_answer_meanwhile(domain, entry, answer.failure().text, now);
  StsAnswer known =
      entry ? sts_answer_of(*entry, now) : StsAnswer{.domain = domain, .outcome = StsAnswer::Outcome::failed};
  known.why = answer.failure().text;
  return known;
}

const StsAnswer& StsOfDelivery::answer() {
  if (!answer_) answer_ = look_up_sts(programs_, domain_, now_milliseconds() + kWaitMilliseconds);
  return *answer_;
}

}  // namespace postern
