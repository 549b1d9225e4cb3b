#include "queue/sender_tags.h"

#include "lib/control.h"
#include "lib/destinations.h"
#include "lib/log.h"
#include "lib/watched_file.h"

namespace postern {

struct SenderTags::Table {
  WatchedFile file{home_path("control/destinations")};
  Destinations destinations;
};

SenderTags::SenderTags() : table_(std::make_unique<Table>()) {}
SenderTags::~SenderTags() = default;

// A table that is broken changes nothing: what it said before holds.
bool SenderTags::wanted(std::string_view domain) const {
  if (table_->file.changed()) {
    Result<Destinations> read = Destinations::read();
    if (read) {
      table_->destinations = std::move(*read);
    } else {
      log_warning("read the destinations again, keeping the old ones", read.failure());
    }
  }
  return table_->destinations.of(domain).bounce_validation;
}

}  // namespace postern
