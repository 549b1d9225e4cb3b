#include <doctest/doctest.h>

#include <stdlib.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "lib/quarantine_name.h"
#include "lib/text.h"
#include "quarantine/quarantine_arguments.h"
#include "quarantine/quarantine_list.h"
#include "quarantine/quarantine_release.h"
#include "quarantine/quarantine_store.h"
#include "quarantine/sqlite_rows.h"

using namespace postern;
using namespace postern::quarantine;

TEST_CASE("a quarantine's name is one plain directory's name") {
  for (const char* name : {"Virus", "Spam", "Policy 2", "a-b_c", "0"}) {
    CAPTURE(name);
    CHECK(is_quarantine_name(name));
  }
  for (const char* name :
       {"", " ", " a", "a ", "-a", ".", "..", "a/b", "../a", "a.b", "a\tb", "a\nb", "\xc3\xa4", "a\"b"}) {
    CAPTURE(name);
    CHECK_FALSE(is_quarantine_name(name));
  }
  CHECK(is_quarantine_name(std::string(64, 'x')));
  CHECK_FALSE(is_quarantine_name(std::string(65, 'x')));
  CHECK_FALSE(is_quarantine_name(std::string_view("a\0b", 3)));
}

TEST_CASE("a field of a header is found, unfolded and never looked for in the body") {
  struct Row {
    const char* header;
    const char* value;
  };
  const Row rows[] = {
      {"Subject: hello\n\n", "hello"},
      {"A: b\nSUBJECT :  spaced  \nC: d\n\n", "spaced"},
      {"Subject: one\n two\n\tthree\nTo: x\n\n", "one two three"},
      {"Subject:\r\n folded\r\n\r\n", " folded"},
      {"Subject: first\nSubject: second\n\n", "first"},
      {"A: b\n Subject: of a fold\n\n", ""},
      {"A: b\n\nSubject: body\n", ""},
      {"Subject-X: no\n\n", ""},
      {"Subject: no end", "no end"},
      {"", ""},
      {"\n\n", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.header);
    CHECK(header_value(row.header, "subject") == row.value);
  }
}

namespace {

HeldRow example() {
  HeldRow row{.mid = 7, .born = 1136214245ULL * 1000000 + 999999, .digest = 1, .size = 1234};
  row.sender = "a\tb@example.org";
  row.recipients = {"x@example.net", "y>\n@example.net"};
  row.subject = "sub\tject\\";
  row.memberships = {{.quarantine = "Policy", .reason = "", .entered = 1, .expires = 1136214246},
                     {.quarantine = "Spam", .reason = "", .entered = 1, .released = true},
                     {.quarantine = "Virus", .reason = "odd\nreason", .entered = 1}};
  return row;
}

std::vector<std::string> many(const char* text) {
  std::vector<std::string> found;
  for (const std::string_view word : split(text, '|')) found.emplace_back(word);
  return found;
}

struct Scratch {
  std::string path;
  Scratch() {
    char name[] = "/tmp/postern-rows.XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path = name;
  }
  ~Scratch() {
    for (const char* file : {"/a.db", "/a.db-wal", "/a.db-shm"}) ::unlink((path + file).c_str());
    ::rmdir(path.c_str());
  }
};

}  // namespace

TEST_CASE("a held message is a line for each quarantine, and nothing in it can forge one") {
  CHECK(held_lines(example(), "Virus") ==
        "7\tVirus\t2006-01-02T15:04:05Z\t1234\t<a\\x09b@example.org>\t<x@example.net>,<y>\\x0a@example.net>\t"
        "sub\\x09ject\\x5c\todd\\x0areason\tPolicy\t\n");
  const std::string lines = held_lines(example(), "");
  CHECK(lines.starts_with("7\tPolicy\t"));
  CHECK(lines.find("\tVirus\t2006-01-02T15:04:06Z\n7\tVirus\t") != std::string::npos);
  CHECK(lines.find("Spam") == std::string::npos);
  CHECK(held_lines(example(), "Spam").empty());
  HeldRow bare{.mid = 7};
  bare.memberships = {{.quarantine = "Virus"}};
  CHECK(held_lines(bare, "") == "7\tVirus\t1970-01-01T00:00:00Z\t0\t<>\t\t\t\t\t\n");
}

