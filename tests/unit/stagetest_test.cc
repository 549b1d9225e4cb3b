#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>

#include "scanq/stagetest_case.h"
#include "scanq/stagetest_directory.h"
#include "scanq/stagetest_faults.h"
#include "scanq/stagetest_processes.h"
#include "scratch.h"

using namespace postern;
using namespace postern::stagetest;
using namespace std::string_literals;

namespace {

// The kinds of fault in an answer of exit code 0, for a message to b@x and c@x.
std::vector<Fault> faults_of(const std::string& verdict, const std::string& output = "") {
  Seen seen;
  seen.verdict = verdict;
  seen.output = output;
  std::vector<Fault> faults;
  for (const Finding& finding : findings_of(seen, {"b@x", "c@x"})) faults.push_back(finding.fault);
  return faults;
}

}  // namespace

TEST_CASE("cases have names of their own, at least 60 for each form") {
  std::set<std::string_view> names;
  size_t path = 0;
  size_t resident = 0;
  for (const Case& one : all_cases()) {
    CAPTURE(one.name);
    CHECK(names.insert(one.name).second);
    CHECK(one.run);
    CHECK_FALSE(one.demand.empty());
    CHECK(one.demand.find('\t') == std::string_view::npos);
    path += one.form != InForm::resident ? 1 : 0;
    resident += one.form != InForm::path ? 1 : 0;
  }
  CHECK(path >= 60);
  CHECK(resident >= 60);
}

TEST_CASE("a well-formed verdict has no fault") {
  for (const std::string& verdict : {""s,
                                     "stop\n"s,
                                     "drop\ta reason\n"s,
                                     "reject\t554\t5.7.1 no\n"s,
                                     "reject\t450\tlater\n"s,
                                     "bounce\t5.7.1 no\nstop\n"s,
                                     "defer\t\n"s,
                                     "quarantine\tOur Virus\tX\n"s,
                                     "copy-quarantine\tA\tb\n"s,
                                     "hold\t1700000000\tx\n"s,
                                     "hold\t+3600\tx\n"s,
                                     "header-add\tX-A\ta\\nb\n"s,
                                     "header-remove\tX-A\n"s,
                                     "sender\t\n"s,
                                     "sender\ta@b\n"s,
                                     "recipient-add\t\"a b\"@x\n"s,
                                     "recipient-remove\tb@x\n"s,
                                     "recipient-replace\tb@x\td@x\n"s,
                                     "split\tlists\tb@x\tc@x\n"s,
                                     "route\tmx.example\n"s,
                                     "route\t[192.0.2.1]:25\tb@x\n"s,
                                     "route\t[IPv6:2001:db8::1]\n"s,
                                     "source\t2001:db8::1\n"s,
                                     "bounce-profile\tfast\n"s,
                                     "bcc\ta@b\n"s,
                                     "notify\tvirus\ta@b\n"s,
                                     "score\t-1.5\tA_B.c\ttext\n"s,
                                     "tag\tA_0\t\n"s,
                                     "skip\tantispam\n"s,
                                     "archive\tlegal\n"s,
                                     "log\tx\\ty\n"s,
                                     "?new-verb\ta\tb\tc\n"s}) {
    CAPTURE(verdict);
    CHECK(faults_of(verdict).empty());
  }
  CHECK(faults_of("message\n", "new").empty());
}

