#include "local/assign.h"

#include <cdb.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kFields = 7;  // local:user:uid:gid:homedir:dash:ext

// One line without its '=' or '+'. Returns what is wrong with it and how to put it right, or nothing.
std::optional<std::string> fault_of(const std::vector<std::string_view>& fields) {
  if (fields.size() != kFields + 1 || !fields.back().empty()) {
    return "it needs seven fields, each ended by a colon: =local:user:uid:gid:homedir:dash:ext:";
  }
  const std::string user = printable(fields[1], 40);
  if (fields[1].empty()) return "the user is empty; name one after the first colon";
  if (!parse_unprivileged_id(fields[2])) {
    return "uid \"" + printable(fields[2], 40) + "\" of " + user +
           " is not a decimal number above 0; mail is never delivered as root";
  }
  if (!parse_unprivileged_id(fields[3])) {
    return "gid \"" + printable(fields[3], 40) + "\" of " + user + " is not a decimal number above 0";
  }
  if (!fields[4].starts_with('/')) return "the home \"" + printable(fields[4], 80) + "\" must begin with /";
  return std::nullopt;
}

std::string data_of(const std::vector<std::string_view>& fields) {
  std::string data(fields[1]);
  for (size_t i = 2; i < kFields; ++i) (data += '\0').append(fields[i]);
  return data;
}

// Adds to `breaks` the byte that a wildcard ends with: only at such bytes need a lookup try.
void note_break(std::string& breaks, std::string_view key) {
  if (key.size() > 1 && breaks.find(key.back()) == std::string::npos) breaks += key.back();
}

struct KeyedLine {
  std::string_view key;
  size_t record;
};

// Two lines of one key: the second never counts.
void note_doubles(AssignTable& table, const std::vector<size_t>& line_numbers, std::string_view name) {
  std::vector<KeyedLine> keyed;
  for (size_t i = 0; i < table.records.size(); ++i) keyed.push_back({table.records[i].first, i});
  std::stable_sort(keyed.begin(), keyed.end(),
                   [](const KeyedLine& a, const KeyedLine& b) { return a.key < b.key; });
  for (size_t i = 1; i < keyed.size(); ++i) {
    if (keyed[i].key != keyed[i - 1].key) continue;
    table.doubts.push_back(std::string(name) + ":" + std::to_string(line_numbers[keyed[i].record]) +
                           ": line " + std::to_string(line_numbers[keyed[i - 1].record]) +
                           " assigns the same address and comes first; remove one of them");
  }
}

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

Result<void> fill(int fd, const AssignTable& table) {
  struct cdb_make maker {};
  bool fine = ::cdb_make_start(&maker, fd) == 0;
  for (const auto& [key, data] : table.records) {
    fine = fine && ::cdb_make_add(&maker, key.data(), static_cast<unsigned>(key.size()), data.data(),
                                  static_cast<unsigned>(data.size())) == 0;
  }
  // Always finished, because that also frees what the maker holds.
  fine = ::cdb_make_finish(&maker) == 0 && fine;
  if (!fine) return os_failure("write users/cdb", errno);
  return {};
}

// An open users/cdb.
class UsersCdb {
 public:
  explicit UsersCdb(int fd) : open_(::cdb_init(&cdb_, fd) == 0) {}
  ~UsersCdb() {
    if (open_) ::cdb_free(&cdb_);
  }
  UsersCdb(const UsersCdb&) = delete;
  UsersCdb& operator=(const UsersCdb&) = delete;
  [[nodiscard]] bool is_open() const { return open_; }

  Result<std::optional<std::string>> find(std::string_view key) {
    const int found = ::cdb_find(&cdb_, key.data(), static_cast<unsigned>(key.size()));
    if (found < 0) return temporary("read users/cdb: it is damaged; make it anew with postern-newu");
    if (found == 0) return std::optional<std::string>();
    const void* data = cdb_getdata(&cdb_);
    if (data == nullptr) return temporary("read users/cdb: it is damaged; make it anew with postern-newu");
    return std::optional<std::string>(std::string(static_cast<const char*>(data), cdb_datalen(&cdb_)));
  }

 private:
  struct cdb cdb_ {};
  bool open_;
};

Result<std::optional<MailboxUser>> user_of(std::string_view data, std::string_view rest) {
  const std::vector<std::string_view> fields = split(data, '\0');
  const bool whole = fields.size() == kFields - 1;
  const std::optional<uint32_t> uid = whole ? parse_unprivileged_id(fields[1]) : std::nullopt;
  const std::optional<uint32_t> gid = whole ? parse_unprivileged_id(fields[2]) : std::nullopt;
  if (!uid || !gid || !fields[3].starts_with('/')) {
    return temporary("use users/cdb: a record is broken or names root; make it anew with postern-newu", 0,
                     "4.3.5");
  }
  return std::optional<MailboxUser>(MailboxUser{std::string(fields[0]), *uid, *gid, std::string(fields[3]),
                                                std::string(fields[4]), std::string(fields[5]).append(rest)});
}

