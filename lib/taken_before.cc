#include "lib/taken_before.h"

#include "lib/queue_file.h"

namespace postern {

Result<bool> taken_before(const Spool& spool, uint64_t mid, const Environment& request) {
  const std::optional<std::string_view> icid = request.get("POSTERN_ICID");
  if (mid == 0 || !icid || !request.get("POSTERN_DEFERRED")) return false;
  Result<Fd> file = spool.open(mid);
  if (!file && file.failure().permanent()) return false;
  if (!file) return file.failure();
  Result<QueuedMessage> queued = read_queue_file(file->get());
  if (!queued) return queued.failure();
  if (queued->kept.get("POSTERN_ICID") != icid) return false;
  // The earlier taker may have ended between its rename and its fsync of the directory.
  for (const char* place : {"new", "cur"}) {
    const std::string path = spool.path(place, mid);
    if (Result<void> synced = fsync_directory(path.substr(0, path.rfind('/'))); !synced)
      return synced.failure();
  }
  return true;
}

}  // namespace postern
