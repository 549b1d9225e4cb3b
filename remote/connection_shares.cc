#include "remote/connection_shares.h"

#include <signal.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>

namespace postern {

// Entry 0 holds the turns; twice as many, for workers that end while others take their places.
ConnectionShares::ConnectionShares(size_t workers) : entries_(2 * workers + 1) {}

bool ConnectionShares::take(std::string_view server, uint32_t most) {
  const uint64_t hash = ::XXH3_64bits(server.data(), server.size());
  const pid_t own = ::getpid();
  bool taken = false;
  entries_.with([&](Entry* entries) {
    Entry* free = nullptr;
    uint32_t held = 0;
    for (size_t i = 1; i < entries_.size(); ++i) {
      Entry& entry = entries[i];
      const bool gone = entry.pid != 0 && ::kill(entry.pid, 0) < 0 && errno == ESRCH;
      if (gone || entry.pid == own) entry = Entry{};
      if (entry.pid == 0 && free == nullptr) free = &entry;
      if (entry.pid != 0 && entry.server == hash) ++held;
    }
    taken = held < most;
    if (taken && free != nullptr)
      *free = Entry{.server = hash, .pid = own, .wanted = 0, .turn = 0, .padding = 0};
    if (taken) return;
    for (size_t i = 1; i < entries_.size(); ++i)
      if (entries[i].pid != 0 && entries[i].server == hash) entries[i].wanted = 1;
  });
  return taken || entries_.size() == 0;
}

void ConnectionShares::give_back() {
  const pid_t own = ::getpid();
  entries_.with([&](Entry* entries) {
    for (size_t i = 1; i < entries_.size(); ++i)
      if (entries[i].pid == own) entries[i] = Entry{};
  });
}

bool ConnectionShares::is_wanted() {
  const pid_t own = ::getpid();
  bool wanted = false;
  entries_.with([&](const Entry* entries) {
    for (size_t i = 1; i < entries_.size(); ++i)
      wanted = wanted || (entries[i].pid == own && entries[i].wanted != 0);
  });
  return wanted;
}

uint32_t ConnectionShares::next_turn() {
  uint32_t turn = 0;
  entries_.with([&](Entry* entries) { turn = entries[0].turn++; });
  return turn;
}

}  // namespace postern
