#include "service/listen_tcp.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>

#include "lib/control.h"

namespace postern {

Result<Fd> listen_tcp(const AddressPort& where) {
  const std::string what = "listen on " + where.address + " port " + where.port;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  addrinfo* found = nullptr;
  const std::string address = where.address == "0" ? "0.0.0.0" : where.address;
  if (const int code = ::getaddrinfo(address.c_str(), where.port.c_str(), &hints, &found); code != 0)
    return permanent(what + ": " + ::gai_strerror(code) + "; write the address in numbers");
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  Result<uint64_t> backlog = control_number_or("backlog", 128);
  if (!backlog) return backlog.failure();
  Fd socket{::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!socket) return os_failure("make a socket", errno);
  const int on = 1;
  const int off = 0;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (found->ai_family == AF_INET6) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(socket.get(), found->ai_addr, found->ai_addrlen) < 0 ||
      ::listen(socket.get(), static_cast<int>(*backlog)) < 0) {
    return os_failure(what, errno);
  }
  return socket;
}

}  // namespace postern