// Whoever may write this table decides as whom mail is delivered.
Result<void> check_ownership(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) < 0) return os_failure("look at " + path, errno);
  if ((status.st_uid == 0 || status.st_uid == ::geteuid()) && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0)
    return {};
  return temporary(
      "trust " + path +
          ": others may write it; chown it to the user that runs postern-lspawn, and chmod 644 it",
      0, "4.3.5");
}

}  // namespace

std::optional<uint32_t> parse_unprivileged_id(std::string_view text) {
  const std::optional<uint64_t> number = parse_number(text);
  // 65535 and 2^32-1 are (uid_t)-1 in its two widths: chown and setuid take them for "leave it as it is".
  if (!number || *number == 0 || *number == 65535 || *number >= std::numeric_limits<uint32_t>::max())
    return std::nullopt;
  return static_cast<uint32_t>(*number);
}

Result<AssignTable> parse_assign(std::string_view text, std::string_view name) {
  AssignTable table;
  std::vector<size_t> line_numbers;
  std::string breaks;
  const auto refuse = [&](size_t line, const std::string& why) {
    return permanent(std::string(name) + ":" + std::to_string(line) + ": " + why);
  };
  for (size_t number = 1;; ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (line.starts_with('.')) break;
    if (end == std::string_view::npos)
      return refuse(number, "the last line, a dot alone, is missing; is the file complete?");
    text.remove_prefix(end + 1);
    if (line.find('\0') != std::string_view::npos) return refuse(number, "it holds a NUL byte; remove it");
    if (!line.starts_with('=') && !line.starts_with('+')) {
      return refuse(number,
                    "it must begin with = (an address), + (the beginning of addresses) or . (the end)");
    }
    const std::vector<std::string_view> fields = split(line.substr(1), ':');
    if (const std::optional<std::string> fault = fault_of(fields)) return refuse(number, *fault);
    std::string key = "!" + lower(fields[0]);
    if (line.front() == '+') {
      note_break(breaks, key);
    } else {
      key += '\0';
    }
    table.records.emplace_back(std::move(key), data_of(fields));
    line_numbers.push_back(number);
  }
  note_doubles(table, line_numbers, name);
  table.records.emplace_back("", std::move(breaks));
  return table;
}

Result<void> write_users_cdb(const AssignTable& table, const std::string& path) {
  const std::string directory = path.substr(0, path.rfind('/'));
  const Fd lock{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!lock) return os_failure("open " + directory, errno);
  if (::flock(lock.get(), LOCK_EX) < 0) return os_failure("lock " + directory, errno);
  NewTable fresh(path + ".tmp");
  const Fd file{::open(fresh.path().c_str(), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644)};
  if (!file) return os_failure("make " + fresh.path(), errno);
  if (::fchmod(file.get(), 0644) < 0) return os_failure("set the mode of " + fresh.path(), errno);
  if (Result<void> filled = fill(file.get(), table); !filled) return filled;
  if (Result<void> synced = fsync_file(file.get(), "sync " + fresh.path()); !synced) return synced;
  if (!fresh.place(path)) return os_failure("put " + path + " in place", errno);
  return fsync_directory(directory);
}

Result<std::optional<MailboxUser>> find_assigned_user(const std::string& path, std::string_view local_part) {
  const Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file && errno == ENOENT) return std::optional<MailboxUser>();
  if (!file) return os_failure("open " + path, errno);
  if (Result<void> safe = check_ownership(file.get(), path); !safe) return safe.failure();
  UsersCdb table(file.get());
  if (!table.is_open())
    return temporary("read " + path + ": it is no constant database; make it anew with postern-newu");
  Result<std::optional<std::string>> breaks = table.find("");
  if (!breaks) return breaks.failure();
  if (!breaks->has_value()) return temporary("read " + path + ": it is not of postern-newu; make it anew");
  const std::string key = "!" + lower(local_part) + '\0';
  for (size_t length = key.size(); length > 0; --length) {
    const bool whole = length == key.size();
    if (!whole && length > 1 && (*breaks)->find(key[length - 1]) == std::string::npos) continue;
    Result<std::optional<std::string>> data = table.find(std::string_view(key).substr(0, length));
    if (!data) return data.failure();
    if (data->has_value()) return user_of(**data, whole ? std::string_view() : local_part.substr(length - 1));
  }
  return std::optional<MailboxUser>();
}

}  // namespace postern
