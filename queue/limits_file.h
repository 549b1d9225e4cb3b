// queue/limits: the recipients that are counted against the limits of control/destinations, so that they
// count in the next process too. Lines:
//
//   postern-limits 1 BOOT      BOOT the kernel's boot id; times are milliseconds since that boot
//   + COUNT SITE               given out; written before the job goes
//   - COUNT TIME SITE          of these, ended; TIME is rounded up as RecipientWindow has it
//   x COUNT SITE               of these, never named to a server
//   .                          the process has ended in order: nothing is missing above
//
// SITE is xtext. Appended, rewritten now and then, synced only at the end: SIGKILL loses nothing; after a
// power failure, which may, every site counts as full from that moment on.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "lib/fd.h"
#include "lib/result.h"
#include "queue/recipient_window.h"

namespace postern {

using RecipientWindows = std::map<std::string, const RecipientWindow*>;

class LimitsFile {
 public:
  explicit LimitsFile(const std::string& directory) : path_(directory + "/limits") {}

  struct Left {
    std::map<std::string, RecipientWindow> windows;  // out(): in jobs of which no end is known
    int64_t full_since =
        -1;  // the counts are not all there: every limit counts as reached then; -1: they are
  };
  // What an earlier process left. A file that is missing is an empty one.
  [[nodiscard]] Left read(int64_t now) const;
  // Written anew as a whole; `ended`: for the last time, in order.
  Result<void> rewrite(const RecipientWindows& windows, bool ended);
  // False: it could not be noted (logged once), so it must not be given out.
  bool note_out(const std::string& site, size_t recipients);
  void note_end(const std::string& site, size_t recipients, int64_t when);
  void note_back(const std::string& site, size_t recipients);
  // Nothing can be noted, so nothing may be given out, until it is written anew.
  [[nodiscard]] bool broken() const { return !file_ || said_; }
  // It has grown, or a line could not be written: write it anew.
  [[nodiscard]] bool wants_rewrite() const { return broken() || bytes_ > kLongBytes; }

 private:
  static constexpr size_t kLongBytes = 256 * 1024;
  bool append(const std::string& line);
  std::string path_;
  Fd file_;
  size_t bytes_ = 0;
  bool said_ = false;
};

}  // namespace postern
