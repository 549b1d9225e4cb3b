#include "queue/bounce_choice.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace postern;

namespace {

BounceChoice choice_of(std::string_view profiles, std::string_view destinations) {
  Result<BounceProfiles> parsed = BounceProfiles::parse(profiles, "p");
  Result<Destinations> table = Destinations::parse(destinations, "d");
  REQUIRE(parsed.ok());
  REQUIRE(table.ok());
  return {.profiles = std::move(*parsed), .destinations = std::move(*table)};
}

QueuedMessage message_to(const std::string& recipient, const std::string& profile) {
  QueuedMessage message;
  message.envelope.recipients.push_back({recipient, "", ""});
  if (!profile.empty()) message.kept.set("POSTERN_BOUNCE_PROFILE", profile);
  return message;
}

}  // namespace

TEST_CASE("the destination's profile wins over the message's, and one that there is not over none") {
  const BounceChoice choice =
      choice_of("fast\nslow\n", "far.example bounce_profile=Slow\n.far.example bounce_profile=gone\n");
  struct Row {
    const char* recipient;
    const char* named;
    const char* profile;
  };
  const Row rows[] = {
      {"a@other.example", "", "DEFAULT"},   {"a@other.example", "fast", "fast"},
      {"a@other.example", "FAST", "fast"},  {"a@other.example", "gone", "DEFAULT"},
      {"a@FAR.example", "fast", "slow"},    {"a@far.example", "", "slow"},
      {"a@sub.far.example", "", "DEFAULT"}, {"a@sub.far.example", "fast", "fast"},
      {"postmaster", "fast", "fast"},       {"", "", "DEFAULT"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.recipient);
    CAPTURE(row.named);
    CHECK(choice.of(message_to(row.recipient, row.named), 0).name == row.profile);
  }
  CHECK(choice.unknown_of_destinations() == std::vector<std::string>{"gone"});
  CHECK(choice.unknown_name(message_to("a@b", "lost")) == "lost");
  CHECK(choice.unknown_name(message_to("a@b", "DEFAULT")).empty());
  CHECK(choice.unknown_name(message_to("a@b", "")).empty());
}
