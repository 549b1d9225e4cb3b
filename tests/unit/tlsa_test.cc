#include "remote/tlsa.h"

#include <doctest/doctest.h>

using namespace postern;

namespace {

const std::string k32(64, 'a');   // the hexadecimal form of a SHA-256 digest
const std::string k64(128, 'b');  // of a SHA-512 digest
const std::string kDer = "300201ff";

std::string judged(const std::vector<std::string>& data) {
  std::string text;
  for (const JudgedTlsa& one : judge_tlsa(data))
    text += one.unusable.empty() ? "+" : one.unusable.find("stronger") != std::string::npos ? "<" : "-";
  return text;
}

}  // namespace

TEST_CASE("the data of a TLSA record is three numbers and hexadecimal digits") {
  struct Row {
    std::string data;
    std::string expected;  // empty: it is none
  };
  const std::vector<Row> rows = {
      {"3 1 1 " + k32, "3 1 1 " + k32},
      {"3 1 1 " + std::string(64, 'A'), "3 1 1 " + k32},
      {"255 255 255 00ff", "255 255 255 00ff"},
      {"3 1 1 00 ff", "3 1 1 00ff"},
      {"3 1 0 ", "3 1 0 "},
      {"3 1 0", "3 1 0 "},
      {"256 1 1 00", ""},
      {"-1 1 1 00", ""},
      {"3 1 1 0", ""},
      {"3 1 1 0g", ""},
      {"3 1 1 00\x80", ""},
      {std::string("3 1 1 00\0", 9), ""},
      {"3 1", ""},
      {"\\# 2 0301", ""},
      {"", ""},
      {std::string(70000, ' '), ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.data.substr(0, 80));
    const std::optional<Tlsa> record = parse_tlsa(row.data);
    CHECK((record ? format_tlsa(*record) : "") == row.expected);
  }
}

TEST_CASE("usages 2 and 3, selectors 0 and 1, matching types 0 to 2 with data of their length count") {
  const auto usable = [](const std::string& data) { return why_unusable(*parse_tlsa(data)).empty(); };
  for (const char* head : {"2 0", "2 1", "3 0", "3 1"}) {
    CAPTURE(head);
    const std::string start = head;
    CHECK(usable(start + " 0 " + kDer));
    CHECK(usable(start + " 1 " + k32));
    CHECK(usable(start + " 2 " + k64));
    CHECK_FALSE(usable(start + " 0"));
    CHECK_FALSE(usable(start + " 1"));
    CHECK_FALSE(usable(start + " 1 " + k32.substr(2)));
    CHECK_FALSE(usable(start + " 1 " + k32 + "aa"));
    CHECK_FALSE(usable(start + " 1 " + k64));
    CHECK_FALSE(usable(start + " 2 " + k32));
    CHECK_FALSE(usable(start + " 3 " + k32));
    CHECK_FALSE(usable(start + " 255 " + k32));
  }
  for (const char* head : {"0 0", "0 1", "1 0", "1 1", "4 1", "255 0", "3 2", "2 2", "3 255"}) {
    CAPTURE(head);
    CHECK_FALSE(usable(std::string(head) + " 1 " + k32));
    CHECK_FALSE(usable(std::string(head) + " 0 " + kDer));
  }
}

TEST_CASE("a full certificate or key is one DER sequence and nothing else") {
  const auto usable = [](const std::string& hex) {
    return why_unusable(*parse_tlsa("3 0 0 " + hex)).empty();
  };
  CHECK(usable("300101"));
  CHECK(
      usable("3081"
             "01"
             "00"));
  CHECK(
      usable("30820001"
             "00"));
  for (const char* hex : {"", "30", "3000", "3001", "30010000", "310100", "3080", "308001", "3081", "308101",
                          "3085000000000100", "3084ffffffff00", "ff0100"}) {
    CAPTURE(hex);
    CHECK_FALSE(usable(hex));
  }
}

TEST_CASE("of several digests for one usage and selector the strongest counts, and full data beside it") {
  const std::string sha256 = " 1 " + k32;
  const std::string sha512 = " 2 " + k64;
  struct Row {
    std::vector<std::string> data;
    std::string expected;  // + counts, - does not, < a stronger one does
  };
  const std::vector<Row> rows = {
      {{"3 1" + sha256, "3 1 1 " + std::string(64, 'c')}, "++"},
      {{"3 1" + sha256, "3 1" + sha512}, "<+"},
      {{"3 1" + sha512, "3 1" + sha256}, "+<"},
      {{"3 1" + sha256, "3 0" + sha512}, "++"},
      {{"3 1" + sha256, "2 1" + sha512}, "++"},
      {{"3 1" + sha256, "3 1" + sha512, "3 1 0 " + kDer}, "<++"},
      {{"3 1" + sha256, "3 1 0 " + kDer}, "++"},
      // What cannot be used sets nothing aside.
      {{"3 1" + sha256, "3 1 2 " + k32}, "+-"},
      {{"3 1" + sha256, "3 1 3 " + k64}, "+-"},
      {{"3 1" + sha256, "1 1" + sha512}, "+-"},
      {{"3 1" + sha256, "nonsense"}, "+-"},
      {{}, ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.expected);
    CHECK(judged(row.data) == row.expected);
  }
  CHECK(judge_tlsa({"3 1 1 \n\x1b[31m"}).front().text == "3 1 1 \\x0a\\x1b[31m");
}
