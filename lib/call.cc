#include "lib/call.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "lib/child.h"
#include "lib/control.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr int64_t kConnectRetryMilliseconds = 5000;
constexpr int64_t kFirstWaitMilliseconds = 5;
constexpr int64_t kLongestWaitMilliseconds = 100;

void pause_milliseconds(int64_t milliseconds) {
  const timespec wait{milliseconds / 1000, (milliseconds % 1000) * 1000000};
  ::nanosleep(&wait, nullptr);
}

Result<Reply> call_resident(std::string_view name, const Request& request, int64_t deadline) {
  Result<Fd> socket = connect_service(name, deadline);
  if (!socket) return socket.failure();
  Result<void> sent = send_request(socket->get(), request);
  if (!sent) return sent.failure();
  return await_reply(socket->get(), deadline);
}

Result<Reply> call_path(std::string_view program, const Request& request, int64_t deadline) {
  // The same limits in both forms, so that a setting may change from one to the other.
  if (Result<std::string> packet = encode_request(request); !packet) return packet.failure();
  ChildOptions options;
  for (const std::string_view word : words(program)) options.arguments.emplace_back(word);
  options.arguments.insert(options.arguments.end(), request.arguments.begin(), request.arguments.end());
  options.environment = child_environment(request.environment);
  options.fds = request.fds;
  Result<ChildEnd> end = run_child(std::move(options), deadline, kReplyLimitBytes);
  if (!end) return end.failure();
  const std::string what(words(program).front());
  if (end->timed_out) return temporary(what + ": no end before the deadline", 52);
  if (end->signal != 0) return temporary(what + ": killed by signal " + std::to_string(end->signal));
  if (end->output_cut) return temporary(what + ": printed more than 64 KiB");
  return Reply{.exit_code = end->exit_code, .output = std::move(end->output)};
}

}  // namespace

Result<Fd> try_connect_service(std::string_view name) {
  const std::string path = home_path("run/" + std::string(name));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return temporary("connect to " + path +
                     ": the path is longer than a socket's may be; use a shorter home directory");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  Fd socket{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!socket) return os_failure("make a socket", errno, 56);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    const int error = errno;
    Failure failure = os_failure("connect to " + path, error, 56);
    errno = error;
    return failure;
  }
  return socket;
}

Result<Fd> connect_service(std::string_view name, int64_t deadline_milliseconds) {
  const int64_t give_up = std::min(deadline_milliseconds, now_milliseconds() + kConnectRetryMilliseconds);
  for (int64_t wait = kFirstWaitMilliseconds;; wait = std::min(2 * wait, kLongestWaitMilliseconds)) {
    errno = 0;
    Result<Fd> socket = try_connect_service(name);
    const int error = errno;
    if (socket || (error != EAGAIN && error != ENOENT && error != ECONNREFUSED)) return socket;
    if (now_milliseconds() + wait >= give_up) return socket;
    pause_milliseconds(wait);
  }
}

Result<Reply> await_reply(int socket, int64_t deadline_milliseconds) {
  for (;;) {
    pollfd wait{socket, POLLIN, 0};
    const int64_t left = deadline_milliseconds - now_milliseconds();
    const int ready = left > 0 ? ::poll(&wait, 1, static_cast<int>(std::min<int64_t>(left, 1 << 30))) : 0;
    if (ready > 0) return receive_reply(socket);
    if (ready == 0) return temporary("wait for a reply: the deadline has passed", 52);
    if (errno != EINTR) return os_failure("wait for a reply", errno, 56);
  }
}

Result<Reply> call_program(std::string_view program, const Request& request, int64_t deadline_milliseconds) {
  const std::string_view name = trim(program);
  if (name.empty()) return temporary("call a program: the setting is empty", 55);
  if (name.starts_with('@')) return call_resident(name.substr(1), request, deadline_milliseconds);
  return call_path(name, request, deadline_milliseconds);
}

}  // namespace postern
