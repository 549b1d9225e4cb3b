#include "smtpd/ask_auth.h"

#include "lib/call.h"

namespace postern::smtpd {

namespace {

constexpr int64_t kAuthMilliseconds = 45000;  // longer than a checker may take

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

}  // namespace postern::smtpd
