#include "remote/dial.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace postern {

namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

template <typename Address>
SocketAddress wrap(const Address& address) {
  SocketAddress result;
  static_assert(sizeof address <= sizeof result.storage);
  std::memcpy(&result.storage, &address, sizeof address);
  result.length = sizeof address;
  return result;
}

SocketAddress socket_address(const std::string& address, uint16_t port) {
  if (address.starts_with('/')) {
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    address.copy(local.sun_path, sizeof local.sun_path - 1);
    return wrap(local);
  }
  if (address.find(':') != std::string::npos) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    ::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr);
    return wrap(v6);
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  ::inet_pton(AF_INET, address.c_str(), &v4.sin_addr);
  return wrap(v4);
}

Result<void> bind_to(int socket, const std::string& source) {
  // The port is chosen when it is known whereto: else each address would have no more connections than ports.
  const int on = 1;
  ::setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  const SocketAddress address = socket_address(source, 0);
  if (::bind(socket, address.get(), address.length) == 0) return {};
  return temporary(os_failure("send from " + source, errno).text, 0, "4.4.1");
}

}  // namespace

Result<Fd> begin_to_connect(const Target& target, const std::string& doing) {
  const SocketAddress address = socket_address(target.address, target.port);
  Fd socket{::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!socket) return os_failure(doing, errno);
  if (!target.source.empty()) {
    if (Result<void> bound = bind_to(socket.get(), target.source); !bound) return bound.failure();
  }
  const bool begun = ::connect(socket.get(), address.get(), address.length) == 0 || errno == EINPROGRESS;
  if (!begun) return os_failure(doing, errno);
  return socket;
}

Result<void> try_source(const std::string& address) {
  const bool v6 = address.find(':') != std::string::npos;
  const Fd socket{::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!socket) return os_failure("send from " + address, errno);
  return bind_to(socket.get(), address);
}

}  // namespace postern
