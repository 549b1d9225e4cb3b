// What the workers of postern-ldapq share, in memory that is mapped before they are forked: the answers that
// are kept, and which servers do not answer at present. It goes when the last of them has ended.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lib/result.h"

namespace postern {

class SharedState {
 public:
  // `entries` answers at 1 KiB each; 0 keeps none.
  static Result<SharedState> make(size_t entries);

  // Times are those of now_milliseconds(). Keys are compared whole, so no address is taken for another one.
  [[nodiscard]] std::optional<std::string> find(std::string_view key, int64_t now) const;
  // An answer that does not fit into its place is not kept. What ends soonest makes room.
  void keep(std::string_view key, std::string_view value, int64_t until) const;

  // May this server be asked? After a failure nobody asks it for a while, then one worker alone (`probe`),
  // for `probe_milliseconds`, while the others still go on without it.
  enum class May { no, yes, probe };
  [[nodiscard]] May may_try(std::string_view uri, int64_t now, int64_t probe_milliseconds) const;
  // How long it is still left alone, milliseconds; 0: it is not.
  [[nodiscard]] int64_t left_alone(std::string_view uri, int64_t now) const;
  // Both say whether that is news. Each failed probe doubles the time up to five minutes.
  [[nodiscard]] bool came_up(std::string_view uri) const;
  [[nodiscard]] bool went_down(std::string_view uri, int64_t now, unsigned retry_seconds, bool probe) const;

 private:
  struct Block;
  struct Unmap {
    void operator()(Block* block) const;
  };
  std::unique_ptr<Block, Unmap> block_;
};

}  // namespace postern
