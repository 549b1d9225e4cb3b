#include "queue/selection.h"

#include <doctest/doctest.h>

#include <string>

#include "lib/text.h"
#include "scratch.h"

using namespace postern;
using namespace std::string_literals;

namespace {

uint64_t put(const Spool& spool, uint64_t mid, const std::string& sender,
             const std::vector<std::string>& recipients) {
  Result<Fd> message = memory_file_with("message", "Subject: x\n\n");
  REQUIRE(message.ok());
  Envelope envelope;
  envelope.sender = sender;
  for (const std::string& recipient : recipients) envelope.recipients.push_back({recipient, "", ""});
  Result<StagedMessage> staged = spool.stage(
      {.message = message->get(), .limit_bytes = 100, .first_header = {}, .envelope = envelope, .kept = {}},
      mid);
  REQUIRE(staged.ok());
  Result<uint64_t> committed = spool.commit(std::move(*staged));
  REQUIRE(committed.ok());
  return *committed;
}

Selection select(std::vector<std::string> arguments) {
  Selection selection;
  while (!arguments.empty()) {
    Result<bool> taken = take_selector(arguments, selection);
    REQUIRE(taken.ok());
    REQUIRE(*taken);
  }
  return selection;
}

// "MID:RID,RID MID:..." of what is selected.
std::string found(const Spool& spool, const Selection& selection) {
  std::string text;
  Result<bool> whole = each_selected(spool, selection, "me.example", [&](const QueueEntry& entry) {
    text += (text.empty() ? "" : " ") + std::to_string(entry.mid) + ":";
    for (const size_t rid : entry.selected) text += (text.back() == ':' ? "" : ",") + std::to_string(rid);
    return true;
  });
  REQUIRE(whole.ok());
  CHECK(*whole);
  return text;
}

}  // namespace

TEST_CASE("flags, the spool and selectors come in any order, and the usage names the flags") {
  bool sites = false;
  bool json = false;
  const std::vector<Flag> flags = {{"--sites", &sites}, {"--json", &json}};
  Result<Shown> shown = parse_shown("show", flags, {"--mid", "7", "--json", "--spool", "/q", "--all"});
  REQUIRE(shown.ok());
  CHECK(shown->directory == "/q");
  CHECK(shown->selection.mids == std::vector<uint64_t>{7});
  CHECK(shown->selection.all);
  CHECK(json);
  CHECK(!sites);
  CHECK(parse_shown("show", flags, {})->selection.empty());
  for (const std::vector<std::string>& wrong :
       {std::vector{"--spool"s}, {"--csv"s}, {"--json"s, "word"s}, {""s}}) {
    Result<Shown> refused = parse_shown("show", flags, wrong);
    REQUIRE(!refused.ok());
    CHECK(refused.failure().text.starts_with("usage: show [--sites] [--json] [--spool DIR] [SELECTOR...]; "));
  }
}

TEST_CASE("selectors without a value or with a wrong one are refused, other words are left") {
  Selection selection;
  for (const std::vector<std::string>& bad : std::vector<std::vector<std::string>>{{"--mid"},
                                                                                   {"--mid", "0"},
                                                                                   {"--mid", "x"},
                                                                                   {"--older", "soon"},
                                                                                   {"--newer", ""},
                                                                                   {"--site", ""},
                                                                                   {"--recipient", ""},
                                                                                   {"--sender"}}) {
    CAPTURE(bad[0]);
    std::vector<std::string> arguments = bad;
    CHECK_FALSE(take_selector(arguments, selection).ok());
  }
  CHECK(selection.empty());
  std::vector<std::string> arguments = {"--json", "--all"};
  Result<bool> taken = take_selector(arguments, selection);
  REQUIRE(taken.ok());
  CHECK_FALSE(*taken);
  CHECK(arguments.size() == 2);
  arguments.erase(arguments.begin());
  REQUIRE(take_selector(arguments, selection).ok());
  CHECK(arguments.empty());
  CHECK_FALSE(selection.empty());
}

TEST_CASE("messages are selected by number, recipients by address and site, whatever their letter case") {
  const Scratch scratch;
  const Spool spool(scratch.path("queue"));
  REQUIRE(spool.make_directories().ok());
  put(spool, 1, "a@x.example", {"bob@far.example", "carol@Near.example", "alice"});
  put(spool, 2, "", {"bob@far.example"});
  put(spool, 3, "\xff@x.example", {"dave@sub.far.example", "\xc3\xa9@far.example"});
  REQUIRE(spool.take(2).ok());
  const std::string all = "2:0 1:0,1,2 3:0,1";
  CHECK(found(spool, {}) == all);
  struct Row {
    std::vector<std::string> selectors;
    const char* expected;
  };
  const Row rows[] = {
      {{"--all"}, all.c_str()},
      {{"--mid", "1"}, "1:0,1,2"},
      {{"--mid", "1", "--mid", "3", "--mid", "3", "--mid", "77"}, "1:0,1,2 3:0,1"},
      {{"--sender", "A@X.example"}, "1:0,1,2"},
      {{"--sender", "<>"}, "2:0"},
      {{"--sender", ""}, "2:0"},
      {{"--sender", "@x.EXAMPLE"}, "1:0,1,2 3:0,1"},
      {{"--sender", "@"}, ""},
      {{"--sender", "*"}, all.c_str()},
      {{"--sender", "\xff@x.example"}, "3:0,1"},
      {{"--recipient", "bob@far.example"}, "2:0 1:0"},
      {{"--recipient", "BOB@FAR.EXAMPLE", "--sender", "<>"}, "2:0"},
      {{"--recipient", "bob"}, ""},
      {{"--recipient", "alice"}, "1:2"},
      {{"--recipient", "@far.example", "--recipient", "carol@near.example"}, "2:0 1:0,1 3:1"},
      {{"--site", "far.example"}, "2:0 1:0 3:1"},
      {{"--site", ".far.example"}, "3:0"},
      {{"--site", "ME.example"}, "1:2"},
      {{"--site", "*"}, all.c_str()},
      {{"--site", "near.example", "--recipient", "bob@far.example"}, ""},
      {{"--older", "0"}, all.c_str()},
      {{"--older", "1h"}, ""},
      {{"--newer", "1h"}, all.c_str()},
      {{"--newer", "1h", "--mid", "2"}, "2:0"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.selectors.front());
    CAPTURE(row.selectors.back());
    CHECK(found(spool, select(row.selectors)) == row.expected);
  }
}

TEST_CASE("what cannot be read is said, and the others are still given") {
  const Scratch scratch;
  const Spool spool(scratch.path("queue"));
  REQUIRE(spool.make_directories().ok());
  put(spool, 1, "a@x.example", {"bob@far.example"});
  scratch.write("queue/new/2/2", "no message");
  size_t given = 0;
  Result<bool> whole = each_selected(spool, {}, "me.example", [&](const QueueEntry&) { return ++given > 0; });
  REQUIRE(whole.ok());
  CHECK_FALSE(*whole);
  CHECK(given == 1);
  CHECK_FALSE(
      each_selected(Spool(scratch.path("none")), {}, "", [](const QueueEntry&) { return true; }).ok());
  CHECK_FALSE(
      each_selected(
          Spool(scratch.path("none")),
          {.mids = {}, .senders = {}, .recipients = {}, .sites = {}, .older = {}, .newer = {}, .all = true},
          "", [](const QueueEntry&) { return true; })
          .ok());
}
