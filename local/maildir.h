// Delivery into a Maildir: one file a message, no locks. The file is written under tmp/, synced, moved to
// new/, and the directory is synced; only then is the message delivered.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/result.h"

namespace postern {

// A name that no other delivery uses: SECONDS.MmicrosecondsPpidQcount.host, with '/' and ':' of the host
// written as \057 and \072 because neither may stand in a Maildir's file name.
std::string maildir_name(uint64_t microseconds_since_1970, int64_t pid, uint64_t count,
                         std::string_view host);

// Whether the name has ",S=BYTES" at its end, by which Maildir++ counts a message without looking at the
// file.
enum class SizeInName { no, yes };

// Writes `first_lines` and then the message (a file, read from offset 0) into `maildir`. Returns the path
// under new/. A failure leaves nothing behind and is temporary.
Result<std::string> deliver_to_maildir(const std::string& maildir, std::string_view first_lines, int message,
                                       SizeInName size = SizeInName::no);

}  // namespace postern
