#include <doctest/doctest.h>

#include "service/selftest_held.h"
#include "service/selftest_message.h"
#include "service/selftest_options.h"

using namespace postern;

TEST_CASE("a line of the quarantine's list is known by the marker, wherever it stands") {
  const std::string line = "4711\tVirus\t2026-01-02T03:04:05Z\t900\t<>\t<a@b.example>\tX mark-1\tEicar";
  const std::optional<HeldTest> held = parse_held_line(line, "mark-1");
  REQUIRE(held.has_value());
  CHECK(held->mid == 4711);
  CHECK(held->quarantine == "Virus");
  CHECK(held->reason == "Eicar");
  // More fields may follow.
  CHECK(parse_held_line(line + "\tPolicy\t2026-02-02T03:04:05Z", "mark-1")->reason == "Eicar");
  CHECK(parse_held_line("4711\tVirus\tmark-1", "mark-1")->reason.empty());
  CHECK_FALSE(parse_held_line(line, "mark-2").has_value());
  CHECK_FALSE(parse_held_line("MID\tquarantine\tmark-1", "mark-1").has_value());
  CHECK_FALSE(parse_held_line("4711 mark-1", "mark-1").has_value());
  CHECK_FALSE(parse_held_line("mark-1", "mark-1").has_value());
  CHECK_FALSE(parse_held_line("", "mark-1").has_value());
}

TEST_CASE("a message may be held in several quarantines at once") {
  const HeldTest held{1, "Policy, Virus", ""};
  CHECK(held_in(held, "Virus"));
  CHECK(held_in(held, "Policy"));
  CHECK_FALSE(held_in(held, "Vir"));
  CHECK_FALSE(held_in(HeldTest{1, "Unscanned", ""}, "Virus"));
}

TEST_CASE("stages that scan are known by their name or their program's") {
  const std::vector<std::string> lines = {"antivirus @antivirus when=released",
                                          "second /usr/bin/postern-clamd x", "route @route",
                                          "antispam @antispam", "none"};
  const std::vector<std::string> virus = stages_that_scan(lines, false);
  REQUIRE(virus.size() == 2);
  CHECK(virus[0] == lines[0]);
  CHECK(virus[1] == lines[1]);
  CHECK(stages_that_scan(lines, true) == std::vector<std::string>{lines[3]});
  // A directory's name does not count.
  CHECK(stages_that_scan({"x /opt/antivirus/notes"}, false).empty());
}

TEST_CASE("the self-test's options are checked") {
  const Result<SelftestOptions> options =
      parse_selftest_options({"-q", "--seconds", "5", "--to", "a@b.example", "--virus-quarantine", "V"});
  REQUIRE(options);
  CHECK(options->quiet);
  CHECK(options->seconds == 5);
  CHECK(options->recipient == "a@b.example");
  CHECK(options->virus_quarantine == "V");
  CHECK(options->spam_quarantine == "Spam");
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{{"--seconds"},
                                                                                     {"--seconds", "0"},
                                                                                     {"--seconds", "3601"},
                                                                                     {"--seconds", "1s"},
                                                                                     {"--to", "b.example"},
                                                                                     {"--to", "a>@b.example"},
                                                                                     {"--to", ""},
                                                                                     {"x"}}) {
    CHECK_FALSE(parse_selftest_options(wrong));
  }
}

TEST_CASE("test messages have whole lines, none of them with a dot in front") {
  for (const TestKind kind : {TestKind::eicar, TestKind::gtube}) {
    const std::string text = test_message(kind, "mark", "a@b.example");
    CHECK(text.ends_with("\r\n"));
    CHECK(text.find("\r\n.") == std::string::npos);
    CHECK(text.find("Subject: mark\r\n") != std::string::npos);
    size_t bare = 0;
    for (size_t i = 0; i < text.size(); ++i)
      bare += text[i] == '\n' && (i == 0 || text[i - 1] != '\r') ? 1 : 0;
    CHECK(bare == 0);
  }
}
