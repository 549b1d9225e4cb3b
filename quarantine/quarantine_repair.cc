#include "quarantine/quarantine_repair.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>

#include "lib/log.h"
#include "lib/mid.h"
#include "lib/quarantine_name.h"
#include "lib/text.h"
#include "quarantine/quarantine_store.h"

namespace postern::quarantine {

namespace {

// Holds what nothing says the quarantine of.
constexpr const char* kUnknown = "Unknown";

using Settings = std::vector<QuarantineSettings>;

Result<HeldRow> row_of_message(const Spool& spool, uint64_t mid, const Settings& settings,
                               const std::string& otherwise) {
  Result<Fd> file = spool.open(mid);
  if (!file) return file.failure();
  Result<HeldRow> row = row_of_file(file->get(), mid, settings);
  if (row || !row.failure().permanent()) return row;
  Result<QueuedMessage> queued = read_queue_file(file->get());
  if (!queued) return queued.failure();
  HeldRow made{.mid = mid,
               .born = queued->born,
               .digest = envelope_digest(queued->envelope),
               .size = queued->message_size};
  made.sender = queued->envelope.sender;
  for (const Recipient& recipient : queued->envelope.recipients) made.recipients.push_back(recipient.address);
  made.memberships = memberships_of({{otherwise, ""}}, queued->kept, queued->born, settings);
  made.kept = queued->kept;
  return made;
}

Result<std::vector<uint64_t>> mids_of(const Spool& spool) {
  std::vector<uint64_t> mids;
  // In the order in which a message moves, so that none is missed; twice is no harm.
  for (const char* place : {"new", "cur"}) {
    Result<std::vector<uint64_t>> some = spool.list(place);
    if (!some) return some;
    mids.insert(mids.end(), some->begin(), some->end());
  }
  std::sort(mids.begin(), mids.end());
  mids.erase(std::unique(mids.begin(), mids.end()), mids.end());
  return mids;
}

// The quarantines of the older layout.
std::vector<std::string> old_spools(const QuarantineStore& store) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> opened{::opendir(store.directory().c_str()), ::closedir};
  if (!opened) return names;
  while (const dirent* entry = ::readdir(opened.get())) {
    struct stat status {};
    const std::string name = entry->d_name;
    if (is_quarantine_name(name) && name != "messages" &&
        ::stat((store.directory() + "/" + name + "/new").c_str(), &status) == 0 && S_ISDIR(status.st_mode))
      names.push_back(name);
  }
  return names;
}

// Those in its places that are there still: a kill may have ended its removal half way.
Result<std::vector<uint64_t>> mids_of_old(const Spool& spool) {
  std::vector<uint64_t> mids;
  for (const char* place : {"new", "cur"}) {
    for (unsigned part = 0; part < POSTERN_SPLIT; ++part) {
      const std::string path = spool.directory() + "/" + place + "/" + std::to_string(part);
      if (::access(path.c_str(), F_OK) < 0 && errno == ENOENT) continue;
      if (Result<void> listed = spool.list_part(place, part, mids); !listed) return listed.failure();
    }
  }
  std::sort(mids.begin(), mids.end());
  return mids;
}

// new/, by which old_spools() knows it, goes last.
void remove_empty(const Spool& spool) {
  std::vector<std::string> all = spool.directories();
  std::reverse(all.begin(), all.end());
  std::stable_partition(all.begin(), all.end(), [&](const std::string& path) {
    return !path.starts_with(spool.directory() + "/new");
  });
  all.push_back(spool.directory());
  for (const std::string& path : all) ::rmdir(path.c_str());
}

class Filling {
 public:
  Filling(QuarantineStore& store, Settings settings, std::function<Result<void>(const HeldRow&)> insert)
      : store_(store), settings_(std::move(settings)), insert_(std::move(insert)) {}

