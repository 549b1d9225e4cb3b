// Which sites still have jobs out that an earlier process gave out: a worker of rspawn goes on with its job
// when send is killed, and its connection counts against the site's limit.
//
// With a job goes a descriptor of queue/leases whose open file description holds a read lock on the byte that
// stands for the site (fcntl(2), open file description locks): it goes when the last copy is closed, which is
// the worker's. Only for sites whose limit is below what there are places for.
#pragma once

#include <string>

#include "lib/fd.h"
#include "lib/result.h"

namespace postern {

class Leases {
 public:
  explicit Leases(const std::string& directory) : path_(directory + "/leases") {}

  // The descriptor that goes with a job of the site.
  [[nodiscard]] Result<Fd> take(const std::string& site);
  // Has a job of the site, of whatever process, not ended yet? When that cannot be known: no.
  [[nodiscard]] bool taken(const std::string& site);
  // The same of any site at all.
  [[nodiscard]] bool any_taken();

 private:
  [[nodiscard]] bool locked(long long first, long long bytes);
  std::string path_;
  Fd file_;
};

}  // namespace postern
