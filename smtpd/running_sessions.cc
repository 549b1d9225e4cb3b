#include "smtpd/running_sessions.h"

#include <netinet/in.h>

#include <cstring>

namespace postern::smtpd {

namespace {

constexpr size_t kNetworkBytes = 8;  // /64
constexpr unsigned char kLoopback = 127;

std::string key_of(const void* bytes, size_t length) {
  std::string key(length, '\0');
  std::memcpy(key.data(), bytes, length);
  return static_cast<unsigned char>(key[0]) == kLoopback && length == sizeof(in_addr) ? std::string() : key;
}

}  // namespace

std::string client_key(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &address, sizeof four);
    return key_of(&four.sin_addr, sizeof four.sin_addr);
  }
  sockaddr_in6 six{};
  std::memcpy(&six, &address, sizeof six);
  if (IN6_IS_ADDR_LOOPBACK(&six.sin6_addr)) return "";
  if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) return key_of(&six.sin6_addr.s6_addr[12], sizeof(in_addr));
  return key_of(&six.sin6_addr, kNetworkBytes);
}

void RunningSessions::started(pid_t pid, const std::string& client) {
  ++count_;
  if (client.empty()) return;
  client_of_[pid] = client;
  ++of_client_[client];
}

void RunningSessions::ended(pid_t pid) {
  if (count_ > 0) --count_;
  const auto client = client_of_.find(pid);
  if (client == client_of_.end()) return;
  const auto number = of_client_.find(client->second);
  if (--number->second == 0) of_client_.erase(number);
  client_of_.erase(client);
}

void RunningSessions::all_ended() {
  count_ = 0;
  client_of_.clear();
  of_client_.clear();
}

size_t RunningSessions::of(const std::string& client) const {
  const auto number = of_client_.find(client);
  return number == of_client_.end() ? 0 : number->second;
}

}  // namespace postern::smtpd
