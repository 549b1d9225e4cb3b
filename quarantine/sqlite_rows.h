// The index in SQLite: db/quarantine/store.db, write-ahead log, synced at each commit. The tables are
// described in doc/INTERNALS.md.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "quarantine/rows.h"
#include "quarantine/sqlite.h"

namespace postern::quarantine {

class SqliteRows : public Rows {
 public:
  // Makes the tables where there are none. `is_new` of what it returns: nobody has filled it yet.
  static Result<std::unique_ptr<SqliteRows>> open(const std::string& path);
  [[nodiscard]] bool is_new() const { return is_new_; }
  // The first filling, whole or not at all; from then on it is not new.
  using Insert = std::function<Result<void>(const HeldRow& row)>;
  Result<void> fill(const std::function<Result<void>(const Insert& insert)>& all);

  Result<void> insert(const HeldRow& row) override;
  Result<std::optional<HeldRow>> find(uint64_t mid) override;
  Result<void> select(const Filter& filter,
                      const std::function<Result<void>(const HeldRow& row)>& each) override;
  Result<void> update(const HeldRow& row, const std::vector<Audit>& audits) override;
  Result<void> remove(uint64_t mid, const std::vector<Audit>& audits) override;
  Result<bool> was_removed(uint64_t mid) override;
  Result<bool> was_removed(uint64_t mid, uint64_t digest) override;
  Result<std::vector<uint64_t>> due(uint64_t now_seconds) override;
  Result<uint64_t> next_expiry() override;
  Result<std::vector<Audit>> audits(uint64_t mid) override;
  Result<void> forget_audits(uint64_t before) override;
  Result<void> check() override;
  bool current() override;

 private:
  SqliteRows(std::string path, Database database) : path_(std::move(path)), database_(std::move(database)) {}
  Result<void> insert_row(const HeldRow& row);
  Result<void> insert_memberships(const HeldRow& row);
  Result<void> insert_audits(const std::vector<Audit>& audits);
  Result<void> run(const std::string& sql, uint64_t number);
  std::string path_;
  Database database_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  bool is_new_ = false;
};

}  // namespace postern::quarantine
