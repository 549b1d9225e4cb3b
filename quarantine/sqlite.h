// SQLite's C interface with owners and Results: one connection, statements on it.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lib/result.h"

namespace postern::quarantine {

class Statement {
 public:
  Statement(sqlite3* connection, sqlite3_stmt* statement)
      : connection_(connection), statement_(statement, ::sqlite3_finalize) {}
  // Each fills the next parameter.
  Statement& integer(uint64_t value);
  Statement& text(std::string_view value);
  Statement& blob(std::string_view value);
  // One step: is there a row?
  [[nodiscard]] Result<bool> step();
  // Steps that give no rows.
  [[nodiscard]] Result<void> run();
  [[nodiscard]] uint64_t integer_at(int column) const;
  // Lives until the next step.
  [[nodiscard]] std::string_view bytes_at(int column) const;

 private:
  sqlite3* connection_;
  std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement_;
  int parameter_ = 0;
  int wrong_ = SQLITE_OK;  // what a bind said
};

class Database {
 public:
  // Made where it is missing; mode by the umask. Waits for other processes' transactions, a minute at most.
  static Result<Database> open(const std::string& path);
  [[nodiscard]] Result<void> execute(const char* sql);
  [[nodiscard]] Result<Statement> prepare(const std::string& sql);

 private:
  explicit Database(sqlite3* connection) : connection_(connection, ::sqlite3_close_v2) {}
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> connection_;
};

// BEGIN IMMEDIATE; rolled back when it goes, unless it was committed.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(&database) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  [[nodiscard]] Result<void> begin();
  [[nodiscard]] Result<void> commit();

 private:
  Database* database_;
  bool open_ = false;
};

}  // namespace postern::quarantine
