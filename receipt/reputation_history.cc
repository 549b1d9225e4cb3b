#include "receipt/reputation_history.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <string_view>
#include <utility>

namespace postern {

namespace {

constexpr size_t kSets = 16384;
constexpr size_t kWays = 8;  // addresses that one set holds; then the one longest unheard of makes room
constexpr std::string_view kMagic = "postern-repd 1\n";
constexpr unsigned kV6Bits = 64;  // what one site has at the least (RFC 6177)
constexpr int16_t kNoScore = INT16_MIN;
constexpr float kMostSeen = 1e9F;

struct Head {
  char magic[16];
  uint64_t seed;  // so that nobody can choose addresses of one set
  uint32_t sets;
  uint32_t ways;
  char unused[32];
};
static_assert(sizeof(Head) == 64);

IpBytes key_of(const IpBytes& address) {
  return is_v4(address) ? address : ip_network(address, kV6Bits);
}

// Whatever the file holds, a sane number.
double sane(float number) {
  return number >= 0 && number <= kMostSeen ? static_cast<double>(number) : 0;
}
float kept(double number) {
  return static_cast<float>(std::clamp(number, 0.0, static_cast<double>(kMostSeen)));
}

}  // namespace

struct ReputationHistory::Entry {
  IpBytes address;
  uint32_t used;   // seconds since 1970, when it was last written; 0: free
  uint32_t since;  // the moment that the numbers are of
  float accepted, spam, virus, unknown;
  int16_t list_score;
  uint16_t unused;
  uint32_t list_until;
  uint32_t list_mark;
};

namespace {

constexpr size_t kEntryBytes = 52;
constexpr size_t kFileBytes = sizeof(Head) + kSets * kWays * kEntryBytes;

Result<void> make_file(int fd, const std::string& path) {
  Head head{};
  std::memcpy(head.magic, kMagic.data(), kMagic.size());
  (void)!::getrandom(&head.seed, sizeof head.seed, 0);
  head.sets = kSets;
  head.ways = kWays;
  if (::ftruncate(fd, 0) < 0) return os_failure("empty " + path, errno);
  // All of it, so that no page can be missing when the disk is full.
  if (const int error = ::posix_fallocate(fd, 0, static_cast<off_t>(kFileBytes)); error != 0)
    return os_failure("make room for " + path, error);
  return pwrite_all(fd, {reinterpret_cast<const char*>(&head), sizeof head}, 0, "write " + path);
}

bool is_our_file(int fd) {
  struct stat status {};
  Head head{};
  if (::fstat(fd, &status) < 0 || status.st_size != static_cast<off_t>(kFileBytes)) return false;
  if (::pread(fd, &head, sizeof head, 0) != static_cast<ssize_t>(sizeof head)) return false;
  return std::memcmp(head.magic, kMagic.data(), kMagic.size()) == 0 && head.sets == kSets &&
         head.ways == kWays;
}

}  // namespace

// One set at a time, against the other workers. The kernel takes the lock off who is killed.
class ReputationHistory::Locked {
 public:
  Locked(const ReputationHistory& history, const Entry* set) : fd_(history.file_.get()) {
    lock_.l_whence = SEEK_SET;
    lock_.l_start = reinterpret_cast<const char*>(set) - static_cast<const char*>(history.map_);
    lock_.l_len = static_cast<off_t>(kWays * sizeof(Entry));
    change(F_WRLCK);
  }
  ~Locked() { change(F_UNLCK); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  void change(int type) {
    lock_.l_type = static_cast<short>(type);
    while (::fcntl(fd_, F_SETLKW, &lock_) < 0 && errno == EINTR) {
    }
  }
  int fd_;
  struct flock lock_ {};
};

Result<ReputationHistory> ReputationHistory::open(const std::string& path, bool make) {
  static_assert(sizeof(Entry) == kEntryBytes);
  Fd file{::open(path.c_str(), O_RDWR | O_CLOEXEC | (make ? O_CREAT : 0), 0600)};
  if (!file) return os_failure("open " + path, errno);
  if (!is_our_file(file.get())) {
    if (!make) return temporary("read " + path + ": it is not a file of postern-repd");
    if (Result<void> made = make_file(file.get(), path); !made) return made.failure();
  }
  void* map = ::mmap(nullptr, kFileBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (map == MAP_FAILED) return os_failure("map " + path, errno);
  return ReputationHistory(std::move(file), map);
}

ReputationHistory::ReputationHistory(ReputationHistory&& other) noexcept
    : file_(std::move(other.file_)), map_(std::exchange(other.map_, nullptr)) {}

ReputationHistory::~ReputationHistory() {
  if (map_ != nullptr) ::munmap(map_, kFileBytes);
}

ReputationHistory::Entry* ReputationHistory::set_of(const IpBytes& key) const {
  Head head{};
  std::memcpy(&head, map_, sizeof head);
  const size_t set = XXH3_64bits_withSeed(key.data(), key.size(), head.seed) % kSets;
  return reinterpret_cast<Entry*>(static_cast<char*>(map_) + sizeof(Head)) + set * kWays;
}

ReputationHistory::Entry* ReputationHistory::find(const IpBytes& key) const {
  Entry* set = set_of(key);
  Entry* found = std::find_if(set, set + kWays,
                              [&](const Entry& each) { return each.used != 0 && each.address == key; });
  return found == set + kWays ? nullptr : found;
}

ReputationHistory::Entry& ReputationHistory::find_or_make(const IpBytes& key, uint64_t now_seconds) const {
  Entry* entry = find(key);
  if (entry == nullptr) {
    Entry* set = set_of(key);
    entry =
        std::min_element(set, set + kWays, [](const Entry& a, const Entry& b) { return a.used < b.used; });
    *entry = Entry{};
    entry->address = key;
    entry->since = static_cast<uint32_t>(now_seconds);
    entry->list_score = kNoScore;
  }
  entry->used = static_cast<uint32_t>(now_seconds);
  return *entry;
}

Experience ReputationHistory::as_of(const Entry& entry, uint64_t now_seconds, uint64_t half_life_seconds) {
  const double age = now_seconds > entry.since ? static_cast<double>(now_seconds - entry.since) : 0;
  const double left = std::exp2(-age / static_cast<double>(half_life_seconds));
  return {.accepted = sane(entry.accepted) * left,
          .spam = sane(entry.spam) * left,
          .virus = sane(entry.virus) * left,
          .unknown = sane(entry.unknown) * left};
}

Experience ReputationHistory::experience(const IpBytes& address, uint64_t now_seconds,
                                         uint64_t half_life_seconds) const {
  const IpBytes key = key_of(address);
  const Locked locked(*this, set_of(key));
  const Entry* entry = find(key);
  return entry == nullptr ? Experience{} : as_of(*entry, now_seconds, half_life_seconds);
}

void ReputationHistory::note(const IpBytes& address, const Experience& more, uint64_t now_seconds,
                             uint64_t half_life_seconds) {
  const IpBytes key = key_of(address);
  const Locked locked(*this, set_of(key));
  Entry& entry = find_or_make(key, now_seconds);
  const Experience before = as_of(entry, now_seconds, half_life_seconds);
  entry.since = static_cast<uint32_t>(now_seconds);
  entry.accepted = kept(before.accepted + more.accepted);
  entry.spam = kept(before.spam + more.spam);
  entry.virus = kept(before.virus + more.virus);
  entry.unknown = kept(before.unknown + more.unknown);
}

std::optional<ListAnswer> ReputationHistory::list_answer(const IpBytes& address, uint64_t now_seconds,
                                                         uint32_t mark) const {
  const IpBytes key = key_of(address);
  // The lists may know single addresses of a network that we count as one.
  if (key != address) return std::nullopt;
  const Locked locked(*this, set_of(key));
  const Entry* entry = find(key);
  if (entry == nullptr || entry->list_mark != mark || entry->list_until <= now_seconds) return std::nullopt;
  if (entry->list_score == kNoScore) return ListAnswer{};
  return ListAnswer{std::clamp<int>(entry->list_score, -100, 100)};
}

void ReputationHistory::keep_list_answer(const IpBytes& address, const ListAnswer& answer,
                                         uint64_t now_seconds, uint64_t for_seconds, uint32_t mark) {
  const IpBytes key = key_of(address);
  if (key != address) return;
  const Locked locked(*this, set_of(key));
  Entry& entry = find_or_make(key, now_seconds);
  entry.list_score = answer.score ? static_cast<int16_t>(*answer.score) : kNoScore;
  entry.list_until = static_cast<uint32_t>(now_seconds + for_seconds);
  entry.list_mark = mark;
}

namespace {

constexpr int kWorstOfUnknown = -29;  // above the -3 from which the default table blocks

std::optional<int> score_with_unknown(const Experience& experience) {
  constexpr double kLeast = 2.5;  // below 3, since a moment later 3 is a little less
  constexpr double kDoubt = 8;  // one virus makes suspect, which is -3 to -1 in the default table; two block
  constexpr double kBest = 50;
  constexpr double kWorst = 100;
  const double bad = experience.spam + 3 * experience.virus + experience.unknown / 2;
  const double all = experience.accepted + bad;
  if (!(all >= kLeast)) return std::nullopt;
  const double part = (experience.accepted - bad) / (all + kDoubt);
  return static_cast<int>(std::lround(part * (part < 0 ? kWorst : kBest)));
}

}  // namespace

// A virus weighs as much as three messages of spam, an unknown recipient as half of one: everybody mistypes.
// Good experience alone makes no more than +5. Unknown recipients alone make nobody worse than suspect: with
// them a forwarder, or a host with an old address book, pays for what others wrote.
std::optional<int> score_of(const Experience& experience) {
  const std::optional<int> all = score_with_unknown(experience);
  if (!all || *all >= kWorstOfUnknown) return all;
  Experience known = experience;
  known.unknown = 0;
  return std::max(*all, std::min(score_with_unknown(known).value_or(0), kWorstOfUnknown));
}

}  // namespace postern