  Result<void> all() {
    for (const std::string& name : old_spools(store_)) {
      if (Result<void> moved = move_here(name); !moved) return moved;
    }
    Result<std::vector<uint64_t>> mids = mids_of(store_.messages());
    if (!mids) return mids.failure();
    for (const uint64_t mid : *mids) {
      if (Result<void> done = one(store_.messages(), mid, kUnknown); !done) return done;
    }
    return {};
  }

 private:
  Result<void> one(const Spool& spool, uint64_t mid, const std::string& otherwise) {
    if (!done_.empty() && std::binary_search(done_.begin(), done_.end(), mid)) return {};
    Result<HeldRow> row = row_of_message(spool, mid, settings_, otherwise);
    if (row) return insert_(*row);
    if (!row.failure().permanent() && !row.failure().damaged) return row.failure();
    log_warning("list " + mid_text(mid) + " of " + spool.directory(), row.failure());
    return {};
  }

  // A rename of each file, durable before the index says that it is filled.
  Result<void> move_here(const std::string& name) {
    const Spool old(store_.directory() + "/" + name);
    const Spool& messages = store_.messages();
    Result<std::vector<uint64_t>> mids = mids_of_old(old);
    if (!mids) return mids.failure();
    for (const uint64_t mid : *mids) {
      uint64_t new_mid = mid;
      while (store_.has_file(new_mid)) new_mid = make_mid();
      for (const char* place : {"new", "cur"}) {
        if (::renameat2(AT_FDCWD, old.path(place, mid).c_str(), AT_FDCWD,
                        messages.path("cur", new_mid).c_str(), RENAME_NOREPLACE) < 0 &&
            errno != ENOENT)
          return os_failure("move " + old.path(place, mid), errno, 64);
      }
      if (new_mid != mid)
        log_info(mid_text(mid) + " rewritten to " + std::to_string(new_mid) + " by quarantine \"" + name +
                 "\"");
      if (Result<void> done = one(messages, new_mid, name); !done) return done;
      done_.insert(std::upper_bound(done_.begin(), done_.end(), new_mid), new_mid);
    }
    for (unsigned part = 0; part < POSTERN_SPLIT; ++part) {
      if (Result<void> synced = fsync_directory(messages.directory() + "/cur/" + std::to_string(part));
          !synced)
        return synced;
    }
    remove_empty(old);
    log_info(std::to_string(mids->size()) + " messages of quarantine \"" + name + "\" moved to " +
             messages.directory());
    return {};
  }

  QuarantineStore& store_;
  Settings settings_;
  std::function<Result<void>(const HeldRow&)> insert_;
  std::vector<uint64_t> done_;
};

class Check {
 public:
  Check(QuarantineStore& store, bool repair, std::string_view who)
      : store_(store), repair_(repair), who_(who) {}

  Result<std::vector<Finding>> run() {
    if (repair_) {
      Result<std::optional<std::string>> aside = store_.put_aside_damaged();
      if (!aside) return aside.failure();
      if (*aside) found("the database was damaged and is now " + **aside, true);
    }
    Result<Session> index = store_.session(true);
    Result<void> sound = index ? (*index)->check() : Result<void>(index.failure());
    if (!sound && !sound.failure().damaged) return sound.failure();
    if (!sound) {
      found(sound.failure().text, false);
      return findings_;
    }
    if (Result<void> done = compare(*index); !done) return done.failure();
    return findings_;
  }

 private:
  void found(std::string text, bool mended) { findings_.push_back({std::move(text), mended}); }

  Result<void> compare(const Session& index) {
    Result<std::vector<uint64_t>> mids = mids_of(store_.messages());
    if (!mids) return mids.failure();
    std::vector<uint64_t> rows;
    Result<void> listed = index->select({}, [&](const HeldRow& row) -> Result<void> {
      rows.push_back(row.mid);
      return {};
    });
    if (!listed) return listed;
    for (const uint64_t mid : *mids) {
      const bool has_row = std::binary_search(rows.begin(), rows.end(), mid);
      if (Result<void> done = has_row ? read_message(index, mid) : without_row(index, mid); !done)
        return done;
    }
    for (const uint64_t mid : rows) {
      if (std::binary_search(mids->begin(), mids->end(), mid)) continue;
      if (Result<void> done = without_file(index, mid); !done) return done;
    }
    return {};
  }