TEST_CASE("what is kept says where and why, and nothing of the request alone") {
  Environment request;
  for (const char* name :
       {"POSTERN_MID", "POSTERN_DIRECTION", "TCPREMOTEIP", "POSTERN_HOME", "PATH", "HOME", "POSTERN_EXTRAS",
        "POSTERN_TAG_A", "POSTERN_QUEUE", "POSTERN_QUARANTINE", "POSTERN_QUARANTINE_3", "POSTERN_REASON_2"}) {
    request.set(name, "v");
  }
  request.set("POSTERN_HOLD_UNTIL", "77");
  const Environment kept =
      held_variables(request, {{"Virus", std::string(2000, 'r')}, {"Policy 2", "a word"}});
  for (const char* name : {"POSTERN_MID", "POSTERN_DIRECTION", "TCPREMOTEIP", "POSTERN_TAG_A"})
    CHECK(kept.get(name) == "v");
  for (const char* name :
       {"POSTERN_HOME", "PATH", "HOME", "POSTERN_EXTRAS", "POSTERN_QUEUE", "POSTERN_QUARANTINE_3"})
    CHECK_FALSE(kept.get(name));
  CHECK(kept.get("POSTERN_QUARANTINE") == "Virus");
  CHECK(kept.get("POSTERN_QUARANTINE_2") == "Policy 2");
  CHECK(kept.get("POSTERN_REASON_2") == "a word");
  CHECK(kept.get("POSTERN_REASON")->size() == kReasonLimit);

  const std::vector<Placement> back = placements_of(kept);
  REQUIRE(back.size() == 2);
  CHECK(back[1].quarantine == "Policy 2");
  CHECK(back[1].reason == "a word");
  const std::vector<Membership> held = memberships_of(back, kept, 5000000, {});
  REQUIRE(held.size() == 2);
  CHECK(held[0].quarantine == "Policy 2");
  CHECK(held[0].expires == 0);
  const std::vector<Membership> holds = memberships_of({{"Hold", "x"}, {"Policy", "y"}}, kept, 5000000, {});
  REQUIRE(holds.size() == 2);
  CHECK(holds[0].expires == 77);
  CHECK_FALSE(holds[0].deletes);
  CHECK(holds[1].expires == 0);

  HeldRow row{.mid = 9, .new_mid = 513};
  row.kept = kept;
  row.kept.set("POSTERN_EXEMPT", "antivirus Old");
  row.memberships = held;
  Environment released = release_environment(row);
  CHECK(released.get("POSTERN_MID") == "513");
  CHECK(released.get("POSTERN_RELEASED") == "Virus");
  CHECK(released.get("POSTERN_WORK") == "quarantine/9");
  CHECK(released.get("POSTERN_DIRECTION") == "v");
  for (const char* name : {"POSTERN_TAG_A", "POSTERN_REASON", "POSTERN_REASON_2", "POSTERN_QUARANTINE",
                           "POSTERN_QUARANTINE_2", "POSTERN_EXEMPT", "POSTERN_HOLD_UNTIL"})
    CHECK_FALSE(released.get(name));
  row.exemption = "antivirus New";
  CHECK(release_environment(row).get("POSTERN_EXEMPT") == "antivirus New");
}

TEST_CASE("the settings of a quarantine say how long and what then") {
  struct Row {
    const char* line;
    const char* name;
    uint64_t seconds;
    bool deletes;
  };
  for (const Row& row : {Row{"Virus retention=30d action=delete", "Virus", 2592000, true},
                         Row{"  Policy 2\taction=release  retention=90 ", "Policy 2", 90, false},
                         Row{"Spam", "Spam", 0, false}, Row{"A action=delete", "A", 0, true}}) {
    CAPTURE(row.line);
    const Result<QuarantineSettings> parsed = parse_quarantine_line(row.line);
    REQUIRE(parsed);
    CHECK(parsed->name == row.name);
    CHECK(parsed->retention_seconds == row.seconds);
    CHECK(parsed->deletes == row.deletes);
  }
  for (const char* line :
       {"", "retention=1d", "a/b retention=1d", "A retention=", "A retention=0", "A retention=x",
        "A retention=1y", "A action=keep", "A =", "A retention=99999999999999999999d", "A retention=1d B"}) {
    CAPTURE(line);
    CHECK_FALSE(parse_quarantine_line(line));
  }
  const std::vector<QuarantineSettings> settings = {
      {.name = "Virus", .retention_seconds = 60, .deletes = true}};
  const std::vector<Membership> held =
      memberships_of({{"Virus", ""}, {"Spam", ""}}, Environment(), 5000000, settings);
  CHECK(held[0].expires == 0);
  CHECK(held[1].expires == 65);
  CHECK(held[1].deletes);
}

TEST_CASE("arguments that are not understood are refused") {
  CHECK(parse_selection(Verb::list, many("--quarantine|A b|--older|2h|--json|--limit|3"), 1ULL << 50));
  for (const char* words : {"--sender", "--older|x", "--limit|0", "--limit|x", "--from|A", "a/b", "A|B",
                            "--what", "--mid|0", "--sender|", "--repair"}) {
    CAPTURE(words);
    CHECK_FALSE(parse_selection(Verb::list, many(words), 1));
  }
  CHECK(parse_selection(Verb::release, many("--except|antivirus A B|--from|V|7"), 1));
  for (const char* words :
       {"--limit|3", "--from|V", "--json|7", "x", "--except|antivirus|7", "--except| A|7"}) {
    CAPTURE(words);
    CHECK_FALSE(parse_selection(Verb::release, many(words), 1));
  }
  CHECK(parse_placements(many("A|r|B|s"))->size() == 2);
  for (const char* words : {"A", "A|r|B", "a/b|r"}) {
    CAPTURE(words);
    CHECK_FALSE(parse_placements(many(words)));
  }
  CHECK_FALSE(parse_placements({}));
  for (const char* text : {"", "a", "a ", " a", "a  b", "a b ", "a\tb", "a \xc3", "A! b"}) {
    CAPTURE(text);
    CHECK_FALSE(valid_exemption(text));
  }
}

