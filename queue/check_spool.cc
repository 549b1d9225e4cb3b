#include "queue/check_spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <set>

#include "lib/mid.h"
#include "lib/text.h"
#include "queue/attempts.h"

namespace postern {

namespace {

constexpr std::array<const char*, 4> kPlaces = {"tmp", "new", "cur", "defer"};
constexpr int kNameTries = 1000;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// Closed to us by its owner or mode: that is a finding of its own, and what is behind it is looked at once it
// is mended.
bool is_closed(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && ::geteuid() != 0 &&
         (status.st_uid != ::geteuid() || (status.st_mode & (S_ISDIR(status.st_mode) ? 0500U : 0400U)) !=
                                              (S_ISDIR(status.st_mode) ? 0500U : 0400U));
}

// Missing and closed directories are empty here: that they are so is a finding of its own.
Result<std::vector<std::string>> names_in(const std::string& path) {
  const std::unique_ptr<DIR, CloseDirectory> directory{::opendir(path.c_str())};
  if (!directory) {
    const int why = errno;
    if (why == ENOENT || why == ENOTDIR || is_closed(path)) return std::vector<std::string>();
    return os_failure("open " + path, why);
  }
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr && errno != 0) return os_failure("read " + path, errno);
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool is_part(const std::string& name) {
  const std::optional<uint64_t> number = parse_number(name);
  return number && *number < POSTERN_SPLIT && std::to_string(*number) == name;
}

// Its type alone is asked: none when it is not there.
mode_t mode_of(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 ? status.st_mode : 0;
}

bool has_part(const std::string& place) {
  Result<std::vector<std::string>> names = names_in(place);
  if (is_closed(place)) return true;
  return names && std::any_of(names->begin(), names->end(), [&](const std::string& name) {
           return parse_number(name) && S_ISDIR(mode_of(place + "/" + name));
         });
}

Result<void> rename_to(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  return os_failure("rename " + from + " to " + to, errno);
}

Result<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return os_failure("remove " + path, errno);
}

Result<void> make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return os_failure("make " + path, errno);
}

Result<Fd> open_plain(const std::string& path) {
  Fd file{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  if (file) return file;
  if (errno == ENOENT) return permanent(path + " is gone");
  return os_failure("open " + path, errno);
}

// Whether every byte of the file comes off the disk: what cannot be read is not damage that we know of.
Result<void> read_through(int fd, const std::string& path) {
  std::array<char, 65536> buffer;
  for (off_t at = 0;;) {
    Result<size_t> got = pread_full(fd, buffer, at, "read " + path);
    if (!got) return got.failure();
    if (*got == 0) return {};
    at += static_cast<off_t>(*got);
  }
}

bool same_message(const QueuedMessage& a, const QueuedMessage& b) {
  const auto addresses_equal = [](const Recipient& x, const Recipient& y) { return x.address == y.address; };
  return a.born == b.born && a.message_size == b.message_size && a.message_hash == b.message_hash &&
         a.envelope.sender == b.envelope.sender &&
         std::equal(a.envelope.recipients.begin(), a.envelope.recipients.end(), b.envelope.recipients.begin(),
                    b.envelope.recipients.end(), addresses_equal);
}

}  // namespace

bool looks_like_spool(const std::string& directory) {
  return std::count_if(kPlaces.begin(), kPlaces.end(), [&](const std::string& name) {
           const std::string place = directory + "/" + name;
           return S_ISDIR(mode_of(place)) && has_part(place);
         }) >= 2;
}

void SpoolCheck::run() {
  check_top();
  check_directories();
  for (const char* place : kPlaces) check_place(place);
  for (const char* place : {"new", "cur"}) check_messages(place);
  check_twice();
  check_deferred();
  for (const char* place : kPlaces) drop_empty_parts(place);
}

SpoolCheck::Entry SpoolCheck::entry_of(const std::string& place, uint64_t mid) const {
  return {spool_.path(place, mid), place, std::to_string(mid % POSTERN_SPLIT), std::to_string(mid)};
}

// To damaged/PLACE.PART.NAME; what stands beside a message goes with it.
Result<void> SpoolCheck::move_aside(const Entry& entry) const {
  const std::string directory = spool_.directory() + "/damaged";
  if (Result<void> made = make_directory(directory); !made) return made;
  std::string name = entry.place.empty() ? "" : entry.place + ".";
  if (!entry.part.empty()) name += entry.part + ".";
  name += entry.name;
  Result<void> moved = temporary("find a free name in " + directory);
  for (int tries = 1; tries <= kNameTries; ++tries) {
    const std::string to = directory + "/" + name + (tries == 1 ? "" : "." + std::to_string(tries));
    moved = rename_to(entry.path, to);
    if (moved || mode_of(to) == 0) break;
  }
  return moved;
}

void SpoolCheck::aside(const Entry& entry, std::string_view what) {
  findings_.add(entry.path, what, "move it to damaged/", [&]() -> Result<void> { return move_aside(entry); });
}

