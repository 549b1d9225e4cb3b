// What is held back. Each message is a file of one spool, quarantine/messages (lib/spool.h), so that it is as
// durable as a queued one; which quarantines hold it, and until when, stands in an index (rows.h), from which
// all lists are made. The row's commit makes a message held, the row's removal lets it go; a file without a
// row is either not acknowledged, or let go, or its row was lost, and quarantine_repair.h tells which.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/envelope.h"
#include "lib/environment.h"
#include "lib/fd.h"
#include "lib/result.h"
#include "lib/spool.h"
#include "quarantine/held.h"
#include "quarantine/sqlite_rows.h"

namespace postern::quarantine {

struct HeldMessage {
  HeldRow row;
  Fd file;
};

struct PutOrder {
  std::vector<Placement> placements;
  int message;  // descriptor
  const Envelope& envelope;
  const Environment& request;
  uint64_t wanted_mid;
};

// The index, and the lock that keeps repair from taking it away meanwhile.
struct Session {
  Fd lock;
  SqliteRows* rows = nullptr;
  Rows* operator->() const { return rows; }
  Rows& operator*() const { return *rows; }
};

class QuarantineStore {
 public:
  // $POSTERN_HOME as `home`. Nothing is opened before it is needed: a connection must not outlive a fork.
  explicit QuarantineStore(std::string home);

  // Writes it durably; the mid that it has there, another than the wanted one when that is taken.
  // `still_wanted` is asked before anything is committed. Exit codes of the queue interface in the failure.
  Result<uint64_t> put(const PutOrder& order, const std::function<bool()>& still_wanted);
  // Did an earlier try of a deferred message put it here (lib/taken_before.h)? Where it still stands it is
  // held in all of the order's quarantines then. One that was released or deleted since counts, too.
  Result<bool> put_before(const PutOrder& order);

  // A permanent failure when nothing holds it, or its file is gone.
  Result<HeldMessage> find(uint64_t mid);
  // For this process alone, until `held` goes; its row is read anew. Temporary failure: another process has
  // it; permanent: it has gone.
  Result<void> lock(HeldMessage& held);
  Result<void> update(const HeldRow& row, const std::vector<Audit>& audits);
  // Row and file. After a kill in between the audit says that the file has to go.
  Result<void> remove(const HeldRow& row, const std::vector<Audit>& audits);

  // `exclusive`: nobody else uses the index meanwhile.
  Result<Session> session(bool exclusive = false);
  // Takes a damaged index out of use, so that the next session makes a new one; where it is now.
  Result<std::optional<std::string>> put_aside_damaged();
  // Is its file there?
  [[nodiscard]] bool has_file(uint64_t mid) const;
  [[nodiscard]] const Spool& messages() const { return messages_; }
  [[nodiscard]] const std::string& home() const { return home_; }
  [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
  Result<void> prepare_directories();
  Result<Fd> take_lock(bool exclusive) const;
  Result<void> open_index();
  void take_back(Rows& rows, uint64_t mid);
  std::string home_;
  std::string directory_;
  std::string database_path_;
  Spool messages_;
  std::unique_ptr<SqliteRows> rows_;
};

}  // namespace postern::quarantine
