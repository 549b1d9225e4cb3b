// What we have seen of each address ourselves, and the last word of the lists on it: one file of a fixed
// size, mapped into all workers of postern-repd. The kernel keeps it when they end. Loss of power may cost
// what it had not written yet, about half a minute.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "lib/fd.h"
#include "lib/ip_bytes.h"
#include "lib/result.h"

namespace postern {

// Numbers of messages and recipients, each worth half after each half-life.
struct Experience {
  double accepted = 0;
  double spam = 0;
  double virus = 0;
  double unknown = 0;
};

struct ListAnswer {
  std::optional<int> score;  // tenths; nothing: no list knows the address
  bool operator==(const ListAnswer&) const = default;
};

class ReputationHistory {
 public:
  // An unknown or broken file is replaced where `make` allows it; else that is a failure, as is a missing
  // one.
  static Result<ReputationHistory> open(const std::string& path, bool make);
  ReputationHistory(ReputationHistory&& other) noexcept;
  ReputationHistory& operator=(ReputationHistory&&) = delete;
  ~ReputationHistory();

  [[nodiscard]] Experience experience(const IpBytes& address, uint64_t now_seconds,
                                      uint64_t half_life_seconds) const;
  void note(const IpBytes& address, const Experience& more, uint64_t now_seconds, uint64_t half_life_seconds);

  // What the lists said under the same settings (`mark`), where it is kept still.
  [[nodiscard]] std::optional<ListAnswer> list_answer(const IpBytes& address, uint64_t now_seconds,
                                                      uint32_t mark) const;
  void keep_list_answer(const IpBytes& address, const ListAnswer& answer, uint64_t now_seconds,
                        uint64_t for_seconds, uint32_t mark);

 private:
  struct Entry;
  class Locked;

  ReputationHistory(Fd file, void* map) : file_(std::move(file)), map_(map) {}
  static Experience as_of(const Entry& entry, uint64_t now_seconds, uint64_t half_life_seconds);
  [[nodiscard]] Entry* set_of(const IpBytes& key) const;
  [[nodiscard]] Entry* find(const IpBytes& key) const;
  [[nodiscard]] Entry& find_or_make(const IpBytes& key, uint64_t now_seconds) const;

  Fd file_;
  void* map_ = nullptr;
};

// Tenths; nothing while there is too little to judge by.
std::optional<int> score_of(const Experience& experience);

}  // namespace postern
