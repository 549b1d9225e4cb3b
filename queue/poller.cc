#include "queue/poller.h"

#include <sys/epoll.h>

#include <array>

namespace postern {

Poller::Poller() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {}

bool Poller::add(int fd) const {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP;
  event.data.fd = fd;
  return ::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

std::vector<int> Poller::wait(int milliseconds, const sigset_t& while_waiting) const {
  std::array<epoll_event, 64> events;
  const int ready =
      ::epoll_pwait(fd_.get(), events.data(), static_cast<int>(events.size()), milliseconds, &while_waiting);
  std::vector<int> fds;
  for (int i = 0; i < ready; ++i) fds.push_back(events.at(static_cast<size_t>(i)).data.fd);
  return fds;
}

}  // namespace postern
