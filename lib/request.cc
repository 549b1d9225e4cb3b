#include "lib/request.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "lib/record.h"

namespace postern {

namespace {

constexpr char kVersion = 1;

Failure broken(std::string why) {
  return temporary("read a request: " + std::move(why));
}

// Takes over every descriptor of the message at once, so that none leaks whatever comes next.
std::vector<Fd> take_descriptors(msghdr& message) {
  std::vector<Fd> fds;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return fds;
}

// A NUL would make one argument or variable into two over there.
bool can_be_sent(const Request& request) {
  const auto has_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  if (std::any_of(request.arguments.begin(), request.arguments.end(), has_nul)) return false;
  return std::none_of(
      request.environment.pairs().begin(), request.environment.pairs().end(), [&](const auto& pair) {
        const auto& [name, value] = pair;
        return name.empty() || name.find('=') != std::string::npos || has_nul(name) || has_nul(value);
      });
}

}  // namespace

Result<std::string> encode_request(const Request& request) {
  if (!can_be_sent(request))
    return temporary("send a request: a NUL in an argument, or a variable without a name");
  std::string packet;
  packet += kVersion;
  packet += static_cast<char>(request.arguments.size() & 255);
  packet += static_cast<char>(request.arguments.size() >> 8 & 255);
  for (const std::string& argument : request.arguments) packet.append(argument).push_back('\0');
  for (const auto& [name, value] : request.environment.pairs()) {
    packet.append(name).append("=").append(value).push_back('\0');
  }
  packet.push_back('\0');
  if (packet.size() > kRequestLimitBytes || request.arguments.size() > 65535) {
    return temporary("send a request: arguments and environment are over 64 KiB");
  }
  if (request.fds.size() > kPassedFdLimit) return temporary("send a request: more than 8 descriptors");
  for (const PassedFd& fd : request.fds) packet += static_cast<char>(fd.target);
  return packet;
}

Result<DecodedRequest> decode_request(std::string_view packet, size_t passed) {
  DecodedRequest request;
  if (packet.size() < 4 || packet.front() != kVersion) return broken("unknown version");
  size_t arguments =
      static_cast<unsigned char>(packet[1]) | static_cast<size_t>(static_cast<unsigned char>(packet[2])) << 8;
  packet.remove_prefix(3);
  for (; arguments > 0; --arguments) {
    const std::optional<std::string_view> argument = cut_record(packet);
    if (!argument) return broken("an argument is cut short");
    request.arguments.emplace_back(*argument);
  }
  for (;;) {
    const std::optional<std::string_view> pair = cut_record(packet);
    if (!pair) return broken("the environment is cut short");
    if (pair->empty()) break;
    const size_t equals = pair->find('=');
    if (equals == std::string_view::npos || equals == 0) return broken("a variable has no name");
    request.environment.set(pair->substr(0, equals), pair->substr(equals + 1));
  }
  if (packet.size() != passed) return broken("wrong number of descriptors");
  for (const char byte : packet) {
    const int target = static_cast<unsigned char>(byte);
    const bool twice =
        std::find(request.targets.begin(), request.targets.end(), target) != request.targets.end();
    // Descriptor 2 is never passed; the others must be free for the child that may be started with them.
    if (target == 2 || target >= kPassedNumberLimit || twice)
      return broken("a descriptor's number is not allowed");
    request.targets.push_back(target);
  }
  return request;
}

Result<void> send_request(int socket, const Request& request) {
  Result<std::string> packet = encode_request(request);
  if (!packet) return packet.failure();
  iovec part{packet->data(), packet->size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kPassedFdLimit * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!request.fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(request.fds.size() * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(request.fds.size() * sizeof(int));
    for (size_t i = 0; i < request.fds.size(); ++i) {
      std::memcpy(CMSG_DATA(header) + i * sizeof(int), &request.fds[i].source, sizeof(int));
    }
  }
  while (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return os_failure("send a request", errno);
  }
  return {};
}

Result<Incoming> receive_request(int socket) {
  static constexpr size_t kPacketLimit = kRequestLimitBytes + kPassedFdLimit;
  std::string packet(kPacketLimit, '\0');
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kPassedFdLimit * sizeof(int))> control{};
  iovec part{packet.data(), packet.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t got = 0;
  while ((got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0) {
    if (errno != EINTR) return os_failure("read a request", errno);
  }
  std::vector<Fd> fds = take_descriptors(message);
  Incoming incoming;
  if (got == 0) return incoming;
  if ((message.msg_flags & MSG_TRUNC) != 0) return broken("it is over 64 KiB");
  if ((message.msg_flags & MSG_CTRUNC) != 0) return broken("descriptors are missing");
  packet.resize(static_cast<size_t>(got));
  Result<DecodedRequest> decoded = decode_request(packet, fds.size());
  if (!decoded) return decoded.failure();
  incoming.came = Came::request;
  incoming.request.arguments = std::move(decoded->arguments);
  incoming.request.environment = std::move(decoded->environment);
  for (size_t i = 0; i < fds.size(); ++i)
    incoming.request.fds.emplace_back(decoded->targets[i], std::move(fds[i]));
  return incoming;
}

Result<void> send_reply(int socket, const Reply& reply) {
  std::string packet;
  packet += static_cast<char>(reply.exit_code);
  packet += reply.output;
  if (reply.output.size() > kReplyLimitBytes) return temporary("send a reply: it is over 64 KiB");
  while (::send(socket, packet.data(), packet.size(), MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return os_failure("send a reply", errno);
  }
  return {};
}

Result<Reply> receive_reply(int socket) {
  // Its length first: most are a few bytes, and in a process that is seconds old each page of a buffer costs
  // a fault.
  char none = 0;
  ssize_t length = 0;
  while ((length = ::recv(socket, &none, 0, MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC)) < 0) {
    if (errno != EINTR) return os_failure("read a reply", errno);
  }
  if (static_cast<size_t>(length) > kReplyLimitBytes + 1) return temporary("read a reply: it is over 64 KiB");
  std::string packet(static_cast<size_t>(length) + 1, '\0');
  ssize_t got = 0;
  while ((got = ::recv(socket, packet.data(), packet.size(), MSG_DONTWAIT | MSG_TRUNC)) < 0) {
    if (errno != EINTR) return os_failure("read a reply", errno);
  }
  if (got == 0) return temporary("read a reply: the worker ended without one");
  if (static_cast<size_t>(got) > packet.size()) return temporary("read a reply: it is over 64 KiB");
  return Reply{.exit_code = static_cast<unsigned char>(packet.front()),
               .output = packet.substr(1, static_cast<size_t>(got) - 1)};
}

}  // namespace postern