TEST_CASE("each fault of a verdict is told by its kind") {
  const std::vector<std::pair<std::string, Fault>> table = {
      {"stop", Fault::cut},
      {"stop\nlog\tx", Fault::cut},
      {"log\t\\x\n", Fault::unreadable},
      {"\n", Fault::unreadable},
      {"log\ta\0\n"s, Fault::unreadable},
      {"Scanning done\n", Fault::chatter},
      {"discard\n", Fault::unknown_verb},
      {"?stop\tx\n", Fault::argument_count},
      {"tag\tA\n", Fault::argument_count},
      {"split\tlists\n", Fault::argument_count},
      {"reject\t250\tok\n", Fault::argument_code},
      {"reject\t5545\tx\n", Fault::argument_code},
      {"reject\t554\t4.7.1 x\n", Fault::argument_code},
      {"header-add\tX-A:\tx\n", Fault::argument_field},
      {"header-remove\t\n", Fault::argument_field},
      {"recipient-add\t\n", Fault::argument_address},
      {"bcc\ta\\nb@x\n", Fault::argument_address},
      {"bcc\t" + std::string(1004, 'a') + "\n", Fault::argument_address},
      {"split\tlists\td@x\n", Fault::argument_address},
      {"route\tmx.example\td@x\n", Fault::argument_address},
      {"tag\tspam\tx\n", Fault::argument_name},
      {"quarantine\t../x\ty\n", Fault::argument_name},
      {"quarantine\t-x\ty\n", Fault::argument_name},
      {"quarantine\tA\t" + std::string(2049, 'x') + "\n", Fault::argument_name},
      {"skip\ta b\n", Fault::argument_name},
      {"score\t1\ta b\tx\n", Fault::argument_name},
      {"score\t1,5\tA\tx\n", Fault::argument_number},
      {"score\t.\tA\tx\n", Fault::argument_number},
      {"hold\t-1\tx\n", Fault::argument_number},
      {"hold\t1099511627776\tx\n", Fault::argument_number},
      {"route\tmx.example:0\n", Fault::argument_host},
      {"route\tmx.example:65536\n", Fault::argument_host},
      {"route\t[mx]\n", Fault::argument_host},
      {"route\t[192.0.2.1\n", Fault::argument_host},
      {"route\ta b\n", Fault::argument_host},
      {"source\tmx.example\n", Fault::argument_host},
      {"message\n", Fault::missing_output},
  };
  for (const auto& tried : table) {
    const auto& verdict = tried.first;
    const auto& fault = tried.second;
    CAPTURE(verdict);
    CHECK(faults_of(verdict) == std::vector<Fault>{fault});
  }
  CHECK(faults_of("stop\n", "new") == std::vector<Fault>{Fault::unasked_output});
}

TEST_CASE("a stage that defers may have said anything before") {
  Seen seen;
  seen.exit_code = 111;
  seen.verdict = "half a ver";
  seen.output = "half a mess";
  CHECK(findings_of(seen, {}).empty());
  seen.exit_code = 100;
  REQUIRE(findings_of(seen, {}).size() == 1);
  CHECK(findings_of(seen, {})[0].fault == Fault::exit_code);
  seen.flooded = true;
  REQUIRE(findings_of(seen, {}).size() == 1);
  CHECK(findings_of(seen, {})[0].fault == Fault::flood);
}

TEST_CASE("answers are compared without the text of log and the time of hold") {
  Seen one;
  one.verdict = "log\tat 10:00\nhold\t1700000000\tx\ntag\tA\tb\n";
  Seen two;
  two.verdict = "hold\t1700000001\tx\nlog\tat 10:01\ntag\tA\tb\n";
  CHECK(comparable(one) == comparable(two));
  two.verdict = "hold\t1700000001\tx\ntag\tA\tc\n";
  CHECK(comparable(one) != comparable(two));
  two = one;
  two.exit_code = 111;
  CHECK(comparable(one) != comparable(two));
}

TEST_CASE("a process is read from /proc whatever its name") {
  const ProcessLine line = parse_process("17 (a) S 4 (b) Z 16 17 17 0");
  CHECK(line.pid == 17);
  CHECK(line.parent == 16);
  CHECK(line.state == 'Z');
  for (const char* broken : {"", "17", "17 (x)", "17 (x) S", "x (x) S 1", "17 (x) S -1", "17 (x) SS 1"}) {
    CAPTURE(broken);
    CHECK(parse_process(broken).pid == 0);
  }
  const std::vector<ProcessLine> processes = {{2, 1, 'S'}, {3, 2, 'S'}, {4, 3, 'Z'}, {5, 1, 'S'}};
  CHECK(below(processes, 2).size() == 2);
  CHECK(below(processes, 4).empty());
}

