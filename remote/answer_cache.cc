#include "remote/answer_cache.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

namespace postern {

AnswerCache::AnswerCache(const CallAheadProfiles& profiles)
    : regions_(regions_of(profiles)), entries_(size_of(regions_)) {}

std::map<std::string, AnswerCache::Region> AnswerCache::regions_of(const CallAheadProfiles& profiles) {
  std::map<std::string, Region> regions;
  size_t next = 0;
  for (const auto& [name, profile] : profiles.all()) {
    const size_t sets = (profile.cache_size + kSetSize - 1) / kSetSize;
    if (sets == 0) continue;
    regions.emplace(name, Region{next, sets});
    next += sets * kSetSize;
  }
  return regions;
}

size_t AnswerCache::size_of(const std::map<std::string, Region>& regions) {
  size_t size = 0;
  for (const auto& [name, region] : regions) size += region.sets * kSetSize;
  return size;
}

std::optional<AnswerCache::Place> AnswerCache::place_of(const std::string& profile,
                                                        std::string_view address) const {
  const auto region = regions_.find(profile);
  if (region == regions_.end() || entries_.size() == 0) return std::nullopt;
  std::string key = profile;
  key += '\0';
  key += address;
  const XXH128_hash_t hash = ::XXH3_128bits(key.data(), key.size());
  return Place{region->second.first + hash.low64 % region->second.sets * kSetSize, hash.high64, hash.low64};
}

std::optional<CallAheadAnswer> AnswerCache::find(const std::string& profile, std::string_view address,
                                                 int64_t now) {
  const std::optional<Place> place = place_of(profile, address);
  std::optional<CallAheadAnswer> answer;
  if (!place) return answer;
  entries_.with([&](const Entry* entries) {
    for (size_t i = place->set; i < place->set + kSetSize; ++i) {
      const Entry& entry = entries[i];
      if (entry.until <= now || entry.high != place->high || entry.low != place->low) continue;
      answer = CallAheadAnswer{
          .exit_code = entry.exit_code,
          .reply = std::string(entry.reply, std::min<size_t>(entry.reply_size, kReplyLimitBytes)),
          .why = "known for " + std::to_string((entry.until - now + 999) / 1000) + " s more"};
    }
  });
  return answer;
}

void AnswerCache::add(const std::string& profile, std::string_view address, const CallAheadAnswer& answer,
                      int64_t until) {
  const std::optional<Place> place = place_of(profile, address);
  if (!place) return;
  entries_.with([&](Entry* entries) {
    Entry* chosen = entries + place->set;
    for (size_t i = place->set; i < place->set + kSetSize; ++i) {
      const bool same = entries[i].high == place->high && entries[i].low == place->low;
      if (entries[i].until < chosen->until) chosen = entries + i;
      if (!same) continue;
      chosen = entries + i;
      break;
    }
    chosen->high = place->high;
    chosen->low = place->low;
    chosen->exit_code = static_cast<uint16_t>(answer.exit_code);
    chosen->reply_size = static_cast<uint16_t>(std::min(answer.reply.size(), kReplyLimitBytes));
    std::memcpy(chosen->reply, answer.reply.data(), chosen->reply_size);
    chosen->until = until;
  });
}

}  // namespace postern
