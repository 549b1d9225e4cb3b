#include "lib/cdb_table.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr int kCannotRead = 55;  // qmail-queue(8): unable to read a configuration file

// The table under construction: its name is gone again unless it was put in place.
class NewTable {
 public:
  explicit NewTable(std::string path) : path_(std::move(path)) {}
  ~NewTable() {
    if (!placed_) ::unlink(path_.c_str());
  }
  NewTable(const NewTable&) = delete;
  NewTable& operator=(const NewTable&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  bool place(const std::string& at) { return placed_ = ::rename(path_.c_str(), at.c_str()) == 0; }

 private:
  std::string path_;
  bool placed_ = false;
};

Result<void> fill(int fd, const CdbRecords& records, const std::string& path) {
  struct cdb_make maker {};
  bool fine = ::cdb_make_start(&maker, fd) == 0;
  for (const auto& [key, data] : records) {
    fine = fine && ::cdb_make_add(&maker, key.data(), static_cast<unsigned>(key.size()), data.data(),
                                  static_cast<unsigned>(data.size())) == 0;
  }
  // Always finished, because that also frees what the maker holds.
  fine = ::cdb_make_finish(&maker) == 0 && fine;
  if (!fine) return os_failure("write " + path, errno);
  return {};
}

// Whoever may write a table decides where mail goes, and users/cdb as whom it is delivered.
Result<void> check_ownership(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) < 0) return os_failure("look at " + path, errno, kCannotRead);
  if ((status.st_uid == 0 || status.st_uid == ::geteuid()) && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0)
    return {};
  return temporary(
      "trust " + path +
          ": others may write it; chown it to root or to the user that delivers, and chmod 644 it",
      kCannotRead, "4.3.5");
}

struct KeyedLine {
  std::string_view key;
  size_t record;
};

}  // namespace

Result<void> write_cdb(const std::string& path, const CdbRecords& records) {
  const std::string directory = directory_of(path);
  const Fd lock{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!lock) return os_failure("open " + directory, errno);
  if (::flock(lock.get(), LOCK_EX) < 0) return os_failure("lock " + directory, errno);
  NewTable fresh(path + ".tmp");
  const Fd file{::open(fresh.path().c_str(), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644)};
  if (!file) return os_failure("make " + fresh.path(), errno);
  if (::fchmod(file.get(), 0644) < 0) return os_failure("set the mode of " + fresh.path(), errno);
  if (Result<void> filled = fill(file.get(), records, fresh.path()); !filled) return filled;
  if (Result<void> synced = fsync_file(file.get(), "sync " + fresh.path()); !synced) return synced;
  if (!fresh.place(path)) return os_failure("put " + path + " in place", errno);
  return fsync_directory(directory);
}

std::vector<std::string> double_keys(const CdbRecords& records, const std::vector<size_t>& line_numbers,
                                     std::string_view name) {
  std::vector<std::string> doubles;
  std::vector<KeyedLine> keyed;
  for (size_t i = 0; i < records.size(); ++i) keyed.push_back({records[i].first, i});
  std::stable_sort(keyed.begin(), keyed.end(),
                   [](const KeyedLine& a, const KeyedLine& b) { return a.key < b.key; });
  for (size_t i = 1; i < keyed.size(); ++i) {
    if (keyed[i].key != keyed[i - 1].key) continue;
    doubles.push_back(std::string(name) + ":" + std::to_string(line_numbers[keyed[i].record]) + ": line " +
                      std::to_string(line_numbers[keyed[i - 1].record]) +
                      " assigns the same address and comes first; remove one of them");
  }
  return doubles;
}

void CdbTable::Close::operator()(struct cdb* table) const {
  ::cdb_free(table);
  delete table;
}

Result<std::optional<CdbTable>> CdbTable::open(const std::string& path, std::string_view maker,
                                               CdbOwner owner) {
  // The table is mapped into memory: the descriptor is not needed for long.
  const Fd file{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  if (!file && errno == ENOENT) return std::optional<CdbTable>();
  if (!file) return os_failure("open " + path, errno, kCannotRead);
  if (owner == CdbOwner::root_or_us) {
    if (Result<void> safe = check_ownership(file.get(), path); !safe) return safe.failure();
  }
  CdbTable opened(path, maker);
  auto table = std::make_unique<struct cdb>();
  if (::cdb_init(table.get(), file.get()) != 0) return opened.unusable("it is no constant database");
  opened.table_.reset(table.release());
  return std::optional<CdbTable>(std::move(opened));
}

Result<std::optional<std::string>> CdbTable::find(std::string_view key) {
  const int found = ::cdb_find(table_.get(), key.data(), static_cast<unsigned>(key.size()));
  if (found == 0) return std::optional<std::string>();
  const void* value = found < 0 ? nullptr : cdb_getdata(table_.get());
  if (value == nullptr) return unusable("it is damaged");
  return std::optional<std::string>(std::string(static_cast<const char*>(value), cdb_datalen(table_.get())));
}

Failure CdbTable::unusable(const std::string& why) const {
  return temporary("read " + path_ + ": " + why + "; make it anew with " + maker_, kCannotRead, "4.3.5");
}

}  // namespace postern
