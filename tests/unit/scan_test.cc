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

struct Applied {
  Part part = some_part();
  Decision decision;
  Result<Effects> effects = Effects{};
};

Applied apply(std::string_view verdict, std::string_view rewritten = "") {
  Applied applied;
  Stage stage;
  stage.name = "tested";
  Result<std::vector<VerdictLine>> lines = parse_verdict(verdict);
  REQUIRE(lines.ok());
  applied.effects = apply_verdict(applied.part, applied.decision, stage, *lines, memory_with(rewritten));
  return applied;
}

std::vector<Stage> stages_of(const std::vector<std::string>& lines) {
  Result<std::vector<Stage>> stages = parse_stages(lines);
  REQUIRE(stages.ok());
  return *stages;
}

}  // namespace

TEST_CASE("no lines mean nothing to say") {
  const Applied applied = apply("");
  REQUIRE(applied.effects.ok());
  CHECK_FALSE(applied.effects->stop);
  CHECK(applied.decision.fate == Fate::deliver);
  CHECK(content_of(applied.part.message.get()) == kMessage);
}

TEST_CASE("final verbs decide and stop") {
  struct Row {
    const char* verdict;
    Fate fate;
    const char* reply;
    const char* reason;
  };
  const Row rows[] = {
      {"stop\n", Fate::deliver, "  ", ""},
      {"drop\tjunk\n", Fate::drop, "  ", "junk"},
      {"reject\t554\t5.7.1 a virus\n", Fate::refuse, "554 5.7.1 a virus", ""},
      {"reject\t550\tno status\n", Fate::refuse, "550 5.3.0 no status", ""},
      {"reject\t451\t4.7.1 later\n", Fate::refuse, "451 4.7.1 later", ""},
      {"reject\t554\t4.7.1 disagrees\n", Fate::refuse, "554 5.3.0 4.7.1 disagrees", ""},
      {"reject\t554\ta\\r\\n250 ok\n", Fate::refuse, "554 5.3.0 a\\x0d\\x0a250 ok", ""},
      {"defer\t4.7.1 busy\n", Fate::refuse, "451 4.7.1 busy", ""},
      {"defer\t554 5.7.1 busy\n", Fate::refuse, "451 4.3.0 554 5.7.1 busy", ""},
      {"defer\t\n", Fate::refuse, "451 4.3.0 a temporary fault inside", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.verdict);
    const Applied applied = apply(row.verdict);
    REQUIRE(applied.effects.ok());
    CHECK(applied.effects->stop);
    CHECK(applied.decision.fate == row.fate);
    CHECK(applied.decision.reply.line() == row.reply);
    CHECK(applied.decision.reason == row.reason);
    if (row.fate != Fate::deliver) CHECK(applied.decision.stage == "tested");
  }
}

TEST_CASE("quarantine marks the message and later stages still run") {
  const Applied applied = apply("quarantine\tVirus\tEicar found\n");
  REQUIRE(applied.effects.ok());
  CHECK_FALSE(applied.effects->stop);
  CHECK(applied.decision.fate == Fate::deliver);
  REQUIRE(applied.decision.hold.has_value());
  CHECK(applied.decision.hold->quarantine == "Virus");
  CHECK(applied.decision.hold->reason == "Eicar found");
}

TEST_CASE("tags, skips and header fields are applied in order") {
  const Applied applied = apply(
      "tag\tA_1\tone\ntag\tA_1\ttwo\nskip\tantispam\nskip\tx\nheader-add\tX-One\t1\nheader-add\tX-"
      "Two\t2\nlog\tseen\\n\n");
  REQUIRE(applied.effects.ok());
  CHECK(applied.part.environment.get("POSTERN_TAG_A_1") == "two");
  CHECK(applied.effects->skips == std::vector<std::string>{"antispam", "x"});
  CHECK(content_of(applied.part.message.get()) == "X-Two: 2\nX-One: 1\n"s + kMessage);
  CHECK(is_sealed(applied.part.message.get()));
}

TEST_CASE("a rewritten message is taken when the verdict says so, with new fields in front of it") {
  CHECK(content_of(apply("", "rewritten").part.message.get()) == kMessage);
  CHECK(content_of(apply("stop\n", "rewritten").part.message.get()) == kMessage);
  Applied applied = apply("message\n", "Subject: y\n\nrewritten\n");
  REQUIRE(applied.effects.ok());
  CHECK(content_of(applied.part.message.get()) == "Subject: y\n\nrewritten\n");
  CHECK(is_sealed(applied.part.message.get()));
  applied = apply("header-add\tA\tb\nmessage\n", "Subject: y\n\n");
  CHECK(content_of(applied.part.message.get()) == "A: b\nSubject: y\n\n");
}

