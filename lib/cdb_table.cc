#include "lib/cdb_table.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace postern {

namespace {

// The table under construction: its name is gone again unless it was put in place.
class NewFile {
 public:
  explicit NewFile(std::string path) : path_(std::move(path)) {}
  ~NewFile() {
    if (!placed_) ::unlink(path_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  bool place(const std::string& at) { return placed_ = ::rename(path_.c_str(), at.c_str()) == 0; }

 private:
  std::string path_;
  bool placed_ = false;
};

bool fill(int fd, const std::vector<std::pair<std::string, std::string>>& records) {
  struct cdb_make maker {};
  bool fine = ::cdb_make_start(&maker, fd) == 0;
  for (const auto& [key, value] : records) {
    fine = fine && ::cdb_make_add(&maker, key.data(), static_cast<unsigned>(key.size()), value.data(),
                                  static_cast<unsigned>(value.size())) == 0;
  }
  // Always finished, because that also frees what the maker holds.
  return ::cdb_make_finish(&maker) == 0 && fine;
}

}  // namespace

void CdbTable::Close::operator()(struct cdb* table) const {
  ::cdb_free(table);
  delete table;
}

CdbTable::CdbTable(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {
  auto table = std::make_unique<struct cdb>();
  if (::cdb_init(table.get(), fd_.get()) == 0) table_.reset(table.release());
}

Result<std::optional<CdbTable>> CdbTable::open(const std::string& path) {
  Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd && errno == ENOENT) return std::optional<CdbTable>();
  if (!fd) return os_failure("open " + path, errno, 55);
  CdbTable table(path, std::move(fd));
  if (!table.table_) return temporary("read " + path + ": it is no constant database; make it anew", 55);
  return std::optional<CdbTable>(std::move(table));
}

Result<std::optional<std::string>> CdbTable::find(std::string_view key) {
  const Failure damaged = temporary("read " + path_ + ": it is damaged; make it anew", 55);
  const int found = ::cdb_find(table_.get(), key.data(), static_cast<unsigned>(key.size()));
  if (found < 0) return damaged;
  if (found == 0) return std::optional<std::string>();
  const void* value = cdb_getdata(table_.get());
  if (value == nullptr) return damaged;
  return std::optional<std::string>(std::string(static_cast<const char*>(value), cdb_datalen(table_.get())));
}

Result<void> write_cdb(const std::string& path,
                       const std::vector<std::pair<std::string, std::string>>& records) {
  const std::string directory = path.substr(0, path.rfind('/'));
  const Fd lock{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!lock) return os_failure("open " + directory, errno);
  if (::flock(lock.get(), LOCK_EX) < 0) return os_failure("lock " + directory, errno);
  NewFile fresh(path + ".tmp");
  const Fd file{::open(fresh.path().c_str(), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644)};
  if (!file) return os_failure("make " + fresh.path(), errno);
  if (::fchmod(file.get(), 0644) < 0) return os_failure("set the mode of " + fresh.path(), errno);
  if (!fill(file.get(), records)) return os_failure("write " + fresh.path(), errno);
  if (Result<void> synced = fsync_file(file.get(), "sync " + fresh.path()); !synced) return synced;
  if (!fresh.place(path)) return os_failure("put " + path + " in place", errno);
  return fsync_directory(directory);
}

}  // namespace postern
