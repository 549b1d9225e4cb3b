#include "queue/work_entry.h"

#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>

#include "lib/control.h"
#include "lib/mid.h"
#include "lib/spool.h"

namespace postern {

namespace {

struct Entry {
  std::string_view spool;
  uint64_t mid;
};

std::optional<Entry> parse_entry(std::string_view work) {
  const size_t slash = work.find('/');
  const std::string_view spool = work.substr(0, slash);
  if (slash == std::string_view::npos || (spool != "work" && spool != "sets")) return std::nullopt;
  const std::optional<uint64_t> mid = parse_mid(work.substr(slash + 1));
  if (!mid) return std::nullopt;
  return Entry{spool, *mid};
}

}  // namespace

bool is_work_entry(std::string_view work) {
  return parse_entry(work).has_value();
}

bool work_entry_stands(std::string_view work) {
  const std::optional<Entry> entry = parse_entry(work);
  if (!entry) return false;
  const Spool spool(home_path(entry->spool));
  // In the order in which an entry moves, so that one that is being taken over is not missed.
  for (const char* place : {"new", "cur"}) {
    if (::access(spool.path(place, entry->mid).c_str(), F_OK) == 0 || errno != ENOENT) return true;
  }
  return false;
}

bool waits_for_work_entry(const Environment& kept) {
  const std::optional<std::string_view> work = kept.get("POSTERN_WORK");
  return work && work_entry_stands(*work);
}

}  // namespace postern