void SpoolCheck::mend_mode(const std::string& path, mode_t is, mode_t wanted) {
  if ((is & 07777) == wanted) return;
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(is & 07777));
  std::array<char, 8> wanted_text{};
  std::snprintf(wanted_text.data(), wanted_text.size(), "%04o", static_cast<unsigned>(wanted));
  findings_.add(path, std::string("its mode is ") + text.data(), std::string("make it ") + wanted_text.data(),
                [&]() -> Result<void> {
                  if (::chmod(path.c_str(), wanted) == 0) return {};
                  return os_failure("set the mode", errno);
                });
}

void SpoolCheck::check_top() {
  const std::string& top = spool_.directory();
  mend_mode(top, mode_of(top), 0700);
  Result<std::vector<std::string>> names = names_in(top);
  if (!names) return findings_.unknown(names.failure());
  for (const std::string& name : *names) {
    const Entry entry{top + "/" + name, "", "", name};
    const mode_t mode = mode_of(entry.path);
    if (name == "wake" || name == "lock" || name == kUnsubscribedFile) {
      const bool right = name == "wake" ? S_ISFIFO(mode) : S_ISREG(mode);
      if (mode == 0) continue;
      if (right) {
        mend_mode(entry.path, mode, 0600);
      } else {
        aside(entry, name == "wake" ? "it is no FIFO" : "it is no regular file");
      }
    } else if (name == "damaged") {
      if (!S_ISDIR(mode)) {
        findings_.add(entry.path, "it is no directory", "rename it to damaged.file",
                      [&] { return rename_to(entry.path, top + "/damaged.file"); });
      }
    } else if (std::find(kPlaces.begin(), kPlaces.end(), name) == kPlaces.end() && name != "damaged.file") {
      findings_.remark(entry.path, "it is none of a spool's");
    }
  }
}

void SpoolCheck::check_directories() {
  for (const std::string& path : spool_.directories()) check_directory(path);
}

void SpoolCheck::check_directory(const std::string& path) {
  const mode_t mode = mode_of(path);
  if (S_ISDIR(mode)) return mend_mode(path, mode, 0700);
  if (mode == 0) {
    return findings_.add(path, "the directory is missing", "make it", [&] { return make_directory(path); });
  }
  const std::string inside = path.substr(spool_.directory().size() + 1);
  const size_t slash = inside.find('/');
  const Entry entry = slash == std::string::npos
                          ? Entry{path, "", "", inside}
                          : Entry{path, inside.substr(0, slash), "", inside.substr(slash + 1)};
  findings_.add(path, "it is no directory", "move it to damaged/ and make the directory",
                [&]() -> Result<void> {
                  if (Result<void> moved = move_aside(entry); !moved) return moved;
                  return make_directory(path);
                });
}

// Everything in a place: what stands in it itself, and in its parts. A part of another conf-split is one too.
void SpoolCheck::check_place(const std::string& place) {
  const std::string top = spool_.directory() + "/" + place;
  Result<std::vector<std::string>> names = names_in(top);
  if (!names) return findings_.unknown(names.failure());
  for (const std::string& part : *names) {
    const std::string path = top + "/" + part;
    const mode_t mode = mode_of(path);
    if (!S_ISDIR(mode)) {
      if (mode != 0 && !is_part(part)) check_file({path, place, "", part});
      continue;
    }
    if (!parse_number(part)) {
      aside({path, place, "", part}, "it is none of a spool's directories");
      continue;
    }
    Result<std::vector<std::string>> files = names_in(path);
    if (!files) {
      findings_.unknown(files.failure());
      continue;
    }
    for (const std::string& name : *files) check_file({path + "/" + name, place, part, name});
  }
}

void SpoolCheck::check_file(const Entry& entry) {
  struct stat status {};
  if (::lstat(entry.path.c_str(), &status) < 0) {
    if (errno != ENOENT) findings_.unknown(os_failure("look at " + entry.path, errno));
    return;
  }
  if (!S_ISREG(status.st_mode)) return aside(entry, "it is no regular file");
  if (!parse_mid(entry.name)) return aside(entry, "its name is no message's number");
  if (entry.place == "tmp" && ::time(nullptr) - status.st_mtime > kGarbageSeconds) {
    return findings_.add(entry.path, "it was never finished, and is older than 36 hours", "remove it",
                         [&] { return remove_file(entry.path); });
  }
  mend_mode(entry.path, status.st_mode, 0600);
  check_name(entry);
}

void SpoolCheck::check_name(const Entry& entry) {
  const std::string right = spool_.path(entry.place, *parse_mid(entry.name));
  if (entry.path == right) return;
  if (mode_of(right) != 0) return aside(entry, "it belongs to " + right + ", where another one is");
  findings_.add(entry.path, "it stands in the wrong place", "move it to " + right,
                [&] { return rename_to(entry.path, right); });
}

