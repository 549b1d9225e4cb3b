// Which destinations get tagged senders: bounce_validation of control/destinations, read again when the file
// has changed.
#pragma once

#include <memory>
#include <string_view>

namespace postern {

class SenderTags {
 public:
  SenderTags();
  ~SenderTags();
  [[nodiscard]] bool wanted(std::string_view domain) const;

 private:
  struct Table;
  std::unique_ptr<Table> table_;
};

}  // namespace postern
