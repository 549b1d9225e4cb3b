// The files of virus signatures that freshclam and the operator put into control/clamdb, and how old they
// are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"

namespace postern {

// The 512 bytes that *.cvd and *.cld begin with: "ClamAV-VDB:", then build time, version, number of
// signatures, functionality level, checksum, digital signature, builder and the time again in seconds since
// 1970, with colons between.
struct DatabaseHead {
  uint64_t version = 0;
  uint64_t signatures = 0;
  uint64_t made = 0;  // seconds since 1970
};
// Nothing when it is no such head; whatever the bytes are.
std::optional<DatabaseHead> parse_database_head(std::string_view bytes);

struct SignatureFile {
  std::string name;
  std::optional<DatabaseHead> head;  // the operator's own files have none
  uint64_t changed = 0;              // of the file, seconds since 1970
};

// Files of the kinds that libclamav reads most, by name; at most 1000. A file that cannot be read is a
// failure.
Result<std::vector<SignatureFile>> signature_files(const std::string& directory);

// The one whose age counts: the newest with a head, for main.cvd may be years old beside daily.cvd; the
// youngest where none has one. Nothing when there is no file.
const SignatureFile* newest_of(const std::vector<SignatureFile>& files);
uint64_t made_or_changed(const SignatureFile& file);

}  // namespace postern