std::vector<uint64_t> SpoolCheck::mids_of(std::string_view place) {
  std::vector<uint64_t> mids;
  for (unsigned part = 0; part < POSTERN_SPLIT; ++part) {
    const std::string path = spool_.directory() + "/" + std::string(place) + "/" + std::to_string(part);
    Result<std::vector<std::string>> names = names_in(path);
    if (!names) continue;  // said before
    for (const std::string& name : *names) {
      const std::optional<uint64_t> mid = parse_mid(name);
      if (mid && spool_.path(place, *mid) == path + "/" + name) mids.push_back(*mid);
    }
  }
  std::sort(mids.begin(), mids.end());
  return mids;
}

void SpoolCheck::check_messages(const std::string& place) {
  for (const uint64_t mid : mids_of(place)) check_message(place, mid);
}

void SpoolCheck::check_message(const std::string& place, uint64_t mid) {
  const Entry entry = entry_of(place, mid);
  if (!S_ISREG(mode_of(entry.path))) return;
  Result<Fd> file = open_plain(entry.path);
  if (!file) {
    if (!file.failure().permanent() && !is_closed(entry.path)) findings_.unknown(file.failure());
    return;
  }
  if (Result<void> readable = read_through(file->get(), entry.path); !readable) {
    return findings_.unknown(readable.failure());
  }
  Result<QueuedMessage> queued = read_queue_file(file->get());
  Result<bool> intact = queued ? message_intact(file->get(), *queued) : Result<bool>(queued.failure());
  if (intact && *intact) return;
  if (!intact && !intact.failure().damaged) {
    return findings_.unknown(temporary(entry.path + ": " + intact.failure().text));
  }
  const std::string what = intact ? "the message's checksum is wrong" : intact.failure().text;
  findings_.add(entry.path, what, "move it to damaged/", [&]() -> Result<void> {
    if (Result<void> moved = move_aside(entry); !moved) return moved;
    const Entry beside = entry_of("defer", mid);
    return mode_of(beside.path) == 0 ? Result<void>() : move_aside(beside);
  });
}

// A message in new/ whose number stands in cur/ too would never be taken over.
void SpoolCheck::check_twice() {
  const std::vector<uint64_t> taken = mids_of("cur");
  for (const uint64_t mid : mids_of("new")) {
    if (!std::binary_search(taken.begin(), taken.end(), mid)) continue;
    const Entry unseen = entry_of("new", mid);
    struct stat in_new {};
    struct stat in_cur {};
    // In the order against which a message moves: one that is taken over meanwhile is no fault.
    if (::lstat(spool_.path("cur", mid).c_str(), &in_cur) < 0 || ::lstat(unseen.path.c_str(), &in_new) < 0)
      continue;
    if (in_new.st_ino == in_cur.st_ino && in_new.st_dev == in_cur.st_dev) {
      findings_.add(unseen.path, "it is the same file as in cur/", "remove this name of it",
                    [&] { return remove_file(unseen.path); });
      continue;
    }
    Result<Fd> a = open_plain(unseen.path);
    Result<Fd> b = open_plain(spool_.path("cur", mid));
    Result<QueuedMessage> first = a ? read_queue_file(a->get()) : Result<QueuedMessage>(a.failure());
    Result<QueuedMessage> second = b ? read_queue_file(b->get()) : Result<QueuedMessage>(b.failure());
    if (!first || !second) continue;  // a finding already
    if (same_message(*first, *second)) {
      aside(unseen, "the same message is in cur/");
    } else {
      const uint64_t other = make_mid();
      findings_.add(unseen.path, "another message of this number is in cur/",
                    "give it the number " + std::to_string(other),
                    [&] { return rename_to(unseen.path, spool_.path("new", other)); });
    }
  }
}

void SpoolCheck::check_deferred() {
  for (const uint64_t mid : mids_of("defer")) {
    const Entry entry = entry_of("defer", mid);
    struct stat status {};
    const bool there = mode_of(spool_.path("new", mid)) != 0 || mode_of(spool_.path("cur", mid)) != 0;
    if (::lstat(entry.path.c_str(), &status) < 0) continue;
    if (!there) {
      findings_.add(entry.path, "there is no such message", "remove it",
                    [&] { return remove_file(entry.path); });
    } else if (static_cast<uint64_t>(status.st_size) > kDeferLogLimitBytes) {
      aside(entry, "it is larger than may be");
    }
  }
}

// Parts beyond conf-split: once their files have moved they are of no use.
void SpoolCheck::drop_empty_parts(const std::string& place) {
  const std::string top = spool_.directory() + "/" + place;
  Result<std::vector<std::string>> names = names_in(top);
  if (!names) return;
  for (const std::string& part : *names) {
    const std::string path = top + "/" + part;
    if (is_part(part) || !parse_number(part) || !S_ISDIR(mode_of(path))) continue;
    findings_.add(path, "conf-split knows no such directory", "remove it when it is empty",
                  [&]() -> Result<void> {
                    if (::rmdir(path.c_str()) == 0) return {};
                    return os_failure("remove it", errno);
                  });
  }
}

}  // namespace postern
