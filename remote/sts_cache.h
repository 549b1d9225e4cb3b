// db/sts/: what is known of the MTA-STS policies of domains, a file each (sts_answer.h). postern-stsd's
// workers write it, by rename; remote reads it where stsd does not answer. It may be lost: nothing is synced.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/result.h"
#include "remote/sts_answer.h"

namespace postern {

constexpr uint64_t kStsCacheDomains = 20000;

class StsCache {
 public:
  explicit StsCache(std::string directory, uint64_t most_domains = kStsCacheDomains)
      : directory_(std::move(directory)), most_domains_(most_domains) {}

  // What the file says; nothing when it is missing or cannot be read.
  [[nodiscard]] std::optional<StsEntry> find(std::string_view domain) const;
  // Where there are too many (`now`: seconds since 1970), those go first that hold no policy: failures, and
  // what has ended; then those of a parent domain (two labels) that has more than a tenth of all; then the
  // rest. Of each, those that nobody has asked for longest.
  [[nodiscard]] Result<void> put(const StsEntry& entry, uint64_t now) const;
  // Somebody has asked for it.
  void touch(std::string_view domain) const;

  [[nodiscard]] bool writable() const;

 private:
  [[nodiscard]] std::string path(std::string_view domain) const {
    return directory_ + "/" + std::string(domain);
  }
  void make_room(uint64_t now) const;

  std::string directory_;
  uint64_t most_domains_;
};

}  // namespace postern
