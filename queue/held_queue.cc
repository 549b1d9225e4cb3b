#include "queue/held_queue.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "lib/control.h"

namespace postern {

namespace {

Result<Fd> lock_queue(std::string_view spool, std::string_view program) {
  const std::string path = home_path(std::string(spool) + "/lock");
  Fd lock{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!lock) return os_failure("open " + path, errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) < 0)
    return temporary("lock " + path + ": another " + std::string(program) + " works this queue");
  return lock;
}

}  // namespace

Result<HeldQueue> hold_queue(std::string_view spool, std::string_view program) {
  Result<Fd> lock = lock_queue(spool, program);
  if (!lock) return lock.failure();
  Result<WakeReader> wake = WakeReader::open(home_path(std::string(spool)));
  if (!wake) return wake.failure();
  Poller poller;
  if (!poller || !poller.add(wake->fd())) return os_failure("wait for the queue", errno);
  return HeldQueue{std::move(*lock), std::move(*wake), std::move(poller),
                   catch_signals({SIGTERM, SIGHUP, SIGALRM})};
}

}  // namespace postern
