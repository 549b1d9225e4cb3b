#include "queue/work_entry.h"

#include <unistd.h>

#include <cerrno>
#include <string>

#include "lib/control.h"
#include "lib/mid.h"
#include "lib/spool.h"

namespace postern {

std::optional<bool> work_entry_stands(std::string_view work) {
  const size_t slash = work.find('/');
  const std::string_view spool_name = work.substr(0, slash);
  if (slash == std::string_view::npos || (spool_name != "work" && spool_name != "sets")) return std::nullopt;
  const std::optional<uint64_t> mid = parse_mid(work.substr(slash + 1));
  if (!mid) return std::nullopt;
  const Spool spool(home_path(spool_name));
  // In the order in which an entry moves, so that one that is being taken over is not missed.
  for (const char* place : {"new", "cur"}) {
    if (::access(spool.path(place, *mid).c_str(), F_OK) == 0 || errno != ENOENT) return true;
  }
  return false;
}

bool waits_for_work_entry(const Environment& kept) {
  const std::optional<std::string_view> work = kept.get("POSTERN_WORK");
  return work && work_entry_stands(*work) == true;
}

}  // namespace postern
