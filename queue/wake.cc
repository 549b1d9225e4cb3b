#include "queue/wake.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace postern {

namespace {

constexpr size_t kBatch = 512;  // mids a read
constexpr int kStepMilliseconds = 100;
constexpr int kNearlyFull = 60000;  // of the 65,536 bytes that a FIFO holds

}  // namespace

void WakeWriter::wake(uint64_t mid) {
  // Nobody reads (ENXIO) or it is full (EAGAIN): the reader will look through new/ by itself.
  if (!fifo_) fifo_.reset(::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fifo_) return;
  if (::write(fifo_.get(), &mid, sizeof mid) < 0 && errno == EPIPE) fifo_.reset();
}

bool WakeWriter::wake_surely(uint64_t mid, int milliseconds) {
  for (int waited = 0; waited <= milliseconds; waited += kStepMilliseconds) {
    if (!fifo_) fifo_.reset(::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    if (!fifo_) return errno == ENXIO || errno == ENOENT;
    if (::write(fifo_.get(), &mid, sizeof mid) >= 0) return true;
    if (errno == EPIPE) fifo_.reset();
    pollfd full{.fd = fifo_.get(), .events = POLLOUT, .revents = 0};
    if (fifo_) ::poll(&full, 1, kStepMilliseconds);
  }
  return false;
}

Result<WakeReader> WakeReader::open(const std::string& spool_directory) {
  const std::string path = spool_directory + "/wake";
  if (::mkfifo(path.c_str(), 0600) < 0 && errno != EEXIST) return os_failure("make " + path, errno);
  Fd fifo{::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)};
  if (!fifo) return os_failure("open " + path, errno);
  return WakeReader(std::move(fifo));
}

WakeReader::Woken WakeReader::read() const {
  Woken woken;
  int waiting = 0;
  if (::ioctl(fifo_.get(), FIONREAD, &waiting) == 0 && waiting > kNearlyFull) woken.look_through = true;
  std::array<uint64_t, kBatch> mids;
  const ssize_t got = ::read(fifo_.get(), mids.data(), sizeof mids);
  for (size_t i = 0; got > 0 && i < static_cast<size_t>(got) / sizeof(uint64_t); ++i)
    woken.mids.push_back(mids.at(i));
  return woken;
}

}  // namespace postern
