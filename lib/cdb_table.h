// Constant databases: tables that are compiled from text, so that who asks them parses nothing.
#pragma once

#include <cdb.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/result.h"

namespace postern {

using CdbRecords = std::vector<std::pair<std::string, std::string>>;  // key, value; the first of a key wins

// Writes it beside `path`, syncs it, renames it over `path` and syncs the directory: a reader meets the old
// table or the new one. One writer at a time. Mode 0644.
Result<void> write_cdb(const std::string& path, const CdbRecords& records);

// Lines that can never count, because an earlier one has the same key. `line_numbers` are those of the
// records. As "NAME:LINE: line N ...".
std::vector<std::string> double_keys(const CdbRecords& records, const std::vector<size_t>& line_numbers,
                                     std::string_view name);

// Who may have written a table that we believe. One that says where mail goes, or as whom it is delivered,
// must be root's or our own.
enum class CdbOwner { anybody, root_or_us };

// An open table.
class CdbTable {
 public:
  // Nothing when there is no such file. A failure is temporary (4.3.5; a queue's exit code 55), and says to
  // make the table anew with `maker`.
  static Result<std::optional<CdbTable>> open(const std::string& path, std::string_view maker,
                                              CdbOwner owner = CdbOwner::anybody);
  // The value; nothing when there is no such key.
  Result<std::optional<std::string>> find(std::string_view key);

 private:
  struct Close {
    void operator()(struct cdb* table) const;
  };
  CdbTable(std::string path, std::string_view maker) : path_(std::move(path)), maker_(maker) {}
  [[nodiscard]] Failure unusable(const std::string& why) const;

  std::string path_;
  std::string maker_;
  std::unique_ptr<struct cdb, Close> table_;
};

}  // namespace postern
