// How often each address has failed to authenticate, in memory that all workers share. One failure is
// forgotten in kForgetSeconds, so what counts is how much quicker than that they come.
#pragma once

#include <cstdint>
#include <string_view>

#include "auth/key.h"

namespace postern::auth {

class Failures {
 public:
  explicit Failures(const Key& key);
  ~Failures();
  Failures(const Failures&) = delete;
  Failures& operator=(const Failures&) = delete;

  // Failures that are not forgotten. An IPv6 address counts as its /64.
  [[nodiscard]] uint64_t of(std::string_view ip, uint64_t now_seconds) const;
  uint64_t add(std::string_view ip, uint64_t now_seconds);  // as many as are then

  static constexpr uint64_t kForgetSeconds = 60;
  static constexpr uint64_t kMostCounted = 1000;
  static constexpr size_t kSlots = 65536;  // 512 KiB
  static constexpr size_t kWays = 8;       // places that an address may take; the one soonest forgotten goes

 private:
  struct Place;
  [[nodiscard]] Place place_of(std::string_view ip) const;

  const Key& key_;
  void* memory_;
};

// Before the answer to the Nth failure.
uint64_t delay_milliseconds(uint64_t failures);

}  // namespace postern::auth
