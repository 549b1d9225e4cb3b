#include "quarantine/sqlite.h"

#include <time.h>

namespace postern::quarantine {

namespace {

constexpr int kBusyTries = 60000;
constexpr int64_t kBusyNanoseconds = 1000000;

// SQLite's own waits grow to 100 ms; transactions here take as long as one fsync.
int wait_for_others(void*, int tries) {
  if (tries >= kBusyTries) return 0;
  const timespec pause{0, kBusyNanoseconds};
  ::nanosleep(&pause, nullptr);
  return 1;
}

Failure sqlite_failure(sqlite3* connection, int code) {
  const char* why = connection != nullptr ? ::sqlite3_errmsg(connection) : ::sqlite3_errstr(code);
  Failure failure = temporary(std::string("use the quarantine's database: ") + why, 61);
  switch (code & 0xff) {
    case SQLITE_FULL:
      failure.status = "4.3.1";
      failure.exit_code = 53;
      break;
    case SQLITE_IOERR:
      failure.exit_code = 53;
      break;
    case SQLITE_NOMEM:
      failure.exit_code = 51;
      failure.shortage = true;
      break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      failure.damaged = true;
      failure.text += "; `postern-quarantine check --repair` makes it again from the messages";
      break;
    default:
      break;
  }
  return failure;
}

}  // namespace

Statement& Statement::integer(uint64_t value) {
  const int said = ::sqlite3_bind_int64(statement_.get(), ++parameter_, static_cast<sqlite3_int64>(value));
  if (said != SQLITE_OK) wrong_ = said;
  return *this;
}

Statement& Statement::text(std::string_view value) {
  const int said = ::sqlite3_bind_text64(statement_.get(), ++parameter_, value.empty() ? "" : value.data(),
                                         value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (said != SQLITE_OK) wrong_ = said;
  return *this;
}

Statement& Statement::blob(std::string_view value) {
  const int said = ::sqlite3_bind_blob64(statement_.get(), ++parameter_, value.empty() ? "" : value.data(),
                                         value.size(), SQLITE_TRANSIENT);
  if (said != SQLITE_OK) wrong_ = said;
  return *this;
}

Result<bool> Statement::step() {
  if (wrong_ != SQLITE_OK) return sqlite_failure(nullptr, wrong_);
  const int said = ::sqlite3_step(statement_.get());
  if (said == SQLITE_ROW) return true;
  if (said == SQLITE_DONE) return false;
  return sqlite_failure(connection_, said);
}

Result<void> Statement::run() {
  Result<bool> row = step();
  while (row && *row) row = step();
  if (!row) return row.failure();
  return {};
}

uint64_t Statement::integer_at(int column) const {
  return static_cast<uint64_t>(::sqlite3_column_int64(statement_.get(), column));
}

std::string_view Statement::bytes_at(int column) const {
  const void* bytes = ::sqlite3_column_blob(statement_.get(), column);
  const int size = ::sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? std::string_view()
                          : std::string_view(static_cast<const char*>(bytes), static_cast<size_t>(size));
}

Result<Database> Database::open(const std::string& path) {
  sqlite3* connection = nullptr;
  const int said = ::sqlite3_open_v2(
      path.c_str(), &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(connection);
  if (said != SQLITE_OK) {
    Failure failure = sqlite_failure(connection, said);
    failure.text += " (" + path + ")";
    return failure;
  }
  ::sqlite3_busy_handler(connection, wait_for_others, nullptr);
  ::sqlite3_extended_result_codes(connection, 1);
  // A path form would pay for a checkpoint, three fsyncs, at each end; one in a thousand pages is enough.
  ::sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  ::sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // FULL: in a write-ahead log it syncs the log at each commit.
  for (const char* pragma :
       {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA cell_size_check=ON",
        "PRAGMA trusted_schema=OFF", "PRAGMA journal_size_limit=16777216"}) {
    if (Result<void> done = database.execute(pragma); !done) return done.failure();
  }
  return database;
}

Result<void> Database::execute(const char* sql) {
  // Where a wait might be one of two for each other (a new file becomes one with a log), SQLite does not ask
  // the handler. None of ours waits with a transaction open, so that is a wait like any other.
  int said = SQLITE_OK;
  int tries = 0;
  do {
    said = ::sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
  } while ((said & 0xff) == SQLITE_BUSY && wait_for_others(nullptr, tries++) != 0);
  if (said != SQLITE_OK) return sqlite_failure(connection_.get(), said);
  return {};
}

Result<Statement> Database::prepare(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const int said =
      ::sqlite3_prepare_v2(connection_.get(), sql.c_str(), static_cast<int>(sql.size()), &statement, nullptr);
  if (said != SQLITE_OK) return sqlite_failure(connection_.get(), said);
  return Statement(connection_.get(), statement);
}

Transaction::~Transaction() {
  // What fails here has nothing left to undo: SQLite rolls back by itself after most errors.
  if (open_) (void)database_->execute("ROLLBACK");
}

Result<void> Transaction::begin() {
  Result<void> begun = database_->execute("BEGIN IMMEDIATE");
  open_ = begun.ok();
  return begun;
}

Result<void> Transaction::commit() {
  Result<void> committed = database_->execute("COMMIT");
  if (committed) open_ = false;
  return committed;
}

}  // namespace postern::quarantine