TEST_CASE("a verdict with anything wrong in it applies nothing at all") {
  for (const std::string& wrong : {"unknown\n"s,
                                   "STOP\n"s,
                                   "stop\tx\n"s,
                                   "drop\n"s,
                                   "drop\ta\tb\n"s,
                                   "reject\t554\n"s,
                                   "reject\t250\tok\n"s,
                                   "reject\t55\tx\n"s,
                                   "reject\t5544\tx\n"s,
                                   "reject\t5x4\tx\n"s,
                                   "reject\t\tx\n"s,
                                   "quarantine\tVirus\n"s,
                                   "tag\tlower\tx\n"s,
                                   "tag\t\tx\n"s,
                                   "tag\tA=B\tx\n"s,
                                   "tag\tA-B\tx\n"s,
                                   "tag\t"s + std::string(65, 'A') + "\tx\n",
                                   "header-add\tX\n"s,
                                   "header-add\tX:\ty\n"s,
                                   "header-add\tX\\nBcc\ty\n"s,
                                   "header-add\t\ty\n"s,
                                   "message\n"s,
                                   "message\tx\n"s,
                                   "skip\n"s,
                                   "log\n"s,
                                   "defer\n"s,
                                   "bounce\tx\n"s,
                                   "?stop\tx\n"s}) {
    CAPTURE(wrong);
    for (const bool wrong_first : {true, false}) {
      const std::string good = "tag\tA\tone\nheader-add\tX\ty\nskip\ts\nquarantine\tVirus\tx\ndrop\tx\n";
      const Applied applied = apply(wrong_first ? wrong + good : good + wrong);
      REQUIRE_FALSE(applied.effects.ok());
      CHECK_FALSE(applied.effects.failure().permanent());
      CHECK(applied.decision.fate == Fate::deliver);
      CHECK_FALSE(applied.decision.hold.has_value());
      CHECK(applied.part.environment.pairs().empty());
      CHECK(content_of(applied.part.message.get()) == kMessage);
    }
  }
}

TEST_CASE("an unknown verb that may be ignored is ignored, with all of its arguments") {
  const Applied applied = apply("?split\tx\ty\tz\n?\\tnew\ntag\tA\tone\n?stop\n");
  REQUIRE(applied.effects.ok());
  CHECK(applied.effects->stop);
  CHECK(applied.part.environment.get("POSTERN_TAG_A") == "one");
}

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
  Part part = some_part();
  const Decision decision = scan(part,
                                 stages_of({"first " + first, "out " + never + " direction=out",
                                            "third " + never, "second " + second, "last " + never}),
                                 now_milliseconds() + 20000);
  CHECK(decision.fate == Fate::quarantine);
  REQUIRE(decision.hold.has_value());
  CHECK(decision.hold->quarantine == "Policy");
  CHECK(decision.stages_run == std::vector<std::string>{"first", "second"});
}

TEST_CASE("a later stage's final verb wins over a quarantine") {
  const ScratchHome home;
  const std::string hold = "/bin/sh " + home.write("hold", "printf 'quarantine\\tPolicy\\tx\\n'");
  const std::string drop = "/bin/sh " + home.write("drop", "printf 'drop\\tx\\n'");
  Part part = some_part();
  CHECK(scan(part, stages_of({"a " + hold, "b " + drop}), now_milliseconds() + 20000).fate == Fate::drop);
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
    Part part = some_part();
    Decision decision = scan(part, stages_of({"bad " + program + " timeout=1"}), now_milliseconds() + 20000);
    CHECK(decision.fate == Fate::refuse);
    CHECK_FALSE(decision.reply.permanent());
    CHECK(decision.reply.code == "451");
    CHECK(decision.stage == "bad");
    CHECK(part.environment.pairs().empty());
    if (std::string_view(script).starts_with("sleep")) continue;
    decision = scan(part, stages_of({"bad " + program + " on-failure=pass"}), now_milliseconds() + 20000);
    CHECK(decision.fate == Fate::deliver);
    CHECK(decision.stages_run.empty());
  }
  Part part = some_part();
  CHECK(scan(part, stages_of({"bad " + home.path("missing")}), now_milliseconds() + 20000).fate ==
        Fate::refuse);
  CHECK(scan(part, stages_of({"bad @nobody"}), now_milliseconds() + 100).fate == Fate::refuse);
}

TEST_CASE("a stage cannot change the message but through its verdict") {
  const ScratchHome home;
  const std::string program =
      "/bin/sh " +
      home.write("stage",
                 "exec 2>/dev/null\nprintf evil > /proc/self/fd/0\nprintf evil > /proc/self/fd/3\nexit 0");
  Part part = some_part();
  CHECK(scan(part, stages_of({"evil " + program}), now_milliseconds() + 20000).fate == Fate::deliver);
  CHECK(content_of(part.message.get()) == kMessage);
}

TEST_CASE(
    "what was skipped when the message was accepted stays skipped, and a release runs only what it must") {
  const ScratchHome home;
  const std::string drop = "/bin/sh " + home.write("drop", "printf 'drop\\tx\\n'");
  Part part = some_part();
  part.environment.set("POSTERN_SKIP", "other bad");
  CHECK(scan(part, stages_of({"bad " + drop}), now_milliseconds() + 20000).fate == Fate::deliver);
  part.environment.unset("POSTERN_SKIP");
  part.environment.set("POSTERN_RELEASED", "");
  CHECK(scan(part, stages_of({"bad " + drop}), now_milliseconds() + 20000).fate == Fate::deliver);
  CHECK(scan(part, stages_of({"bad " + drop + " when=released"}), now_milliseconds() + 20000).fate ==
        Fate::drop);
}
