#include "remote/limit_table.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>

#include "lib/log.h"
#include "lib/text.h"

namespace postern {

namespace {

// Behind all that is ever written.
constexpr off_t kPlaceLocks = off_t{1} << 40;
constexpr off_t kRowLocks = off_t{1} << 41;
constexpr off_t kMarksAt = 4096;
constexpr off_t kSlotsAt = kMarksAt + LimitTable::kSlots * sizeof(uint64_t);
constexpr uint64_t kForm = 0x0231'7474'696d'696c;  // "limitt1", 2: another one is a file of another version

struct Header {
  uint64_t form;
  uint64_t seed;
};

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

unsigned LimitSlot::site_of(unsigned place) const {
  const unsigned high = sites.at(kMostPlaces + place / 2) >> (place % 2 * 4) & 15U;
  return high << 8 | sites.at(place);
}

void LimitSlot::set_site(unsigned place, uint64_t site) {
  const unsigned shift = place % 2 * 4;
  uint8_t& high = sites.at(kMostPlaces + place / 2);
  high = static_cast<uint8_t>((high & ~(15U << shift)) | bits_of(site) >> 8 << shift);
  sites.at(place) = static_cast<uint8_t>(site);
}

uint64_t LimitTable::hash(std::string_view key) const {
  return std::max<uint64_t>(1, XXH3_64bits_withSeed(key.data(), key.size(), seed_));
}

Result<void> LimitTable::open() {
  file_.reset(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file_) return os_failure("open " + path_, errno);
  if (Result<void> begun = begin(); !begun) {
    file_.reset();
    return begun;
  }
  const std::string boot = boot_id_();
  boot_ = boot == "unknown" ? 0 : hash(boot);
  return {};
}

// Its seed; whoever comes first chooses it.
Result<void> LimitTable::begin() {
  const Result<Row> lock = lock_row(kSlots);
  if (!lock) return lock.failure();
  Header header{};
  if (!read_at(file_.get(), &header, sizeof header, 0)) return os_failure("read " + path_, errno);
  seed_ = header.seed;
  if (header.form == kForm) return {};
  const off_t size = ::lseek(file_.get(), 0, SEEK_END);
  if (size > 0) log_warning("use what " + path_ + " holds, counting anew", "it is of another version");
  if (::ftruncate(file_.get(), 0) < 0) return os_failure("empty " + path_, errno);
  header.form = kForm;
  if (::getrandom(&header.seed, sizeof header.seed, 0) != static_cast<ssize_t>(sizeof header.seed))
    return os_failure("get a random number", errno);
  if (!write_at(file_.get(), &header, sizeof header, 0)) return os_failure("write " + path_, errno);
  seed_ = header.seed;
  return fsync_directory(path_.substr(0, path_.rfind('/')));
}

LimitTable::Row::~Row() {
  if (fd_ < 0) return;
  struct flock lock = lock_of(F_UNLCK, kRowLocks + static_cast<off_t>(first_), 1);
  ::fcntl(fd_, F_OFD_SETLK, &lock);
}

Result<LimitTable::Row> LimitTable::lock(uint64_t hash) {
  return lock_row(hash % (kSlots / kRow) * kRow);
}

// Nobody holds it for longer than some reading and writing. The one behind the last row is the header's.
Result<LimitTable::Row> LimitTable::lock_row(size_t first) {
  struct flock lock = lock_of(F_WRLCK, kRowLocks + static_cast<off_t>(first), 1);
  while (::fcntl(file_.get(), F_OFD_SETLKW, &lock) < 0) {
    if (errno != EINTR) return os_failure("lock " + path_, errno);
  }
  return Row(file_.get(), first);
}

Result<std::optional<size_t>> LimitTable::find(const Row& row, uint64_t hash, int64_t now) {
  std::array<uint64_t, kRow> marks{};
  const auto at = kMarksAt + static_cast<off_t>(row.first_ * sizeof(uint64_t));
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
  const auto mark_at = kMarksAt + static_cast<off_t>(slot * sizeof hash);
  if (!write_at(file_.get(), &hash, sizeof hash, mark_at)) return os_failure("write " + path_, errno);
  return std::optional(slot);
}

// Nothing of it counts any more.
bool LimitTable::is_idle(size_t slot, int64_t now) {
  if (is_taken(slot, 0, kMostPlaces)) return false;
  const Result<LimitSlot> content = read(slot);
  if (!content) return false;
  if (content->boot != boot_) return now >= kLongestWindow;  // it counts from this boot at the latest
  const bool out = std::any_of(content->out.begin(), content->out.end(), [](uint8_t n) { return n > 0; });
  if (out || boot_ == 0)  // of a job that was killed; without times
    return content->written + 2 * kLongestWindow <= static_cast<int64_t>(now_microseconds() / 1000);
  const int64_t window = content->minutes * int64_t{60000};
  return std::all_of(content->when.begin(), content->when.begin() + content->end_count,
                     [&](int64_t when) { return when * 1000 + window <= now; });
}

// What a damaged disk may have made of it is none that our numbers cannot hold.
Result<LimitSlot> LimitTable::read(size_t slot) {
  LimitSlot content{};
  if (!read_at(file_.get(), &content, sizeof content, slot_at(slot)))
    return os_failure("read " + path_, errno);
  const auto wall = static_cast<int64_t>(now_microseconds() / 1000);
  content.written = std::clamp<int64_t>(content.written, 0, wall);
  content.end_count = std::min<uint32_t>(content.end_count, LimitSlot::kEnds);
  content.minutes = std::min<uint16_t>(content.minutes, kLongestWindow / 60000);
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

// The kernel names any one of them that is in the way, and so parts the rest in two.
unsigned LimitTable::count_taken(size_t slot, unsigned first, unsigned end, unsigned most) {
  if (first >= end || most == 0) return 0;
  struct flock lock = lock_of(F_WRLCK, place_byte(slot, first), static_cast<off_t>(end - first));
  if (::fcntl(file_.get(), F_OFD_GETLK, &lock) < 0) return most;
  if (lock.l_type == F_UNLCK) return 0;
  // Neighbours are one lock where one process has both.
  const off_t none = place_byte(slot, 0);
  const off_t from = std::max<off_t>(lock.l_start - none, first);
  const off_t to = lock.l_len == 0 ? end : std::min<off_t>(lock.l_start + lock.l_len - none, end);
  const unsigned below =
      static_cast<unsigned>(to - from) + count_taken(slot, first, static_cast<unsigned>(from), most);
  return below + count_taken(slot, static_cast<unsigned>(to), end, most - std::min(below, most));
}

}  // namespace postern
