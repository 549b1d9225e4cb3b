// How many connections to a server all workers hold together. A worker holds one share at a time, and its
// share is free again when it has gone, however it went.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

#include "remote/shared_memory.h"

namespace postern {

class ConnectionShares {
 public:
  explicit ConnectionShares(size_t workers);
  // A share of `server` for this process, in the place of the one that it has. False: `most` are taken; who
  // holds one without need is told.
  bool take(std::string_view server, uint32_t most);
  void give_back();
  // Somebody waits for a connection to the server that we have a share of.
  [[nodiscard]] bool is_wanted();
  // A number that is one higher at each call, in whatever worker.
  uint32_t next_turn();

 private:
  struct Entry {
    uint64_t server;  // hash
    pid_t pid;        // 0: free
    uint32_t wanted;  // entry 0: unused
    uint32_t turn;    // entry 0 alone
    uint32_t padding;
  };
  SharedEntries<Entry> entries_;
};

}  // namespace postern
