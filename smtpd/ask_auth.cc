#include "smtpd/ask_auth.h"

#include <algorithm>

#include "lib/call.h"
#include "lib/text.h"

namespace postern::smtpd {

namespace {

constexpr int64_t kAuthMilliseconds = 45000;  // longer than a checker may take
constexpr uint64_t kMostDelayMilliseconds = 10000;
constexpr int64_t kDelayStepMilliseconds = 500;  // longer than most checkers take

}  // namespace

Result<postern::Reply> ask_authq(const std::string& mechanism, const std::string& state,
                                 const Secret* response, const Settings& settings) {
  Request request;
  request.arguments = {"auth", mechanism, state};
  request.environment.set("TCPREMOTEIP", settings.remote_ip);
  Fd file;  // not among the arguments: what is in a packet may stay in our memory
  if (response != nullptr) {
    Result<Fd> made = secret_file(response->view());
    if (!made) return made.failure();
    file = std::move(*made);
    request.fds = {{file.get(), 0}};
  }
  return call_program("@authq", request, now_milliseconds() + kAuthMilliseconds);
}

int64_t rest_of_delay(std::string_view delay, int64_t elapsed) {
  const auto wanted = static_cast<int64_t>(
      std::min(parse_number(delay).value_or(kMostDelayMilliseconds), kMostDelayMilliseconds));
  if (elapsed <= wanted) return wanted - elapsed;
  return kDelayStepMilliseconds - 1 - (elapsed - 1) % kDelayStepMilliseconds;
}

}  // namespace postern::smtpd
