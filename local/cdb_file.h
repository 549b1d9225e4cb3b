// Constant databases: tables that operators write as text and deliveries look up without parsing anything.
#pragma once

#include <cdb.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/fd.h"
#include "lib/result.h"

namespace postern {

using CdbRecords = std::vector<std::pair<std::string, std::string>>;  // key, data; the first of a key wins

// Writes it beside `path`, syncs it, renames it over `path` and syncs the directory: a reader meets the old
// table or the new one. Mode 0644.
Result<void> write_cdb(const CdbRecords& records, const std::string& path);

// Lines that can never count, because an earlier one has the same key. `line_numbers` are those of the
// records. As "NAME:LINE: line N ...".
std::vector<std::string> double_keys(const CdbRecords& records, const std::vector<size_t>& line_numbers,
                                     std::string_view name);

// An open table.
class CdbFile {
 public:
  // Nothing when there is no such file. Temporary when others than root and ourselves may have written it, or
  // it is damaged; the text says to make it anew with `maker`.
  static Result<std::optional<CdbFile>> open(const std::string& path, std::string_view maker);
  CdbFile(CdbFile&& other) noexcept;
  CdbFile& operator=(CdbFile&&) = delete;
  ~CdbFile();

  Result<std::optional<std::string>> find(std::string_view key);

 private:
  CdbFile(struct cdb table, std::string path, std::string_view maker)
      : cdb_(table), path_(std::move(path)), maker_(maker) {}
  struct cdb cdb_ {};
  bool open_ = true;
  std::string path_;
  std::string maker_;
};

}  // namespace postern
