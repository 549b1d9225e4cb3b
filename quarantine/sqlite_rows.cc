#include "quarantine/sqlite_rows.h"

#include <sys/stat.h>

#include <algorithm>

#include "lib/record.h"
#include "lib/text.h"

namespace postern::quarantine {

namespace {

constexpr uint64_t kVersion = 1;

constexpr const char* kTables = R"sql(
CREATE TABLE IF NOT EXISTS messages(
  mid INTEGER PRIMARY KEY, born INTEGER NOT NULL, digest INTEGER NOT NULL, size INTEGER NOT NULL,
  sender TEXT NOT NULL, recipients TEXT NOT NULL, subject TEXT NOT NULL, kept BLOB NOT NULL,
  new_mid INTEGER NOT NULL, releasing INTEGER NOT NULL, exemption TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS memberships(
  mid INTEGER NOT NULL, quarantine TEXT NOT NULL, reason TEXT NOT NULL, entered INTEGER NOT NULL,
  expires INTEGER NOT NULL, deletes INTEGER NOT NULL, released INTEGER NOT NULL,
  PRIMARY KEY(mid, quarantine)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS of_quarantine ON memberships(quarantine, mid);
CREATE INDEX IF NOT EXISTS of_expiry ON memberships(expires, mid) WHERE expires > 0 AND released = 0;
CREATE INDEX IF NOT EXISTS of_releasing ON messages(mid) WHERE releasing = 1;
CREATE TABLE IF NOT EXISTS audits(
  time INTEGER NOT NULL, mid INTEGER NOT NULL, digest INTEGER NOT NULL, new_mid INTEGER NOT NULL,
  act TEXT NOT NULL, quarantine TEXT NOT NULL, who TEXT NOT NULL, exemption TEXT NOT NULL, fate TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS of_mid ON audits(mid);
CREATE INDEX IF NOT EXISTS of_time ON audits(time);
)sql";

constexpr std::string_view kGone = "act IN ('released', 'deleted', 'lost')";

// One a line. A line feed in an address, which no client can send, is written as logs write it.
std::string joined(const std::vector<std::string>& recipients) {
  std::string text;
  for (const std::string& recipient : recipients) {
    if (!text.empty()) text += '\n';
    for (const char c : recipient) {
      if (c == '\n') {
        text += "\\x0a";
      } else {
        text += c;
      }
    }
  }
  return text;
}

std::string kept_bytes(const Environment& kept) {
  std::string bytes;
  for (const auto& [name, value] : kept.pairs()) append_record(bytes, 'v', name + "=" + value);
  return bytes;
}

Environment kept_of(std::string_view bytes) {
  Environment kept;
  while (const std::optional<std::string_view> record = cut_record(bytes)) {
    const size_t equals = record->find('=');
    if (record->starts_with('v') && equals != std::string_view::npos)
      kept.set(record->substr(1, equals - 1), record->substr(equals + 1));
  }
  return kept;
}

// The columns of a row, and those of one of its memberships behind them.
constexpr std::string_view kColumns =
    "m.mid, m.born, m.digest, m.size, m.sender, m.recipients, m.subject, m.kept, m.new_mid, m.releasing, "
    "m.exemption, q.quarantine, q.reason, q.entered, q.expires, q.deletes, q.released";

HeldRow row_at(const Statement& at) {
  HeldRow row{.mid = at.integer_at(0),
              .born = at.integer_at(1),
              .digest = at.integer_at(2),
              .size = at.integer_at(3)};
  row.sender = at.bytes_at(4);
  if (const std::string_view recipients = at.bytes_at(5); !recipients.empty()) {
    for (const std::string_view one : split(recipients, '\n')) row.recipients.emplace_back(one);
  }
  row.subject = at.bytes_at(6);
  row.kept = kept_of(at.bytes_at(7));
  row.new_mid = at.integer_at(8);
  row.releasing = at.integer_at(9) != 0;
  row.exemption = at.bytes_at(10);
  return row;
}

Membership membership_at(const Statement& at) {
  return {.quarantine = std::string(at.bytes_at(11)),
          .reason = std::string(at.bytes_at(12)),
          .entered = at.integer_at(13),
          .expires = at.integer_at(14),
          .deletes = at.integer_at(15) != 0,
          .released = at.integer_at(16) != 0};
}

struct Where {
  std::string sql;
  std::vector<std::string> texts;  // what its parameters stand for
};

// Numbers are written into the text; they are ours.
Where where_of(const Filter& filter) {
  Where where{.sql = "1", .texts = {}};
  const auto text = [&](const std::string& wanted, std::string_view condition, bool as_it_is = false) {
    if (wanted.empty()) return;
    where.sql.append(" AND ").append(condition);
    where.texts.push_back(as_it_is ? wanted : lower(wanted));
  };
  if (!filter.mids.empty()) {
    std::string list;
    for (const uint64_t mid : filter.mids) list.append(list.empty() ? "" : ",").append(std::to_string(mid));
    where.sql += " AND mid IN (" + list + ")";
  }
  if (filter.before != 0) where.sql += " AND born < " + std::to_string(filter.before);
  if (filter.after != 0) where.sql += " AND born >= " + std::to_string(filter.after);
  text(filter.quarantine, "mid IN (SELECT mid FROM memberships WHERE quarantine = ? AND released = 0)", true);
  if (filter.sender == "<>") {
    where.sql += " AND sender = ''";
  } else {
    text(filter.sender, "instr(lower(sender), ?) > 0");
  }
  text(filter.recipient, "instr(lower(recipients), ?) > 0");
  text(filter.subject, "instr(lower(subject), ?) > 0");
  text(filter.reason, "mid IN (SELECT mid FROM memberships WHERE instr(lower(reason), ?) > 0)");
  return where;
}

}  // namespace

Result<std::unique_ptr<SqliteRows>> SqliteRows::open(const std::string& path) {
  Result<Database> database = Database::open(path);
  if (!database) return database.failure();
  std::unique_ptr<SqliteRows> rows(new SqliteRows(path, std::move(*database)));
  struct stat status {};
  if (::stat(path.c_str(), &status) < 0) return os_failure("look at " + path, errno, 61);
  rows->device_ = status.st_dev;
  rows->inode_ = status.st_ino;
  Result<Statement> version = rows->database_.prepare("PRAGMA user_version");
  if (!version) return version.failure();
  Result<bool> stepped = version->step();
  if (!stepped) return stepped.failure();
  const uint64_t found = version->integer_at(0);
  if (found > kVersion)
    return temporary(path + " is of version " + std::to_string(found) + ": a newer Postern made it", 61);
  rows->is_new_ = found == 0;
  return rows;
}

Result<void> SqliteRows::fill(const std::function<Result<void>(const Insert& insert)>& all) {
  Transaction transaction(database_);
  if (Result<void> begun = transaction.begin(); !begun) return begun;
  if (Result<void> made = database_.execute(kTables); !made) return made;
  Result<void> filled = all([&](const HeldRow& row) { return insert_row(row); });
  if (!filled) return filled;
  if (Result<void> set = database_.execute(("PRAGMA user_version=" + std::to_string(kVersion)).c_str()); !set)
    return set;
  if (Result<void> committed = transaction.commit(); !committed) return committed;
  is_new_ = false;
  return {};
}

Result<void> SqliteRows::insert(const HeldRow& row) {
  Transaction transaction(database_);
  if (Result<void> begun = transaction.begin(); !begun) return begun;
  if (Result<void> inserted = insert_row(row); !inserted) return inserted;
  return transaction.commit();
}

Result<void> SqliteRows::insert_row(const HeldRow& row) {
  Result<Statement> statement =
      database_.prepare("INSERT OR REPLACE INTO messages VALUES(?,?,?,?,?,?,?,?,?,?,?)");
  if (!statement) return statement.failure();
  statement->integer(row.mid).integer(row.born).integer(row.digest).integer(row.size);
  statement->text(row.sender).text(joined(row.recipients)).text(row.subject).blob(kept_bytes(row.kept));
  statement->integer(row.new_mid).integer(row.releasing ? 1 : 0).text(row.exemption);
  if (Result<void> done = statement->run(); !done) return done;
  return insert_memberships(row);
}

Result<void> SqliteRows::insert_memberships(const HeldRow& row) {
  if (Result<void> cleared = run("DELETE FROM memberships WHERE mid = ?", row.mid); !cleared) return cleared;
  for (const Membership& one : row.memberships) {
    Result<Statement> statement = database_.prepare("INSERT INTO memberships VALUES(?,?,?,?,?,?,?)");
    if (!statement) return statement.failure();
    statement->integer(row.mid).text(one.quarantine).text(one.reason).integer(one.entered);
    statement->integer(one.expires).integer(one.deletes ? 1 : 0).integer(one.released ? 1 : 0);
    if (Result<void> done = statement->run(); !done) return done;
  }
  return {};
}

Result<void> SqliteRows::insert_audits(const std::vector<Audit>& audits) {
  for (const Audit& audit : audits) {
    Result<Statement> statement = database_.prepare("INSERT INTO audits VALUES(?,?,?,?,?,?,?,?,?)");
    if (!statement) return statement.failure();
    statement->integer(audit.time).integer(audit.mid).integer(audit.digest).integer(audit.new_mid);
    statement->text(audit.act).text(audit.quarantine).text(audit.who).text(audit.exemption).text(audit.fate);
    if (Result<void> done = statement->run(); !done) return done;
  }
  return {};
}

Result<void> SqliteRows::run(const std::string& sql, uint64_t number) {
  Result<Statement> statement = database_.prepare(sql);
  if (!statement) return statement.failure();
  return statement->integer(number).run();
}

Result<std::optional<HeldRow>> SqliteRows::find(uint64_t mid) {
  std::optional<HeldRow> found;
  Result<void> selected = select({.mids = {mid}}, [&](const HeldRow& row) -> Result<void> {
    found = row;
    return {};
  });
  if (!selected) return selected.failure();
  return found;
}

Result<void> SqliteRows::select(const Filter& filter,
                                const std::function<Result<void>(const HeldRow& row)>& each) {
  const Where where = where_of(filter);
  const std::string limit = filter.limit == 0 ? "" : " LIMIT " + std::to_string(filter.limit);
  Result<Statement> at = database_.prepare(
      "SELECT " + std::string(kColumns) + " FROM (SELECT * FROM messages WHERE " + where.sql +
      " ORDER BY mid" + limit + ") m JOIN memberships q ON q.mid = m.mid ORDER BY m.mid, q.quarantine");
  if (!at) return at.failure();
  for (const std::string& text : where.texts) at->text(text);
  HeldRow row;
  for (;;) {
    Result<bool> stepped = at->step();
    if (!stepped) return stepped.failure();
    const bool same = *stepped && row.mid == at->integer_at(0);
    if (!same && row.mid != 0) {
      if (Result<void> done = each(row); !done) return done;
    }
    if (!*stepped) return {};
    if (!same) row = row_at(*at);
    row.memberships.push_back(membership_at(*at));
  }
}

Result<void> SqliteRows::update(const HeldRow& row, const std::vector<Audit>& audits) {
  Transaction transaction(database_);
  if (Result<void> begun = transaction.begin(); !begun) return begun;
  Result<Statement> statement =
      database_.prepare("UPDATE messages SET new_mid = ?, releasing = ?, exemption = ? WHERE mid = ?");
  if (!statement) return statement.failure();
  statement->integer(row.new_mid).integer(row.releasing ? 1 : 0).text(row.exemption).integer(row.mid);
  if (Result<void> done = statement->run(); !done) return done;
  if (Result<void> done = insert_memberships(row); !done) return done;
  if (Result<void> done = insert_audits(audits); !done) return done;
  return transaction.commit();
}

Result<void> SqliteRows::remove(uint64_t mid, const std::vector<Audit>& audits) {
  Transaction transaction(database_);
  if (Result<void> begun = transaction.begin(); !begun) return begun;
  for (const char* sql : {"DELETE FROM messages WHERE mid = ?", "DELETE FROM memberships WHERE mid = ?"}) {
    if (Result<void> done = run(sql, mid); !done) return done;
  }
  if (Result<void> done = insert_audits(audits); !done) return done;
  return transaction.commit();
}

Result<bool> SqliteRows::was_removed(uint64_t mid) {
  Result<Statement> at =
      database_.prepare("SELECT 1 FROM audits WHERE mid = ? AND " + std::string(kGone) + " LIMIT 1");
  if (!at) return at.failure();
  return at->integer(mid).step();
}

Result<bool> SqliteRows::was_removed(uint64_t mid, uint64_t digest) {
  Result<Statement> at = database_.prepare("SELECT 1 FROM audits WHERE mid = ? AND digest = ? AND " +
                                           std::string(kGone) + " LIMIT 1");
  if (!at) return at.failure();
  return at->integer(mid).integer(digest).step();
}

Result<std::vector<uint64_t>> SqliteRows::due(uint64_t now_seconds) {
  std::vector<uint64_t> mids;
  Result<Statement> at = database_.prepare(
      "SELECT mid FROM memberships WHERE expires > 0 AND released = 0 AND expires <= ? UNION "
      "SELECT mid FROM messages WHERE releasing = 1 ORDER BY mid");
  if (!at) return at.failure();
  at->integer(now_seconds);
  for (;;) {
    Result<bool> stepped = at->step();
    if (!stepped) return stepped.failure();
    if (!*stepped) return mids;
    mids.push_back(at->integer_at(0));
  }
}

Result<uint64_t> SqliteRows::next_expiry() {
  Result<Statement> at = database_.prepare(
      "SELECT expires FROM memberships WHERE expires > 0 AND released = 0 ORDER BY expires LIMIT 1");
  if (!at) return at.failure();
  Result<bool> stepped = at->step();
  if (!stepped) return stepped.failure();
  return *stepped ? at->integer_at(0) : 0;
}

Result<std::vector<Audit>> SqliteRows::audits(uint64_t mid) {
  std::vector<Audit> found;
  Result<Statement> at = database_.prepare("SELECT * FROM audits WHERE mid = ? ORDER BY rowid");
  if (!at) return at.failure();
  at->integer(mid);
  for (;;) {
    Result<bool> stepped = at->step();
    if (!stepped) return stepped.failure();
    if (!*stepped) return found;
    found.push_back({.time = at->integer_at(0),
                     .mid = at->integer_at(1),
                     .digest = at->integer_at(2),
                     .new_mid = at->integer_at(3),
                     .act = std::string(at->bytes_at(4)),
                     .quarantine = std::string(at->bytes_at(5)),
                     .who = std::string(at->bytes_at(6)),
                     .exemption = std::string(at->bytes_at(7)),
                     .fate = std::string(at->bytes_at(8))});
  }
}

Result<void> SqliteRows::forget_audits(uint64_t before) {
  return run("DELETE FROM audits WHERE time < ?", before);
}

Result<void> SqliteRows::check() {
  Result<Statement> at = database_.prepare("PRAGMA integrity_check(1)");
  if (!at) return at.failure();
  Result<bool> stepped = at->step();
  if (!stepped) return stepped.failure();
  if (*stepped && at->bytes_at(0) == "ok") return {};
  Failure failure = temporary("use the quarantine's database: " + printable(at->bytes_at(0), 200), 61);
  failure.damaged = true;
  return failure;
}

bool SqliteRows::current() {
  struct stat status {};
  return ::stat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
}

}  // namespace postern::quarantine
