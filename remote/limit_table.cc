#include "remote/limit_table.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>

#include "lib/boot_id.h"
#include "lib/text.h"

namespace postern {

namespace {

// Behind all that is ever written.
constexpr off_t kPlaceLocks = off_t{1} << 40;
constexpr off_t kRowLocks = off_t{1} << 41;
constexpr off_t kSlotsAt = LimitTable::kSlots * sizeof(uint64_t);
constexpr int64_t kLongestWindow = 3600 * 1000;  // recipient_minutes is 60 at most

off_t place_byte(size_t slot, unsigned place) {
  return kPlaceLocks + static_cast<off_t>(slot * kMostPlaces + place);
}

off_t slot_at(size_t slot) {
  return kSlotsAt + static_cast<off_t>(slot * sizeof(LimitSlot));
}

// What stands behind the end of the file is zero.
bool read_at(int fd, void* into, size_t bytes, off_t at) {
  auto* next = static_cast<char*>(into);
  std::fill_n(next, bytes, '\0');
  for (size_t done = 0; done < bytes;) {
    const ssize_t got = ::pread(fd, next + done, bytes - done, at + static_cast<off_t>(done));
    if (got == 0) return true;
    if (got < 0 && errno != EINTR) return false;
    if (got > 0) done += static_cast<size_t>(got);
  }
  return true;
}

bool write_at(int fd, const void* from, size_t bytes, off_t at) {
  for (;;) {
    const ssize_t wrote = ::pwrite(fd, from, bytes, at);
    if (wrote == static_cast<ssize_t>(bytes)) return true;
    if (wrote >= 0) errno = ENOSPC;
    if (wrote >= 0 || errno != EINTR) return false;
  }
}

}  // namespace

uint64_t limit_hash(std::string_view key) {
  return std::max<uint64_t>(1, XXH3_64bits(key.data(), key.size()));
}

Result<void> LimitTable::open() {
  file_.reset(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file_) return os_failure("open " + path_, errno);
  struct stat status {};
  const bool fresh = ::fstat(file_.get(), &status) == 0 && status.st_size == 0;
  if (Result<void> kept = fresh ? fsync_directory(path_.substr(0, path_.rfind('/'))) : Result<void>();
      !kept) {
    file_.reset();
    return kept;
  }
  const std::string boot = boot_id();
  boot_ = boot == "unknown" ? 0 : limit_hash(boot);
  return {};
}

LimitTable::Row::~Row() {
  if (fd_ < 0) return;
  struct flock lock = lock_of(F_UNLCK, kRowLocks + static_cast<off_t>(first_), 1);
  ::fcntl(fd_, F_OFD_SETLK, &lock);
}

// Nobody holds it for longer than some reading and writing.
Result<LimitTable::Row> LimitTable::lock(uint64_t hash) {
  const size_t first = hash % (kSlots / kRow) * kRow;
  struct flock lock = lock_of(F_WRLCK, kRowLocks + static_cast<off_t>(first), 1);
  while (::fcntl(file_.get(), F_OFD_SETLKW, &lock) < 0) {
    if (errno != EINTR) return os_failure("lock " + path_, errno);
  }
  return Row(file_.get(), first);
}

Result<std::optional<size_t>> LimitTable::find(const Row& row, uint64_t hash, int64_t now) {
  std::array<uint64_t, kRow> marks{};
  const auto at = static_cast<off_t>(row.first_ * sizeof(uint64_t));
  if (!read_at(file_.get(), marks.data(), sizeof marks, at)) return os_failure("read " + path_, errno);
  const auto found = std::find(marks.begin(), marks.end(), hash);
  const auto index = [&](auto mark) { return row.first_ + static_cast<size_t>(mark - marks.begin()); };
  if (found != marks.end()) return std::optional(index(found));
  auto chosen = std::find(marks.begin(), marks.end(), uint64_t{0});
  for (auto mark = marks.begin(); chosen == marks.end() && mark != marks.end(); ++mark) {
    if (is_idle(index(mark), now)) chosen = mark;
  }
  if (chosen == marks.end()) return std::optional<size_t>();
  const size_t slot = index(chosen);
  if (Result<void> wrote = write(slot, LimitSlot{}); !wrote) return wrote.failure();
  if (!write_at(file_.get(), &hash, sizeof hash, static_cast<off_t>(slot * sizeof hash)))
    return os_failure("write " + path_, errno);
  return std::optional(slot);
}

// Nothing of it counts any more.
bool LimitTable::is_idle(size_t slot, int64_t now) {
  if (is_taken(slot, 0, kMostPlaces)) return false;
  const Result<LimitSlot> content = read(slot);
  if (!content) return false;
  const bool out = std::any_of(content->out.begin(), content->out.end(), [](uint8_t n) { return n > 0; });
  // Of another boot, or of a job that was killed.
  if (out || content->boot != boot_)
    return content->written + 2 * kLongestWindow <= static_cast<int64_t>(now_microseconds() / 1000);
  const size_t ends = std::min<size_t>(content->end_count, LimitSlot::kEnds);
  return std::all_of(content->when.begin(), content->when.begin() + static_cast<std::ptrdiff_t>(ends),
                     [&](int64_t when) { return when + kLongestWindow <= now; });
}

Result<LimitSlot> LimitTable::read(size_t slot) {
  LimitSlot content{};
  if (!read_at(file_.get(), &content, sizeof content, slot_at(slot)))
    return os_failure("read " + path_, errno);
  return content;
}

Result<void> LimitTable::write(size_t slot, const LimitSlot& content) {
  if (write_at(file_.get(), &content, sizeof content, slot_at(slot))) return {};
  return os_failure("write " + path_, errno);
}

Result<void> LimitTable::sync() {
  if (::fdatasync(file_.get()) == 0) return {};
  return os_failure("write " + path_, errno);
}

bool LimitTable::take_place(size_t slot, unsigned place) {
  struct flock lock = lock_of(F_WRLCK, place_byte(slot, place), 1);
  return ::fcntl(file_.get(), F_OFD_SETLK, &lock) == 0;
}

void LimitTable::leave_place(size_t slot, unsigned place) {
  struct flock lock = lock_of(F_UNLCK, place_byte(slot, place), 1);
  ::fcntl(file_.get(), F_OFD_SETLK, &lock);
}

bool LimitTable::is_taken(size_t slot, unsigned first, unsigned count) {
  struct flock lock = lock_of(F_WRLCK, place_byte(slot, first), static_cast<off_t>(count));
  return count > 0 && (::fcntl(file_.get(), F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK);
}

}  // namespace postern
