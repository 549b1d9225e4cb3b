#include "quarantine/quarantine_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lib/log.h"
#include "lib/mid.h"
#include "lib/taken_before.h"
#include "lib/text.h"
#include "quarantine/quarantine_repair.h"

namespace postern::quarantine {

namespace {

// A message larger than this was never accepted by anybody.
constexpr size_t kMessageLimitBytes = size_t{4} * 1024 * 1024 * 1024;
constexpr const char* kGone = "it is in no quarantine; `postern-quarantine list` prints those that are";

Failure as_directory_fault(const Failure& failure) {
  return Failure{Kind::temporary, failure.status, failure.text,
                 failure.exit_code != 0 ? failure.exit_code : 61};
}

// Adds what `more` has and `row` has not; was there any?
bool add_memberships(HeldRow& row, std::vector<Membership> more) {
  bool added = false;
  for (Membership& one : more) {
    const bool there = std::any_of(row.memberships.begin(), row.memberships.end(),
                                   [&](const Membership& old) { return old.quarantine == one.quarantine; });
    if (there) continue;
    row.memberships.push_back(std::move(one));
    added = true;
  }
  return added;
}

// Removes a file without a row when there is no memory left to do it in a better way.
class Unlisted {
 public:
  explicit Unlisted(std::string path) : path_(std::move(path)) {}
  Unlisted(const Unlisted&) = delete;
  Unlisted& operator=(const Unlisted&) = delete;
  ~Unlisted() {
    if (there_) ::unlink(path_.c_str());
  }
  void is_there() { there_ = true; }
  void is_listed() { there_ = false; }

