// queue/sites: what postern-send knows of the sites that it has something to do with, for postern-qstat.
// Written anew as a whole when something has changed, at most every other second, and removed when send ends
// in order. A line for each site:
//
//   postern-sites 1 PID TIME
//   STATE RUNNING WAITING COUNTED NEXT SITE ERROR
//
// STATE up, slow, probing or away; RUNNING jobs out; WAITING jobs in line and messages parked; COUNTED
// recipients that count against its limit, "-" where it has none; NEXT and TIME seconds since 1970, NEXT 0
// unless it is away; SITE xtext; ERROR what it failed of last, printable, "-" for nothing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "lib/result.h"

namespace postern {

struct SiteStatus {
  std::string state;
  size_t running = 0;
  size_t waiting = 0;
  std::optional<size_t> counted;
  uint64_t next = 0;  // seconds since 1970
  std::string error;
};

struct SitesStatus {
  pid_t pid = 0;
  uint64_t time = 0;
  std::map<std::string, SiteStatus> sites;
};

class StatusFile {
 public:
  explicit StatusFile(const std::string& directory) : path_(directory + "/sites") {}
  Result<void> write(const SitesStatus& status) const;
  void remove() const;
  // Nothing: send does not run, or has not written it yet. Lines that are none of ours are passed over.
  [[nodiscard]] std::optional<SitesStatus> read() const;

 private:
  std::string path_;
};

std::string format_sites(const SitesStatus& status);
std::optional<SitesStatus> parse_sites(std::string_view text);

}  // namespace postern
