#include "scanq/scan.h"

#include <doctest/doctest.h>

#include <string>

#include "lib/child.h"
#include "scratch.h"

using namespace postern;
using namespace std::string_literals;

namespace {

constexpr const char* kMessage = "Subject: x\n\nbody\n";

Part some_part() {
  Part part;
  part.mid = 17;
  part.message = memory_with(kMessage);
  REQUIRE(seal(part.message.get()).ok());
  part.envelope.sender = "a@example.org";
  part.envelope.recipients = {{"b@example.net", "", ""}};
  part.direction = "in";
  return part;
}

// One part through the stages, and what came of it.
Scanned scan_one(Part part, const std::vector<Stage>& stages, int64_t milliseconds = 20000) {
  std::vector<Part> parts;
  parts.push_back(std::move(part));
  return scan(std::move(parts), stages, now_milliseconds() + milliseconds);
}

std::vector<Stage> stages_of(const std::vector<std::string>& lines) {
  Result<std::vector<Stage>> stages = parse_stages(lines);
  REQUIRE(stages.ok());
  return *stages;
}

}  // namespace

TEST_CASE("stages run in order, see what earlier ones did, and end where one says so") {
  const ScratchHome home;
  const std::string first =
      "/bin/sh " +
      home.write("first", "printf 'tag\\tSEEN\\tyes\\nheader-add\\tX-First\\t1\\nskip\\tthird\\n'");
  const std::string second =
      "/bin/sh " + home.write("second",
                              "test \"$POSTERN_TAG_SEEN\" = yes || exit 1\n"
                              "test \"$(tr '\\0' '|' <&3)\" = 'Fa@example.org|Tb@example.net||' || exit 2\n"
                              "read line; test \"$line\" = 'X-First: 1' || exit 3\n"
                              "printf 'quarantine\\tPolicy\\tbecause\\nstop\\n'");
  const std::string never = "/bin/sh " + home.write("never", "printf 'drop\\tmust not run\\n'");
  const Scanned scanned =
      scan_one(some_part(), stages_of({"first " + first, "out " + never + " direction=out", "third " + never,
                                       "second " + second, "last " + never}));
  REQUIRE(scanned.parts.size() == 1);
  const Part& part = scanned.parts[0];
  CHECK(part.decision.fate == Fate::quarantine);
  REQUIRE(part.decision.holds.size() == 1);
  CHECK(part.decision.holds[0].quarantine == "Policy");
  CHECK(part.stages_run == std::vector<std::string>{"first:pass", "third:skipped", "second:quarantine"});
}

TEST_CASE("a later stage's final verb wins over a quarantine") {
  const ScratchHome home;
  const std::string hold = "/bin/sh " + home.write("hold", "printf 'quarantine\\tPolicy\\tx\\n'");
  const std::string drop = "/bin/sh " + home.write("drop", "printf 'drop\\tx\\n'");
  CHECK(scan_one(some_part(), stages_of({"a " + hold, "b " + drop})).parts[0].decision.fate == Fate::drop);
}

TEST_CASE("a stage that fails defers the message, or is passed over where its line says so") {
  const ScratchHome home;
  const char* scripts[] = {
      "exit 111",
      "exit 1",
      "kill -9 $$",
      "printf 'unknown\\n'",
      "printf 'stop'",
      "printf 'tag\\tA\\tx\\nstop\\textra\\n'",
      "printf 'message\\n'",
      "printf 'drop\\tx\\n'; exit 1",
      "printf 'tag\\tA\\ta\\0b\\n'",
      "head -c 100000 /dev/zero",
      "sleep 1000",
  };
  for (const char* script : scripts) {
    CAPTURE(script);
    const std::string program = "/bin/sh " + home.write("stage", script);
    const Scanned scanned = scan_one(some_part(), stages_of({"bad " + program + " timeout=1"}));
    REQUIRE(scanned.deferred() != nullptr);
    const Part& part = *scanned.deferred();
    CHECK(part.decision.reply.code == "451");
    CHECK(part.decision.stage == "bad");
    CHECK(part.environment.pairs().empty());
    if (std::string_view(script).starts_with("sleep")) continue;
    const Scanned passed = scan_one(some_part(), stages_of({"bad " + program + " on-failure=pass"}));
    CHECK(passed.parts[0].decision.fate == Fate::deliver);
    CHECK(passed.parts[0].stages_run == std::vector<std::string>{"bad:failed"});
    const Scanned held =
        scan_one(some_part(), stages_of({"bad " + program + " on-failure=quarantine", "no " + program}));
    CHECK(held.parts[0].decision.fate == Fate::quarantine);
    CHECK(held.parts[0].decision.holds[0].quarantine == "Unscanned");
    CHECK(held.parts[0].decision.holds[0].reason.starts_with("bad: "));
    CHECK(held.parts[0].stages_run.size() == 1);
  }
  CHECK(scan_one(some_part(), stages_of({"bad " + home.path("missing")})).deferred() != nullptr);
  CHECK(scan_one(some_part(), stages_of({"bad @nobody"}), 100).deferred() != nullptr);
}