 private:
  std::string path_;
  bool there_ = false;
};

}  // namespace

QuarantineStore::QuarantineStore(std::string home)
    : home_(std::move(home)),
      directory_(home_ + "/quarantine"),
      database_path_(home_ + "/db/quarantine/store.db"),
      messages_(directory_ + "/messages") {}

// The directories must survive a loss of power as the messages do; the index comes after them, so where there
// is one they are there.
Result<void> QuarantineStore::prepare_directories() {
  const std::string database = std::string(directory_of(database_path_));
  const std::string databases = home_ + "/db";
  // Others have databases there, too.
  if (::mkdir(databases.c_str(), 0755) == 0 ? ::chmod(databases.c_str(), 0755) < 0
                                            : errno != EEXIST && errno != EACCES)
    return os_failure("make " + databases, errno, 61);
  if (::mkdir(database.c_str(), 0700) < 0 && errno != EEXIST)
    return temporary(os_failure("make " + database, errno).text + "; postern-init makes it", 61);
  if (Result<void> made = messages_.make_directories(); !made) return as_directory_fault(made.failure());
  for (const std::string& path : {messages_.directory() + "/new", messages_.directory() + "/cur",
                                  messages_.directory(), directory_, database, home_ + "/db"}) {
    if (Result<void> synced = fsync_directory(path); !synced) return as_directory_fault(synced.failure());
  }
  return {};
}

Result<Fd> QuarantineStore::take_lock(bool exclusive) const {
  const std::string path = std::string(directory_of(database_path_)) + "/lock";
  Fd lock{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!lock) return os_failure("open " + path, errno, 61);
  while (::flock(lock.get(), exclusive ? LOCK_EX : LOCK_SH) < 0) {
    if (errno != EINTR) return os_failure("lock " + path, errno, 61);
  }
  return lock;
}

Result<void> QuarantineStore::open_index() {
  Result<std::unique_ptr<SqliteRows>> opened = SqliteRows::open(database_path_);
  if (!opened) return opened.failure();
  rows_ = std::move(*opened);
  return {};
}

Result<Session> QuarantineStore::session(bool exclusive) {
  if (!rows_ && (::access(database_path_.c_str(), F_OK) < 0 ||
                 ::access((messages_.directory() + "/new").c_str(), F_OK) < 0)) {
    if (Result<void> prepared = prepare_directories(); !prepared) return prepared.failure();
  }
  for (;;) {
    Result<Fd> lock = take_lock(exclusive);
    if (!lock) return lock.failure();
    if (rows_ && !rows_->current()) rows_.reset();
    if (!rows_) {
      if (Result<void> opened = open_index(); !opened) return opened.failure();
    }
    if (!rows_->is_new()) return Session{std::move(*lock), rows_.get()};
    // The first start, or the first after the index was taken away: it is made from the messages.
    rows_.reset();
    lock->reset();
    lock = take_lock(true);
    if (!lock) return lock.failure();
    if (Result<void> opened = open_index(); !opened) return opened.failure();
    if (!rows_->is_new()) continue;
    if (Result<void> filled = fill_index(*this, *rows_); !filled) {
      rows_.reset();
      return filled.failure();
    }
  }
}

Result<std::optional<std::string>> QuarantineStore::put_aside_damaged() {
  if (::access(database_path_.c_str(), F_OK) < 0) return std::optional<std::string>();
  Result<Fd> lock = take_lock(true);
  if (!lock) return lock.failure();
  struct stat status {};
  Result<void> sound;
  if (::stat(database_path_.c_str(), &status) == 0 && status.st_size == 0) {
    // Emptied while others have it open, who would hold us up.
    sound = Failure{.text = "the database is empty", .damaged = true};
  } else {
    sound = open_index();
  }
  if (sound && !rows_->is_new()) sound = rows_->check();
  if (sound) return std::optional<std::string>();
  if (!sound.failure().damaged) return sound.failure();
  rows_.reset();
  const std::string aside = database_path_ + ".damaged-" + std::to_string(now_microseconds());
  // The log before its database: a log beside a new database would be replayed into that.
  for (const char* suffix : {"-wal", "-shm", ""}) {
    if (::rename((database_path_ + suffix).c_str(), (aside + suffix).c_str()) < 0 && errno != ENOENT)
      return os_failure("put aside " + database_path_ + suffix, errno);
  }
  if (Result<void> synced = fsync_directory(std::string(directory_of(database_path_))); !synced)
    return synced.failure();
  return std::optional<std::string>(aside);
}

Result<uint64_t> QuarantineStore::put(const PutOrder& order, const std::function<bool()>& still_wanted) {
  Result<std::vector<QuarantineSettings>> settings = quarantine_settings();
  if (!settings) return settings.failure();
  {
    // Before the message is copied: a store that cannot hold it says so at once.
    Result<Session> usable = session();
    if (!usable) return usable.failure();
  }
  const Spool::Content content{.message = order.message,
                               .limit_bytes = kMessageLimitBytes,
                               .first_header = {},
                               .envelope = order.envelope,
                               .kept = held_variables(order.request, order.placements)};
  Result<StagedMessage> staged = messages_.stage(content, order.wanted_mid);
  if (!staged) return staged.failure();
  if (!still_wanted()) return temporary("commit the message: the client has gone", 56);
  Result<Session> index = session();
  if (!index) return index.failure();
  const uint64_t wanted = staged->mid();
  Unlisted file_alone(messages_.path("new", wanted));
  Result<uint64_t> mid = messages_.commit(std::move(*staged));
  if (!mid) return mid;
  if (*mid == wanted) file_alone.is_there();  // of another number nothing is left but for the keeper
  Result<Fd> file = messages_.open(*mid);
  Result<HeldRow> row = file ? row_of_file(file->get(), *mid, *settings) : Result<HeldRow>(file.failure());
  Result<void> inserted = row ? (*index)->insert(*row) : Result<void>(row.failure());
  if (!inserted) {
    // Nobody has been told yes: the client comes again.
    take_back(**index, *mid);
    Failure failure = inserted.failure();
    failure.kind = Kind::temporary;
    if (failure.exit_code == 0) failure.exit_code = 53;
    return failure;
  }
  file_alone.is_listed();
  // From now on a file without a row is one whose row was lost. It is no less held if this fails.
  (void)messages_.take(*mid);
  return mid;
}

// The row of a commit that failed may stand in the log all the same, and would count for whoever opens that
// next: a further transaction writes over it, or removes it.
void QuarantineStore::take_back(Rows& rows, uint64_t mid) {
  if (Result<void> removed = messages_.remove(mid); !removed)
    log_warning("take back " + mid_text(mid) + ", which was refused", removed.failure());
  const Audit undone{.time = now_microseconds(), .mid = mid, .act = "undone", .who = "put"};
  if (Result<void> removed = rows.remove(mid, {undone}); !removed)
    log_warning("take back the row of " + mid_text(mid) + ", which was refused", removed.failure());
}

Result<bool> QuarantineStore::put_before(const PutOrder& order) {
  if (!order.request.get("POSTERN_DEFERRED") || order.wanted_mid == 0) return false;
  Result<Session> index = session();
  if (!index) return index.failure();
  Result<bool> removed = (*index)->was_removed(order.wanted_mid, envelope_digest(order.envelope));
  if (!removed || *removed) return removed;
  Result<bool> taken = taken_before(messages_, order.wanted_mid, order.request, order.envelope);
  if (!taken || !*taken) return taken;
  Result<std::vector<QuarantineSettings>> settings = quarantine_settings();
  if (!settings) return settings.failure();
  Result<std::optional<HeldRow>> found = (*index)->find(order.wanted_mid);
  if (!found) return found.failure();
  if (!*found) {
    // The earlier try ended between the file and its row.
    Result<Fd> file = messages_.open(order.wanted_mid);
    if (!file) return file.failure();
    Result<HeldRow> row = row_of_file(file->get(), order.wanted_mid, *settings);
    if (!row) return row.failure();
    if (Result<void> inserted = (*index)->insert(*row); !inserted) return inserted.failure();
    (void)messages_.take(order.wanted_mid);
    *found = std::move(*row);
  }
  HeldRow& row = **found;
  const Environment kept = held_variables(order.request, order.placements);
  if (add_memberships(row, memberships_of(order.placements, kept, now_microseconds(), *settings))) {
    if (Result<void> updated = (*index)->update(row, {}); !updated) return updated.failure();
  }
  return true;
}

Result<HeldMessage> QuarantineStore::find(uint64_t mid) {
  Result<Session> index = session();
  if (!index) return index.failure();
  Result<std::optional<HeldRow>> row = (*index)->find(mid);
  if (!row) return row.failure();
  if (!*row) return permanent(kGone);
  Result<Fd> file = messages_.open(mid);
  if (!file && file.failure().permanent())
    return permanent("its file is gone; `postern-quarantine check --repair` takes it off the list");
  if (!file) return file.failure();
  return HeldMessage{std::move(**row), std::move(*file)};
}

Result<void> QuarantineStore::lock(HeldMessage& held) {
  if (::flock(held.file.get(), LOCK_EX | LOCK_NB) < 0) {
    if (errno == EWOULDBLOCK) return temporary("another process is releasing or deleting it");
    return os_failure("lock the file", errno);
  }
  struct stat status {};
  if (::fstat(held.file.get(), &status) < 0) return os_failure("look at the file", errno);
  if (status.st_nlink == 0) return permanent("it was released or deleted a moment ago");
  Result<Session> index = session();
  if (!index) return index.failure();
  Result<std::optional<HeldRow>> row = (*index)->find(held.row.mid);
  if (!row) return row.failure();
  if (!*row) return permanent("it was released or deleted a moment ago");
  held.row = std::move(**row);
  return {};
}

Result<void> QuarantineStore::update(const HeldRow& row, const std::vector<Audit>& audits) {
  Result<Session> index = session();
  if (!index) return index.failure();
  return (*index)->update(row, audits);
}

Result<void> QuarantineStore::remove(const HeldRow& row, const std::vector<Audit>& audits) {
  Result<Session> index = session();
  if (!index) return index.failure();
  if (Result<void> removed = (*index)->remove(row.mid, audits); !removed) return removed;
  if (Result<void> removed = messages_.remove(row.mid); !removed) {
    log_warning("remove the file of " + mid_text(row.mid) + ", which is held no more", removed.failure());
    return {};  // the keeper tries again; it is in no list any more
  }
  for (const char* place : {"new", "cur"}) {
    if (Result<void> synced = fsync_directory(std::string(directory_of(messages_.path(place, row.mid))));
        !synced)
      log_warning("make the removal of " + mid_text(row.mid) + " durable", synced.failure());
  }
  return {};
}

bool QuarantineStore::has_file(uint64_t mid) const {
  return ::access(messages_.path("cur", mid).c_str(), F_OK) == 0 ||
         ::access(messages_.path("new", mid).c_str(), F_OK) == 0 ||
         ::access(messages_.path("cur", mid).c_str(), F_OK) == 0;  // it may have moved in between
}

}  // namespace postern::quarantine