TEST_CASE("every change in a watched directory is seen") {
  const ScratchHome home;
  REQUIRE(::mkdir(home.path("control/tables").c_str(), 0755) == 0);
  home.write("control/me", "mx.example.org\n");
  home.write("control/tables/one", "x\n");
  std::string path;
  {
    const WatchedDirectory directory;
    REQUIRE(directory.failure().empty());
    path = directory.path("");
    const WatchedDirectory::Content before = directory.content();
    CHECK(before.contains("home/control/me"));
    CHECK(before.contains("home/control/tables/one"));
    CHECK(before.contains("home/run"));
    CHECK(first_change(before, directory.content()).empty());
    const Fd fresh{::open(directory.path("tmp/new").c_str(), O_WRONLY | O_CREAT, 0600)};
    CHECK(first_change(before, directory.content()) == "new: tmp/new");
    REQUIRE(::unlink(directory.path("tmp/new").c_str()) == 0);
    const Fd state{::open(directory.path("work/state").c_str(), O_WRONLY)};
    REQUIRE(write_all(state.get(), "1", "write").ok());
    CHECK(first_change(before, directory.content()) == "changed: work/state");
    REQUIRE(::unlink(directory.path("work/state").c_str()) == 0);
    CHECK(first_change(before, directory.content()) == "gone: work/state");
  }
  CHECK(::access(path.c_str(), F_OK) < 0);
  // The run directory is linked: it must still be there.
  CHECK(::access(home.path("run").c_str(), F_OK) == 0);
}

TEST_CASE("a run tells what it saw") {
  static const std::string envelope = "Fa\0Tb\0\0"s;
  const ScratchHome home;
  const auto run = [&](const std::string& script, int64_t timeout = 20000) {
    static int number = 0;
    Result<StageProgram> program =
        parse_stage_program("/bin/sh " + home.write("script" + std::to_string(number++), script));
    REQUIRE(program.ok());
    StageRequest request{.message = "Subject: x\n\n", .envelope = envelope, .environment = {}};
    request.message_as = Given::writable;
    return StageRun::begin(*program, request, timeout).end();
  };
  Seen seen = run("cat >&4; echo message; echo one >&2; echo two >&2; exit 3");
  CHECK(seen.exit_code == 3);
  CHECK(seen.verdict == "message\n");
  CHECK(seen.output == "Subject: x\n\n");
  CHECK(seen.last_words == "two");
  CHECK_FALSE(seen.message_changed);
  seen = run("kill -9 $$");
  CHECK(seen.signal == 9);
  seen = run("exec sleep 100", 100);
  CHECK(seen.late);
  CHECK(seen.left_behind == 0);
  seen = run("exec yes");
  CHECK(seen.flooded);
  CHECK(seen.verdict.size() == 65536);
  seen = run("printf X 1<> /proc/self/fd/0");
  CHECK(seen.message_changed);
  CHECK_FALSE(seen.envelope_changed);
}

TEST_CASE("a program is a path with arguments, or one @NAME") {
  Result<StageProgram> program = parse_stage_program(" /bin/sh  -c true ");
  REQUIRE(program.ok());
  CHECK_FALSE(program->resident);
  CHECK(program->words == std::vector<std::string>{"/bin/sh", "-c", "true"});
  program = parse_stage_program("@antivirus");
  REQUIRE(program.ok());
  CHECK(program->resident);
  CHECK(program->service == "antivirus");
  for (const char* broken : {"", "  ", "@", "@a b"}) {
    CAPTURE(broken);
    CHECK_FALSE(parse_stage_program(broken).ok());
  }
}
