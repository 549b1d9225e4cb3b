// Quotas of Maildirs as Maildir++ has them: the file maildirsize holds the limits on its first line and then,
// a line each, what came and went ("BYTES MESSAGES"), so that a delivery appends one line and reads a few.
// Other programs (Dovecot, Courier, deliverquota) keep the same file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/result.h"

namespace postern {

struct Quota {
  uint64_t bytes = 0;     // 0: no limit
  uint64_t messages = 0;  // 0: no limit
  [[nodiscard]] bool limits() const { return bytes != 0 || messages != 0; }
  bool operator==(const Quota&) const = default;
};

// "50M,1000C": parts between commas, a number and its unit: S or none (bytes), K, M, G (of 1024), C
// (messages). Nothing when it is not that, or limits nothing.
std::optional<Quota> parse_quota(std::string_view text);
// As it stands in maildirsize: "52428800S,1000C".
std::string quota_text(const Quota& quota);

struct Usage {
  int64_t bytes = 0;
  int64_t messages = 0;
};
// Would one more message of this size be too much?
bool exceeds(const Quota& quota, const Usage& usage, uint64_t message_bytes);

struct CountedUsage {
  Usage usage;
  size_t lines = 0;  // that were added up
};
// What a maildirsize file says. Nothing when it is of another quota, too long to go on with, broken, or adds
// up to less than nothing: then it must be counted anew.
constexpr size_t kMaildirSizeLimitBytes = 5120;
std::optional<CountedUsage> parse_maildirsize(std::string_view text, const Quota& quota);

// What a message counts for, by its name in cur/ or new/: the bytes after ",S=", nothing when they are not in
// the name. Trashed messages (flag T) do not count.
std::optional<uint64_t> size_in_name(std::string_view name);
bool is_trashed(std::string_view name);

// Is there room for one more message? Reads maildirsize, or counts all messages and writes it anew when it is
// missing, unusable, or says "full" and may be out of date.
Result<bool> has_room(const std::string& maildir, const Quota& quota, uint64_t message_bytes);

// Adds a message that has been delivered to maildirsize. A failure costs accuracy only.
Result<void> count_delivery(const std::string& maildir, uint64_t message_bytes);

}  // namespace postern
