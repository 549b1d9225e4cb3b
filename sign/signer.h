// What postern-signq holds: control/dkim with its keys, and the keys of bounce tags; and what it answers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/dkim_table.h"
#include "lib/prvs.h"
#include "lib/result.h"
#include "lib/watched_file.h"
#include "sign/dkim_key.h"

namespace postern {

class Signer {
 public:
  // Reads control/dkim, control/dkimheaders, the domains that are ours, and every key. Missing files are
  // empty ones.
  static Result<Signer> read();

  // The DKIM-Signature fields of a message (a file), LF line ends; empty: nothing signs for it. `label` is
  // "MID 5" for the log.
  Result<std::string> sign(int message, std::string_view sender, const std::string& label) const;

  // The sender with a tag; empty: it gets none (the log says why where that is worth a line).
  Result<std::string> tag(const std::string& sender, const std::string& label, uint64_t now_seconds) const;
  [[nodiscard]] PrvsCheck check(std::string_view address, uint64_t now_seconds) const;

 private:
  [[nodiscard]] bool is_ours(const std::string& domain) const;

  std::optional<DkimTable> table_;
  std::vector<SignedHeader> headers_;
  std::vector<std::string> ours_;
  std::map<std::string, DkimKey> keys_;  // by file
  std::vector<PrvsKey> tag_keys_;        // the first makes tags
};

// Has one of those files changed? So that a new line needs no signal.
class SignerFiles {
 public:
  SignerFiles();
  bool changed();

 private:
  std::vector<WatchedFile> files_;
};

}  // namespace postern
