// control/destinations, read again when it has changed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/destinations.h"

namespace postern {

class DestinationFile {
 public:
  explicit DestinationFile(std::string path) : path_(std::move(path)) {}
  // While any line is wrong that is a (temporary) failure for all: what a line was to forbid must not go.
  Result<Destination> find(std::string_view domain);

 private:
  std::string path_;
  Destinations table_;
  bool loaded_ = false;
  int64_t changed_nanoseconds_ = 0;
  int64_t size_bytes_ = 0;
};

}  // namespace postern
