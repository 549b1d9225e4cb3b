#include "scanq/clamd_client.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "lib/child.h"
#include "lib/text.h"
#include "scanq/clamd_protocol.h"

namespace postern {

namespace {

constexpr size_t kChunkBytes = 128 * 1024;
constexpr size_t kLineLimitBytes = 4096;
constexpr std::string_view kTooLarge = "size limit exceeded";

Result<Fd> connect_unix(std::string_view path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return permanent("connect to clamd: the path is too long", 100);
  std::memcpy(address.sun_path, path.data(), path.size());
  Fd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!socket) return os_failure("make a socket", errno);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return os_failure("connect to clamd at " + std::string(path), errno);
  return socket;
}

Result<void> wait_on(int socket, short events, int64_t deadline) {
  for (;;) {
    pollfd wait{socket, events, 0};
    const int64_t left = deadline - now_milliseconds();
    const int ready = left > 0 ? ::poll(&wait, 1, static_cast<int>(std::min<int64_t>(left, 1 << 30))) : 0;
    if (ready > 0) return {};
    if (ready == 0) return temporary("wait for clamd: the deadline has passed");
    if (errno != EINTR) return os_failure("wait for clamd", errno);
  }
}

Result<Fd> connect_address(const addrinfo& to, const std::string& what, int64_t deadline) {
  Fd socket{::socket(to.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!socket) return os_failure("make a socket", errno);
  if (::connect(socket.get(), to.ai_addr, to.ai_addrlen) == 0) return socket;
  if (errno != EINPROGRESS) return os_failure(what, errno);
  if (Result<void> waited = wait_on(socket.get(), POLLOUT, deadline); !waited) return waited.failure();
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return os_failure(what, error);
  return socket;
}

Result<Fd> connect_tcp(std::string_view address, int64_t deadline) {
  const std::string what = "connect to clamd at " + printable(address, 200);
  const size_t colon = address.rfind(':');
  std::string_view host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (colon == std::string_view::npos || host.empty())
    return permanent(what + ": it is neither the path of a socket nor HOST:PORT", 100);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port(address.substr(colon + 1));
  if (const int code = ::getaddrinfo(std::string(host).c_str(), port.c_str(), &hints, &found); code != 0)
    return temporary(what + ": " + ::gai_strerror(code));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  Result<Fd> socket = temporary(what + ": it has no address");
  for (const addrinfo* next = found; next != nullptr && !socket; next = next->ai_next)
    socket = connect_address(*next, what, deadline);
  return socket;
}

}  // namespace

Result<ClamdClient> ClamdClient::connect(std::string_view address, ClamdWay way,
                                         int64_t deadline_milliseconds) {
  const bool local = address.starts_with('/');
  Result<Fd> socket = local ? connect_unix(address) : connect_tcp(address, deadline_milliseconds);
  if (!socket) return socket.failure();
  ClamdClient client(std::move(*socket), way, deadline_milliseconds);
  if (Result<void> sent = client.send(std::string_view("zIDSESSION\0", 11)); !sent) return sent.failure();
  return client;
}

ScanResult ClamdClient::scan(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (!broken_.empty()) return {AntivirusKind::error, broken_};
  ++number_;
  Result<void> sent = way_ == ClamdWay::stream ? send_stream(bytes) : send_descriptor(bytes);
  // It may have answered before it had everything, and then closed.
  Result<std::string> line = receive_line();
  if (!line) {
    broken_ = sent ? line.failure().text : sent.failure().text;
    return {AntivirusKind::error, broken_};
  }
  const ClamdAnswer answer = parse_clamd_answer(*line);
  const std::string number = std::to_string(number_) + ": ";
  if (!sent || !line->starts_with(number)) broken_ = "clamd: " + printable(*line, 200);
  if (answer.kind == ClamdAnswer::Kind::found) return judge_name(answer.text);
  if (answer.kind == ClamdAnswer::Kind::ok && broken_.empty()) {
    const std::string_view format = unreadable_format(bytes);
    return format.empty() ? ScanResult{} : ScanResult{AntivirusKind::unscannable, std::string(format)};
  }
  if (line->find(kTooLarge) != std::string::npos) {
    broken_ = "clamd has closed the connection";
    return {AntivirusKind::limit, "over clamd's StreamMaxLength"};
  }
  return {AntivirusKind::error, "clamd: " + printable(*line, 200)};
}

Result<void> ClamdClient::send_stream(std::string_view bytes) {
  Result<void> sent = send(std::string_view("zINSTREAM\0", 10));
  while (sent && !bytes.empty()) {
    const std::string_view chunk = bytes.substr(0, kChunkBytes);
    bytes.remove_prefix(chunk.size());
    std::string packet;
    for (int shift = 24; shift >= 0; shift -= 8) packet += static_cast<char>(chunk.size() >> shift & 0xff);
    sent = send(packet.append(chunk));
  }
  return sent ? send(std::string_view("\0\0\0\0", 4)) : sent;
}

Result<void> ClamdClient::send_descriptor(std::string_view bytes) {
  Result<Fd> file = memory_file_with("message", bytes);
  if (!file) return file.failure();
  if (Result<void> sent = send(std::string_view("zFILDES\0", 8)); !sent) return sent;
  if (Result<void> waited = wait_until(POLLOUT); !waited) return waited;
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  const int fd = file->get();
  std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  if (::sendmsg(socket_.get(), &header, MSG_NOSIGNAL) != 1)
    return os_failure("pass a descriptor to clamd", errno);
  return {};
}

Result<void> ClamdClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      if (Result<void> waited = wait_until(POLLOUT); !waited) return waited;
    } else if (errno != EINTR) {
      return os_failure("send to clamd", errno);
    }
  }
  return {};
}

Result<void> ClamdClient::wait_until(short events) {
  return wait_on(socket_.get(), events, deadline_);
}

Result<std::string> ClamdClient::receive_line() {
  std::array<char, 4096> block{};
  for (;;) {
    if (const size_t end = received_.find('\0'); end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    if (received_.size() > kLineLimitBytes) return temporary("clamd answers with too long a line");
    if (Result<void> waited = wait_until(POLLIN); !waited) return waited.failure();
    const ssize_t count = ::recv(socket_.get(), block.data(), block.size(), 0);
    if (count == 0) return temporary("clamd has closed the connection");
    if (count > 0) received_.append(block.data(), static_cast<size_t>(count));
    if (count < 0 && errno != EINTR && errno != EAGAIN) return os_failure("read from clamd", errno);
  }
}

}  // namespace postern
