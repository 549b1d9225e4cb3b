#include "receipt/rated_line.h"

#include <time.h>

#include <cerrno>

#include "lib/call.h"
#include "lib/child.h"
#include "lib/log.h"

namespace postern {

namespace {

constexpr std::string_view kService = "rated";
constexpr int64_t kAnswerMilliseconds = 2000;
constexpr int64_t kSilenceMilliseconds = 60000;  // after a question without an answer
constexpr int kBacklogTries = 20;                // when more are connecting than it has accepted yet
constexpr long kBacklogPauseNanoseconds = 10'000'000;

}  // namespace

std::optional<RateAnswer> RatedLine::ask(std::span<const RateCheck> checks) {
  Result<RateAnswer> answer = ask_or_fail(checks);
  if (answer) {
    if (!answer->over) {
      for (const RateCheck& check : checks) {
        if (check.what == RateCheck::What::slot) held_.push_back(check);
      }
    }
    return *answer;
  }
  if (!std::exchange(logged_, true))
    log_warning("ask rated; its limits do not hold meanwhile", answer.failure());
  return std::nullopt;
}

Result<RateAnswer> RatedLine::ask_or_fail(std::span<const RateCheck> checks) {
  if (now_milliseconds() < silent_until_) return temporary("it did not answer a moment ago");
  const bool kept = static_cast<bool>(socket_);
  if (kept) {
    if (Result<RateAnswer> answer = exchange(checks)) return answer;
    if (!socket_ && silent_until_ != 0) return temporary("it does not answer");
  }
  // It has been started anew, perhaps.
  if (Result<void> opened = open(); !opened) return opened.failure();
  return exchange(checks);
}

// Not connect_service, which waits for a service that is not there: a client must not wait for that.
Result<void> RatedLine::open() {
  for (int tries = 1;; ++tries) {
    errno = 0;
    Result<Fd> socket = try_connect_service(kService);
    const int error = errno;
    if (socket) {
      socket_ = std::move(*socket);
      break;
    }
    if (error != EAGAIN || tries == kBacklogTries) return socket.failure();
    const timespec pause{0, kBacklogPauseNanoseconds};
    ::nanosleep(&pause, nullptr);
  }
  if (held_.empty()) return {};
  std::vector<RateCheck> again = held_;
  for (RateCheck& check : again) check.limit = 0;
  Result<RateAnswer> answer = exchange(again);
  if (!answer) return answer.failure();
  return {};
}

Result<RateAnswer> RatedLine::exchange(std::span<const RateCheck> checks) {
  Request request;
  request.arguments = rate_arguments(checks);
  Result<void> sent = send_request(socket_.get(), request);
  Result<Reply> reply = sent ? await_reply(socket_.get(), now_milliseconds() + kAnswerMilliseconds)
                             : Result<Reply>(sent.failure());
  if (!reply) {
    socket_.reset();
    if (reply.failure().exit_code == 52) silent_until_ = now_milliseconds() + kSilenceMilliseconds;
    return reply.failure();
  }
  if (reply->exit_code != 0) return temporary("exit code " + std::to_string(reply->exit_code));
  return parse_rate_answer(reply->output, checks.size());
}

}  // namespace postern
