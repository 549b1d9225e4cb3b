#include "scanq/direction.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;

namespace {

// The groups in words: "in:a@x,b@y out:c@z".
std::string groups(const std::vector<std::string>& recipients, const Environment& environment) {
  Envelope envelope;
  for (const std::string& address : recipients) envelope.recipients.push_back({address, "", ""});
  std::string text;
  for (const DirectedRecipients& group :
       split_by_direction(envelope, environment, {"ours.example", ".below.example"})) {
    text.append(text.empty() ? "" : " ").append(group.direction).append(":");
    for (const Recipient& recipient : group.recipients) text.append(recipient.address).append(",");
    text.pop_back();
  }
  return text;
}

}  // namespace

TEST_CASE("direction follows from who sends and whose the recipients are") {
  Environment stranger;
  Environment relay;
  relay.set("RELAYCLIENT", "");
  Environment authenticated;
  authenticated.set("POSTERN_AUTH", "user");
  Environment empty_authentication;
  empty_authentication.set("POSTERN_AUTH", "");
  struct Row {
    std::vector<std::string> recipients;
    const Environment& environment;
    std::string groups;
  };
  const Row rows[] = {
      {{"a@ours.example"}, stranger, "in:a@ours.example"},
      {{"a@OURS.Example"}, stranger, "in:a@OURS.Example"},
      {{"a@x.below.example"}, stranger, "in:a@x.below.example"},
      {{"a@below.example"}, stranger, "out:a@below.example"},
      {{"a@far.example"}, stranger, "out:a@far.example"},
      {{"a@ours.example"}, relay, "local:a@ours.example"},
      {{"a@ours.example"}, authenticated, "local:a@ours.example"},
      {{"a@ours.example"}, empty_authentication, "in:a@ours.example"},
      {{"a@far.example"}, relay, "out:a@far.example"},
      {{"postmaster"}, stranger, "in:postmaster"},
      {{""}, stranger, "in:"},
      {{"a@"}, stranger, "in:a@"},
      {{"a@ours.example@far.example"}, stranger, "out:a@ours.example@far.example"},
      {{"a@ours.example.far.example"}, stranger, "out:a@ours.example.far.example"},
      {{"a@far.example", "b@ours.example", "c@far.example", "d@ours.example"},
       relay,
       "out:a@far.example,c@far.example local:b@ours.example,d@ours.example"},
      {{}, stranger, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.groups);
    if (row.recipients == std::vector<std::string>{""}) {
      Envelope envelope;
      envelope.recipients.push_back({"", "", ""});
      CHECK(split_by_direction(envelope, row.environment, {"ours.example"})[0].direction == "in");
      continue;
    }
    CHECK(groups(row.recipients, row.environment) == row.groups);
  }
}

TEST_CASE("a direction that came with the message holds for all, but only one that exists") {
  for (const char* given : {"in", "out", "local"}) {
    Environment environment;
    environment.set("POSTERN_DIRECTION", given);
    CHECK(groups({"a@ours.example", "b@far.example"}, environment) ==
          std::string(given) + ":a@ours.example,b@far.example");
  }
  for (const char* odd : {"", "IN", "inbound", "in "}) {
    CAPTURE(odd);
    Environment environment;
    environment.set("POSTERN_DIRECTION", odd);
    CHECK(groups({"a@ours.example", "b@far.example"}, environment) == "in:a@ours.example out:b@far.example");
  }
}
