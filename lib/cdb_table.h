// Constant databases: tables that are compiled from text, so that who asks them parses nothing.
#pragma once

#include <cdb.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/fd.h"
#include "lib/result.h"

namespace postern {

class CdbTable {
 public:
  // Nothing when there is no such file.
  static Result<std::optional<CdbTable>> open(const std::string& path);
  // The value; nothing when there is no such key.
  Result<std::optional<std::string>> find(std::string_view key);

 private:
  struct Close {
    void operator()(struct cdb* table) const;
  };
  CdbTable(std::string path, Fd fd);

  std::string path_;
  Fd fd_;
  std::unique_ptr<struct cdb, Close> table_;
};

// Writes it beside `path`, syncs it, renames it over `path` and syncs the directory: a reader sees the old
// table or the new one. One writer at a time.
Result<void> write_cdb(const std::string& path,
                       const std::vector<std::pair<std::string, std::string>>& records);

}  // namespace postern