TEST_CASE("the fates of a release are read from what the scanner prints") {
  const std::vector<Part> parts =
      parse_parts("12 queued\n13 quarantined Virus A\tb\nnoise\n14\n0 queued\n", 9, "accepted");
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].fate == "queued");
  CHECK(parts[1].mid == "13");
  CHECK(parts[1].detail == "Virus A\\x09b");
  for (const char* nothing : {"", "\n", "x queued", "12"}) {
    CAPTURE(nothing);
    const std::vector<Part> one = parse_parts(nothing, 9, "accepted");
    REQUIRE(one.size() == 1);
    CHECK(one[0].mid == "9");
    CHECK(one[0].fate == "accepted");
  }
}

TEST_CASE("what spam alone held is released into the queue, everything else to the scanner") {
  const auto row_in = [](std::vector<const char*> names) {
    HeldRow row{.mid = 1};
    for (const char* name : names) row.memberships.push_back({.quarantine = name, .released = row.mid == 2});
    return row;
  };
  Environment environment;
  CHECK(release_target(row_in({"Spam"}), environment) == "@queue");
  for (const char* name : {"Virus", "Policy", "spam", "Spam 2"})
    CHECK(release_target(row_in({name}), environment) == "@scanq");
  CHECK(release_target(row_in({"Policy", "Spam"}), environment) == "@scanq");
  CHECK(release_target(row_in({"Spam", "Virus"}), environment) == "@scanq");
  environment.set("POSTERN_RELEASE_TO", "/bin/scanner");
  CHECK(release_target(row_in({"Virus"}), environment) == "/bin/scanner");
  CHECK(release_target(row_in({"Spam"}), environment) == "@queue");
  environment.set("POSTERN_QUEUE", "/bin/queue");
  CHECK(release_target(row_in({"Spam"}), environment) == "/bin/queue");
}

TEST_CASE("a row comes back from the index as it went, and is found by what is in it") {
  const Scratch scratch;
  const Result<std::unique_ptr<SqliteRows>> opened = SqliteRows::open(scratch.path + "/a.db");
  REQUIRE(opened);
  SqliteRows& rows = **opened;
  CHECK(rows.is_new());
  REQUIRE(rows.fill([](const SqliteRows::Insert&) { return Result<void>(); }));
  CHECK_FALSE(rows.is_new());
  HeldRow row = example();
  row.digest = UINT64_MAX;  // all 64 bits come back
  row.kept.set("POSTERN_X", "a=b\xff");
  row.sender = std::string("nu\0l", 4);
  REQUIRE(rows.insert(row));
  const Result<std::optional<HeldRow>> back = rows.find(7);
  REQUIRE(back);
  REQUIRE(*back);
  CHECK((*back)->digest == UINT64_MAX);
  CHECK((*back)->sender == row.sender);
  CHECK((*back)->kept.get("POSTERN_X") == "a=b\xff");
  CHECK((*back)->recipients == std::vector<std::string>{"x@example.net", "y>\\x0a@example.net"});
  REQUIRE((*back)->memberships.size() == 3);
  CHECK((*back)->memberships[1].released);
  CHECK((*back)->holders() == std::vector<std::string>{"Policy", "Virus"});

  const auto count = [&](const Filter& filter) {
    unsigned found = 0;
    REQUIRE(rows.select(filter, [&](const HeldRow&) {
      ++found;
      return Result<void>();
    }));
    return found;
  };
  CHECK(count({}) == 1);
  CHECK(count({.quarantine = "Virus"}) == 1);
  CHECK(count({.quarantine = "virus"}) == 0);
  CHECK(count({.quarantine = "Spam"}) == 0);  // it was released from there
  CHECK(count({.recipient = "X@example"}) == 1);
  CHECK(count({.subject = "SUB\t"}) == 1);
  CHECK(count({.subject = "sub%"}) == 0);
  CHECK(count({.subject = "' OR 1 --"}) == 0);
  CHECK(count({.reason = "odd"}) == 1);
  CHECK(count({.before = row.born}) == 0);
  CHECK(count({.before = row.born + 1}) == 1);
  CHECK(count({.after = row.born + 1}) == 0);

  CHECK(rows.due(1136214245)->empty());
  CHECK(rows.due(1136214246)->size() == 1);
  CHECK(*rows.next_expiry() == 1136214246);
  CHECK_FALSE(*rows.was_removed(7));
  REQUIRE(rows.remove(7, {{.time = 5, .mid = 7, .digest = 3, .act = "deleted"}}));
  CHECK_FALSE(rows.find(7)->has_value());
  CHECK(*rows.was_removed(7));
  CHECK(*rows.was_removed(7, 3));
  CHECK_FALSE(*rows.was_removed(7, 4));
  REQUIRE(rows.forget_audits(6));
  CHECK_FALSE(*rows.was_removed(7));
  REQUIRE(rows.check());
  CHECK(rows.current());
}
