#include "quarantine/quarantine_store.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "lib/taken_before.h"

namespace postern {

namespace {

// A message larger than this was never accepted by anybody.
constexpr size_t kMessageLimitBytes = size_t{4} * 1024 * 1024 * 1024;

bool is_name_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' || c == '-' ||
         c == '_';
}

std::string directory_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

Failure as_directory_fault(const Failure& failure) {
  return Failure{Kind::temporary, failure.status, failure.text,
                 failure.exit_code != 0 ? failure.exit_code : 61};
}

}  // namespace

bool valid_quarantine_name(std::string_view name) {
  return !name.empty() && name.size() <= kQuarantineNameLimit && name.front() != ' ' && name.front() != '-' &&
         name.back() != ' ' && std::all_of(name.begin(), name.end(), is_name_letter);
}

Environment held_variables(const Environment& request, std::string_view quarantine, std::string_view reason) {
  Environment kept = message_variables(request);
  kept.set("POSTERN_QUARANTINE", quarantine);
  kept.set("POSTERN_REASON", reason.substr(0, kReasonLimit));
  return kept;
}

Spool QuarantineStore::spool(std::string_view quarantine) const {
  return Spool(directory_ + "/" + std::string(quarantine));
}

// The directories must survive a loss of power as the message does. Another process may have made them a
// moment ago and not have come to its fsync, so each process makes sure once by itself.
Result<void> QuarantineStore::prepare(const std::string& quarantine) {
  if (std::find(prepared_.begin(), prepared_.end(), quarantine) != prepared_.end()) return {};
  const Spool spool = this->spool(quarantine);
  if (Result<void> made = spool.make_directories(); !made) return as_directory_fault(made.failure());
  for (const std::string& path : {spool.directory() + "/new", spool.directory(), directory_}) {
    if (Result<void> synced = fsync_directory(path); !synced) return as_directory_fault(synced.failure());
  }
  prepared_.push_back(quarantine);
  return {};
}

Result<bool> QuarantineStore::put_before(std::string_view quarantine, uint64_t mid,
                                         const Environment& request, const Envelope& envelope) {
  if (!request.get("POSTERN_DEFERRED")) return false;
  const std::string name(quarantine);
  if (Result<void> prepared = prepare(name); !prepared) return prepared.failure();
  return taken_before(spool(name), mid, request, envelope);
}

Result<uint64_t> QuarantineStore::put(std::string_view quarantine, int message, const Envelope& envelope,
                                      const Environment& kept, uint64_t wanted_mid,
                                      const std::function<bool()>& still_wanted) {
  const std::string name(quarantine);
  if (Result<void> prepared = prepare(name); !prepared) return prepared.failure();
  if (wanted_mid != 0 && find(wanted_mid)) wanted_mid = 0;
  const Spool::Content content{.message = message,
                               .limit_bytes = kMessageLimitBytes,
                               .first_header = {},
                               .envelope = envelope,
                               .kept = kept};
  Result<StagedMessage> staged = spool(name).stage(content, wanted_mid);
  if (!staged) return staged.failure();
  if (!still_wanted()) return temporary("commit the message: the client has gone", 56);
  return spool(name).commit(std::move(*staged));
}

Result<HeldMessage> QuarantineStore::find(uint64_t mid) const {
  Result<std::vector<std::string>> all = names();
  if (!all) return all.failure();
  for (std::string& name : *all) {
    Result<Fd> file = spool(name).open(mid);
    if (file) return HeldMessage{std::move(name), mid, std::move(*file)};
    if (!file.failure().permanent()) return file.failure();
  }
  return permanent("it is in no quarantine; `postern-quarantine list` prints those that are");
}

Result<void> QuarantineStore::lock(const HeldMessage& held) const {
  if (::flock(held.file.get(), LOCK_EX | LOCK_NB) < 0) {
    if (errno == EWOULDBLOCK) return temporary("another process is releasing or deleting it");
    return os_failure("lock the file", errno);
  }
  struct stat status {};
  if (::fstat(held.file.get(), &status) < 0) return os_failure("look at the file", errno);
  if (status.st_nlink == 0) return permanent("it was released or deleted a moment ago");
  return {};
}

Result<void> QuarantineStore::remove(const HeldMessage& held) const {
  const Spool spool = this->spool(held.quarantine);
  if (Result<void> removed = spool.remove(held.mid); !removed) return removed;
  for (const char* place : {"new", "cur"}) {
    if (Result<void> synced = fsync_directory(directory_of(spool.path(place, held.mid))); !synced)
      return synced;
  }
  return {};
}

Result<std::vector<std::string>> QuarantineStore::names() const {
  const std::unique_ptr<DIR, int (*)(DIR*)> opened{::opendir(directory_.c_str()), ::closedir};
  if (!opened) return os_failure("open " + directory_, errno, 61);
  std::vector<std::string> found;
  while (const dirent* entry = ::readdir(opened.get())) {
    struct stat status {};
    if (valid_quarantine_name(entry->d_name) &&
        ::fstatat(::dirfd(opened.get()), entry->d_name, &status, 0) == 0 && S_ISDIR(status.st_mode)) {
      found.emplace_back(entry->d_name);
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<std::vector<std::pair<uint64_t, std::string>>> QuarantineStore::messages(std::string_view only) const {
  Result<std::vector<std::string>> all = names();
  if (!all) return all.failure();
  std::vector<std::pair<uint64_t, std::string>> found;
  for (const std::string& name : *all) {
    if (!only.empty() && name != only) continue;
    for (const char* place : {"new", "cur"}) {
      Result<std::vector<uint64_t>> mids = spool(name).list(place);
      if (!mids) return mids.failure();
      for (const uint64_t mid : *mids) found.emplace_back(mid, name);
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace postern
