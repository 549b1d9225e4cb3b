#include "lib/control.h"

#include <doctest/doctest.h>

#include "scratch.h"

using namespace postern;

TEST_CASE("a control file that is missing means the default") {
  const ScratchHome home;
  CHECK(home_directory() == home.path());
  CHECK(home_path("a/b") == home.path("a/b"));
  Result<std::optional<std::string>> line = control_line("absent");
  REQUIRE(line.ok());
  CHECK_FALSE(line->has_value());
  CHECK(*control_line_or("absent", "otherwise") == "otherwise");
  CHECK(*control_number_or("absent", 42) == 42);
  Result<std::optional<std::vector<std::string>>> list = control_list("absent");
  REQUIRE(list.ok());
  CHECK_FALSE(list->has_value());
  Result<std::string> me = control_me();
  REQUIRE(me.ok());
  CHECK_FALSE(me->empty());
}

TEST_CASE("a setting is the trimmed first line of its file") {
  const ScratchHome home;
  home.write("control/one", "  value here \r\n\nprose that says what it means\n");
  home.write("control/empty", "");
  home.write("control/blank", " \nx\n");
  CHECK(**control_line("one") == "value here");
  CHECK(*control_line_or("one", "otherwise") == "value here");
  CHECK(**control_line("empty") == "");
  CHECK(*control_line_or("empty", "otherwise") == "otherwise");
  CHECK(*control_line_or("blank", "otherwise") == "otherwise");
  home.write("control/me", "mx.example.org\n");
  CHECK(*control_me() == "mx.example.org");
}

TEST_CASE("a number that is none names the file, the line and the remedy") {
  const ScratchHome home;
  struct Row {
    std::string content;
    std::optional<uint64_t> number;
  };
  const Row rows[] = {
      {"7", 7},
      {" 7 \nrest", 7},
      {"18446744073709551615\n", UINT64_MAX},
      {"18446744073709551616\n", std::nullopt},
      {"", std::nullopt},
      {"\n7\n", std::nullopt},
      {"seven", std::nullopt},
      {"-1", std::nullopt},
      {"1 2", std::nullopt},
      {"# 7", std::nullopt},
      {"7\x1b[2J", std::nullopt},
      {std::string("7\0", 2), std::nullopt},
      {std::string(100000, '9'), std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(row.content.substr(0, 40));
    home.write("control/limit", row.content);
    Result<uint64_t> number = control_number_or("limit", 42);
    REQUIRE(number.ok() == row.number.has_value());
    if (number) {
      CHECK(*number == *row.number);
      continue;
    }
    const Failure& failure = number.failure();
    CHECK_FALSE(failure.permanent());
    CHECK(failure.exit_code == 55);
    CHECK(failure.text.starts_with(home.path("control/limit") + ":1: "));
    CHECK(failure.text.find("write decimal digits only") != std::string::npos);
    CHECK(failure.text.find("42") != std::string::npos);
    CHECK(failure.text.find('\x1b') == std::string::npos);
    CHECK(failure.text.size() < 400);
  }
}

TEST_CASE("a list is its lines without comments and empty ones") {
  const ScratchHome home;
  home.write("control/list", "# comment\n\n one.example \r\n\ttwo.example\nthree.example");
  CHECK(**control_list("list") == std::vector<std::string>{"one.example", "two.example", "three.example"});
  home.write("control/list", "");
  Result<std::optional<std::vector<std::string>>> empty = control_list("list");
  REQUIRE((empty.ok() && empty->has_value()));
  CHECK((*empty)->empty());
}

TEST_CASE("a control file that cannot be read is a failure, never a default") {
  const ScratchHome home;
  REQUIRE(::mkdir(home.path("control/directory").c_str(), 0755) == 0);
  REQUIRE(::symlink("loop", home.path("control/loop").c_str()) == 0);
  const std::string too_long(300, 'x');
  for (const std::string& name : {std::string("directory"), std::string("loop"), too_long}) {
    CAPTURE(name);
    CHECK_FALSE(control_line(name).ok());
    CHECK_FALSE(control_number_or(name, 1).ok());
    CHECK_FALSE(control_list(name).ok());
    REQUIRE_FALSE(control_line_or(name, "x").ok());
    CHECK(control_line_or(name, "x").failure().exit_code == 55);
    CHECK_FALSE(control_line_or(name, "x").failure().permanent());
  }
}

TEST_CASE("a list of domains holds domains and, with a dot in front, all below one") {
  const std::vector<std::string> list = {"example.org", ".example.net", "UPPER.example"};
  struct Row {
    std::string domain;
    bool listed;
  };
  const Row rows[] = {
      {"example.org", true},
      {"EXAMPLE.Org", true},
      {"a.example.org", false},
      {"xexample.org", false},
      {"example.net", false},
      {"a.example.net", true},
      {"a.b.example.net", true},
      {"xexample.net", false},
      {"upper.EXAMPLE", true},
      {"", false},
      {"example.org.", false},
      {"example.org ", false},
      {std::string("example.org\0", 12), false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.domain);
    CHECK(domain_listed(row.domain, list) == row.listed);
  }
  CHECK_FALSE(domain_listed("example.org", {}));
}