TEST_CASE("a stage cannot change the message but through its verdict") {
  const ScratchHome home;
  const std::string program =
      "/bin/sh " +
      home.write("stage",
                 "exec 2>/dev/null\nprintf evil > /proc/self/fd/0\nprintf evil > /proc/self/fd/3\nexit 0");
  const Scanned scanned = scan_one(some_part(), stages_of({"evil " + program}));
  CHECK(scanned.parts[0].decision.fate == Fate::deliver);
  CHECK(content_of(scanned.parts[0].message.get()) == kMessage);
}

TEST_CASE(
    "what was skipped when the message was accepted stays skipped, and a release runs only what it must") {
  const ScratchHome home;
  const std::string drop = "/bin/sh " + home.write("drop", "printf 'drop\\tx\\n'");
  Part part = some_part();
  part.environment.set("POSTERN_SKIP", "other bad");
  CHECK(scan_one(std::move(part), stages_of({"bad " + drop})).parts[0].decision.fate == Fate::deliver);
  part = some_part();
  part.environment.set("POSTERN_RELEASED", "");
  CHECK(scan_one(std::move(part), stages_of({"bad " + drop})).parts[0].decision.fate == Fate::deliver);
  part = some_part();
  part.environment.set("POSTERN_RELEASED", "");
  CHECK(scan_one(std::move(part), stages_of({"bad " + drop + " when=released"})).parts[0].decision.fate ==
        Fate::drop);
}

TEST_CASE("a part that is split off goes through the later stages alone, and may be split again") {
  const ScratchHome home;
  const std::string split =
      "/bin/sh " +
      home.write("split",
                 "case $(tr '\\0' '|' <&3) in *Tb@*Tc@*) printf 'split\\tone\\tb@example.net\\n';; esac\n");
  const std::string last = "/bin/sh " + home.write("last",
                                                   "test $(tr '\\0' '\\n' <&3 | grep -c ^T) = 1 || exit "
                                                   "1\nprintf \"header-add\\tFor\\t$POSTERN_PARENT_MID\\n\"");
  Part part = some_part();
  part.envelope.recipients.push_back({"c@example.net", "", ""});
  const Scanned scanned = scan_one(std::move(part), stages_of({"a " + split, "b " + split, "c " + last}));
  REQUIRE(scanned.parts.size() == 2);
  CHECK(scanned.parts[0].stages_run == std::vector<std::string>{"a:split", "b:pass", "c:pass"});
  CHECK(scanned.parts[1].stages_run == std::vector<std::string>{"a:split", "b:pass", "c:pass"});
  CHECK(content_of(scanned.parts[0].message.get()) == "For: \n"s + kMessage);
  CHECK(content_of(scanned.parts[1].message.get()) == "For: 17\n"s + kMessage);
  CHECK(scanned.parts[1].envelope.recipients[0].address == "b@example.net");
}

TEST_CASE("a message without recipients is dropped, and parts that are left empty count for no answer") {
  const ScratchHome home;
  const std::string remove =
      "/bin/sh " + home.write("remove", "printf 'recipient-remove\\tb@example.net\\n'");
  const Scanned scanned = scan_one(some_part(), stages_of({"a " + remove, "b " + home.path("missing")}));
  CHECK(scanned.parts[0].decision.fate == Fate::drop);
  CHECK(scanned.parts[0].decision.reason == "no recipient is left");
  CHECK_FALSE(scanned.all_refused());
  const std::string split = "/bin/sh " + home.write("split", "printf 'split\\tall\\tb@example.net\\n'");
  const std::string reject = "/bin/sh " + home.write("reject", "printf 'reject\\t550\\tno\\n'");
  CHECK(scan_one(some_part(), stages_of({"a " + split, "b " + reject})).all_refused());
}
