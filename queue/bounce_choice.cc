#include "queue/bounce_choice.h"

#include <optional>

#include "lib/text.h"

namespace postern {

namespace {

std::string_view named_by(const QueuedMessage& message) {
  return message.kept.get("POSTERN_BOUNCE_PROFILE").value_or(std::string_view());
}

}  // namespace

const BounceProfile& BounceChoice::of(const QueuedMessage& message, size_t rid) const {
  const std::string domain = domain_of(message.envelope.recipients.at(rid).address);
  for (const std::string_view name :
       {std::string_view(destinations.of(domain).bounce_profile), named_by(message)}) {
    if (name.empty()) continue;
    if (const BounceProfile* const profile = profiles.find(name); profile != nullptr) return *profile;
  }
  return profiles.standard();
}

std::vector<std::string> BounceChoice::unknown_of_destinations() const {
  std::vector<std::string> names = destinations.bounce_profiles();
  std::erase_if(names, [&](const std::string& name) { return profiles.find(name) != nullptr; });
  return names;
}

std::string_view BounceChoice::unknown_name(const QueuedMessage& message) const {
  const std::string_view name = named_by(message);
  return name.empty() || profiles.find(name) != nullptr ? std::string_view() : name;
}

RetryProfile retry_of(const BounceProfile& profile) {
  return {.first_wait = profile.initial_retry,
          .longest_wait = profile.max_retry_timeout,
          .lifetime = profile.max_queue_lifetime};
}

}  // namespace postern
