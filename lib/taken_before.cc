#include "lib/taken_before.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "lib/queue_file.h"

namespace postern {

namespace {

bool has_all(const Envelope& whole, const Envelope& wanted) {
  std::set<std::string_view> addresses;
  for (const Recipient& recipient : whole.recipients) addresses.insert(recipient.address);
  return std::all_of(wanted.recipients.begin(), wanted.recipients.end(),
                     [&](const Recipient& recipient) { return addresses.contains(recipient.address); });
}

bool same(const Environment& kept, const Environment& request, std::string_view name) {
  const std::optional<std::string_view> value = request.get(name);
  return value && kept.get(name) == value;
}

}  // namespace

Result<bool> taken_before(const Spool& spool, uint64_t mid, const Environment& request,
                          const Envelope& envelope) {
  if (mid == 0 || !request.get("POSTERN_DEFERRED")) return false;
  if (!request.get("POSTERN_WORK") && !request.get("POSTERN_ICID")) return false;
  Result<Fd> file = spool.open(mid);
  if (!file && file.failure().permanent()) return false;
  if (!file) return file.failure();
  Result<QueuedMessage> queued = read_queue_file(file->get());
  if (!queued) return queued.failure();
  if (!same(queued->kept, request, "POSTERN_WORK") && !same(queued->kept, request, "POSTERN_ICID"))
    return false;
  if (queued->envelope.sender != envelope.sender || !has_all(queued->envelope, envelope)) return false;
  // The earlier taker may have ended between its rename and its fsync of the directory.
  for (const char* place : {"new", "cur"}) {
    const std::string path = spool.path(place, mid);
    if (Result<void> synced = fsync_directory(path.substr(0, path.rfind('/'))); !synced)
      return synced.failure();
  }
  return true;
}

}  // namespace postern
