// Looks through one spool directory for damage: what may stand where, and whether each message is whole.
// Works on the disk as it is, step after step, so that a repair of one step is what the next one sees.
// Nothing that may hold mail is deleted: it goes to damaged/ inside the spool.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "lib/spool.h"
#include "queue/findings.h"

namespace postern {

// Two of its places at least are there and divided into parts. A Maildir or a home has directories of such
// names too, and must not be taken apart.
bool looks_like_spool(const std::string& directory);

class SpoolCheck {
 public:
  SpoolCheck(const std::string& directory, Findings& findings) : spool_(directory), findings_(findings) {}
  void run();

 private:
  struct Entry {
    std::string path;
    std::string place;  // tmp, new, cur, defer
    std::string part;   // empty: it stands in the place itself
    std::string name;
  };
  void check_top();
  void check_directories();
  void check_directory(const std::string& path);
  void check_place(const std::string& place);
  void check_file(const Entry& entry);
  void check_name(const Entry& entry);
  void check_messages(const std::string& place);
  void check_message(const std::string& place, uint64_t mid);
  void check_twice();
  void check_deferred();
  void drop_empty_parts(const std::string& place);

  void mend_mode(const std::string& path, mode_t is, mode_t wanted);
  void aside(const Entry& entry, std::string_view what);
  [[nodiscard]] Result<void> move_aside(const Entry& entry) const;
  [[nodiscard]] Entry entry_of(const std::string& place, uint64_t mid) const;
  std::vector<uint64_t> mids_of(std::string_view place);

  Spool spool_;
  Findings& findings_;
};

}  // namespace postern
