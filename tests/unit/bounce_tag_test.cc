#include "receipt/bounce_tag.h"

#include <doctest/doctest.h>

#include <vector>

using namespace postern;

namespace {

const std::string kTagged = "prvs=0786aabbcc=bob@example.com";
const std::string kCisco = "prvs=bob=123ABCDEFG@example.com";

struct Signq {
  std::string answer;  // a state; empty: nobody is there
  std::vector<std::string> asked{};

  AskProgram ask() {
    return [this](std::string_view program, const Request& request, int64_t) -> Result<Reply> {
      CHECK(program == "@signq");
      REQUIRE(request.arguments.size() == 2);
      CHECK(request.arguments[0] == "check");
      asked.push_back(request.arguments[1]);
      if (answer.empty()) return temporary("nobody is there");
      return Reply{.exit_code = 0, .output = answer + "\tbob@example.com\n"};
    };
  }
};

struct Row {
  BounceTags action;
  bool untagged_valid;
  const char* answer;  // of signq
  std::string recipient;
  const char* code;  // empty: it passes
  const char* mark;
  bool replies_valid = false;
};

}  // namespace

TEST_CASE("bounces are held to their tag as the policy says") {
  using enum BounceTags;
  const std::string plain = "bob@example.com";
  const Row rows[] = {
      {reject, false, "valid", kTagged, "", ""},
      {reject, false, "expired", kTagged, "550", ""},
      {reject, false, "forged", kTagged, "550", ""},
      {reject, false, "forged", kCisco, "550", ""},
      {reject, false, "untagged", plain, "550", ""},
      {reject, false, "", kTagged, "451", ""},
      {reject, false, "", plain, "451", ""},
      {reject, true, "untagged", plain, "", ""},
      {reject, true, "forged", kTagged, "550", ""},
      {reject, true, "expired", kTagged, "550", ""},
      {reject, false, "untagged", plain, "", "untagged", true},
      {reject, false, "forged", kTagged, "550", "", true},
      {reject, false, "expired", kTagged, "550", "", true},
      {header, false, "valid", kTagged, "", ""},
      {header, false, "expired", kTagged, "", "expired"},
      {header, false, "forged", kTagged, "", "forged"},
      {header, false, "", kTagged, "", "unchecked"},
      {header, false, "untagged", plain, "", "untagged"},
      {header, false, "untagged", plain, "", "untagged", true},
      {header, true, "untagged", plain, "", ""},
      // Without keys nothing of ours is tagged.
      {header, false, "keyless", plain, "", ""},
      {reject, false, "keyless", plain, "", ""},
      {reject, false, "keyless", kTagged, "", ""},
      {off, false, "forged", kTagged, "", ""},
      {off, false, "", kTagged, "", ""},
      {off, false, "", plain, "", ""},
      {reject, false, "untagged", "Postmaster@example.com", "", ""},
      {reject, false, "forged", "prvs=0786aabbcc=postmaster@example.com", "", ""},
  };
  for (const Row& row : rows) {
    const std::string_view answer = row.answer;
    CAPTURE(static_cast<int>(row.action));
    CAPTURE(row.untagged_valid);
    CAPTURE(answer);
    CAPTURE(row.recipient);
    Signq signq{.answer = row.answer};
    MailFlowPolicy policy;
    policy.bounce_tags = row.action;
    policy.untagged_bounces_valid = row.untagged_valid;
    policy.untagged_replies_valid = row.replies_valid;
    BounceVerification verification(policy, false, signq.ask());
    std::string address = row.recipient;
    const Decision decision = verification.verify(address, "");
    CHECK(decision.reply.code == row.code);
    CHECK(decision.passes() == std::string_view(row.code).empty());
    CHECK(verification.mark() == row.mark);
    CHECK(verification.must_be_reply() == (row.replies_valid && row.action == reject && decision.passes()));
    // Where nobody is held to a tag, nobody is asked.
    const bool tagged = row.recipient.starts_with("prvs=");
    CHECK(signq.asked.size() == (row.action != off && (tagged || !row.untagged_valid) ? 1 : 0));
    if (decision.passes()) CHECK(address.find("prvs=") == std::string::npos);
    if (!decision.passes()) CHECK_FALSE(decision.why.empty());
  }
}

TEST_CASE("other mail to a tagged recipient reaches it whatever the tag is, and nobody is asked") {
  Signq signq{.answer = ""};
  MailFlowPolicy policy;
  policy.bounce_tags = BounceTags::reject;
  for (const std::string& recipient : {kTagged, kCisco}) {
    BounceVerification verification(policy, false, signq.ask());
    std::string address = recipient;
    CHECK(verification.verify(address, "s@client.example").passes());
    CHECK(address == "bob@example.com");
    CHECK(verification.mark().empty());
  }
  CHECK(signq.asked.empty());
}

TEST_CASE("clients that relay are not held to tags, and strangers' tags are theirs") {
  MailFlowPolicy policy;
  policy.bounce_tags = BounceTags::reject;
  for (const char* sender : {"", "s@client.example"}) {
    for (const char* answer : {"valid", "expired", "forged", ""}) {
      const std::string state = answer;
      CAPTURE(sender);
      CAPTURE(state);
      Signq signq{.answer = state};
      BounceVerification verification(policy, true, signq.ask());
      std::string address = kTagged;
      CHECK(verification.verify(address, sender).passes());
      CHECK(verification.mark().empty());
      // The tag of others is a part of the address.
      CHECK(address == (state == "valid" || state == "expired" ? "bob@example.com" : kTagged));
      address = "bob@example.com";
      CHECK(verification.verify(address, sender).passes());
    }
  }
}

TEST_CASE("an answer that is none is a temporary failure") {
  for (const char* bad : {"", "valid", "valid\n", "valid\t\n", "good\tbob@example.com\n",
                          "valid\tbob@example.com", "valid\ta\nb\n"}) {
    const std::string output = bad;
    CAPTURE(output);
    const Result<TagAnswer> answer = parse_tag_answer(output);
    CHECK_FALSE(answer.ok());
    if (!answer) CHECK_FALSE(answer.failure().permanent());
  }
  CHECK_FALSE(parse_tag_answer("valid\t" + std::string(2000, 'a') + "\n").ok());
  const Result<TagAnswer> answer = parse_tag_answer("expired\tbob@example.com\n");
  REQUIRE(answer.ok());
  CHECK(answer->state == TagState::expired);
  CHECK(answer->address == "bob@example.com");
}
