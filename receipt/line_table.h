// The tables of recipients as postern-rcpt(8) compiles them: each key with the line that it stands in, so
// that the first line that fits counts, as if the text were read from top to bottom, and yet however long a
// table is, one address costs a few look-ups.
//
//   key    USER@DOMAIN  USER@.DOMAIN  USER@  @DOMAIN  @.DOMAIN  *      lower case, domains in A-labels;
//          ".DOMAIN" is everything below DOMAIN, and not DOMAIN itself
//   data   the line's number in decimal, NUL, what the table has to say
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "lib/cdb_table.h"
#include "lib/result.h"

namespace postern {

// "example.org", ".example.org", "[192.0.2.1]" as keys have it. The failure (permanent) says what it is
// instead.
Result<std::string> table_domain(std::string_view text);
// "user@example.org", "user@.example.org", "@example.org" and so on; the part before the @ may be empty.
Result<std::string> table_address(std::string_view text);

class LineTableMaker {
 public:
  // False: an earlier line has that key, and this one can never count.
  bool add(const std::string& key, size_t line, std::string_view value);
  [[nodiscard]] CdbRecords take() { return std::move(records_); }
  [[nodiscard]] size_t line_of(const std::string& key) const;  // 0: there is no such key

 private:
  CdbRecords records_;
  std::unordered_map<std::string, size_t> lines_;
};

struct LineMatch {
  size_t line = 0;
  std::string value;
};

class LineTable {
 public:
  // control/NAME.LISTENER.cdb where that is there, else control/NAME.cdb, else nothing. With an empty
  // listener, or one that could be no part of a file's name, the second alone. A text that nobody has
  // compiled is a failure (4.3.5): whoever wrote a table wants it to hold.
  static Result<std::optional<LineTable>> open(std::string_view name, std::string_view listener);
  static Result<std::optional<LineTable>> open_file(const std::string& path, std::string_view shown_name);
  // The first line that fits the address, which has an @. The failure (4.3.5): the table is damaged.
  Result<std::optional<LineMatch>> find(std::string_view address);
  // "control/rat line 12"
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string place(size_t line) const;

 private:
  static Result<std::optional<LineTable>> open_compiled(const std::string& text);
  LineTable(CdbTable table, std::string_view name) : table_(std::move(table)), name_(name) {}
  CdbTable table_;
  std::string name_;
};

}  // namespace postern