  Result<void> without_row(const Session& index, uint64_t mid) {
    Result<bool> removed = index->was_removed(mid);
    if (!removed) return removed.failure();
    if (*removed) {
      found(mid_text(mid) + ": was released or deleted, its file is still there", repair_);
      return repair_ ? store_.messages().remove(mid) : Result<void>();
    }
    Result<Settings> settings = quarantine_settings();
    if (!settings) return settings.failure();
    Result<HeldRow> row = row_of_message(store_.messages(), mid, *settings, kUnknown);
    if (!row) {
      found(mid_text(mid) + ": its file is damaged: " + row.failure().text, false);
      return {};
    }
    found(mid_text(mid) + ": its file is in no list", repair_);
    if (!repair_) return {};
    if (Result<void> inserted = index->insert(*row); !inserted) return inserted;
    (void)store_.messages().take(mid);
    return {};
  }

  Result<void> without_file(const Session& index, uint64_t mid) {
    Result<std::optional<HeldRow>> row = index->find(mid);
    if (!row) return row.failure();
    if (!*row) return {};
    found(mid_text(mid) + ": it is listed, but its file is gone", repair_);
    if (!repair_) return {};
    return index->remove(
        mid,
        {{.time = now_microseconds(), .mid = mid, .digest = (*row)->digest, .act = "lost", .who = who_}});
  }

  Result<void> read_message(const Session& index, uint64_t mid) {
    Result<Fd> file = store_.messages().open(mid);
    if (!file) return file.failure().permanent() ? Result<void>() : file.failure();
    Result<QueuedMessage> queued = read_queue_file(file->get());
    Result<bool> intact = queued ? message_intact(file->get(), *queued) : Result<bool>(queued.failure());
    if (!intact && !intact.failure().damaged) return intact.failure();
    if (!intact || !*intact) {
      found(mid_text(mid) + ": its file is damaged: " +
                (intact ? "the message's checksum is wrong" : intact.failure().text),
            false);
      return {};
    }
    Result<std::optional<HeldRow>> row = index->find(mid);
    if (!row) return row.failure();
    if (*row && (*row)->digest != envelope_digest(queued->envelope))
      found(mid_text(mid) + ": its row is of another envelope", false);
    return {};
  }

  QuarantineStore& store_;
  bool repair_;
  std::string who_;
  std::vector<Finding> findings_;
};

}  // namespace

Result<void> fill_index(QuarantineStore& store, SqliteRows& rows) {
  Result<Settings> settings = quarantine_settings();
  if (!settings) return settings.failure();
  return rows.fill([&](const std::function<Result<void>(const HeldRow&)>& insert) {
    return Filling(store, *settings, insert).all();
  });
}

Result<std::vector<Finding>> check_store(QuarantineStore& store, bool repair, std::string_view who) {
  return Check(store, repair, who).run();
}

Result<void> collect_garbage(QuarantineStore& store) {
  store.messages().collect_garbage();
  Result<std::vector<uint64_t>> mids = mids_of(store.messages());
  if (!mids) return mids.failure();
  const time_t now = ::time(nullptr);
  for (const uint64_t mid : *mids) {
    Result<Session> index = store.session();
    if (!index) return index.failure();
    Result<std::optional<HeldRow>> row = (*index)->find(mid);
    Result<bool> removed = (*index)->was_removed(mid);
    if (!row || !removed) return row ? removed.failure() : row.failure();
    if (*row) continue;
    struct stat status {};
    const bool unacknowledged = ::stat(store.messages().path("new", mid).c_str(), &status) == 0 &&
                                now - status.st_mtime > kGarbageSeconds;
    if (!*removed && !unacknowledged) continue;
    if (Result<void> gone = store.messages().remove(mid); !gone) return gone;
  }
  return {};
}

}  // namespace postern::quarantine
