#include "scanq/edits.h"

#include <doctest/doctest.h>

#include <string>

#include "scratch.h"

using namespace postern;
using namespace std::string_literals;

TEST_CASE("only a field name of RFC 5322 and a bounded value may be added") {
  for (const std::string& name : {"X-Spam"s, "a"s, "!#$%"s, std::string(77, 'x')}) {
    CAPTURE(name);
    CHECK(check_header(name, "value").ok());
  }
  for (const std::string& name : {""s, "X Spam"s, "X:"s, "X:Y"s, "X\nY"s, "X\tY"s, "X\0"s, "\xc3\xa4"s,
                                  "X\r"s, "\x7f"s, " X"s, std::string(78, 'x')}) {
    CAPTURE(name);
    Result<void> checked = check_header(name, "value");
    REQUIRE_FALSE(checked.ok());
    CHECK(checked.failure().text.find('\n') == std::string::npos);
  }
  CHECK(check_header("X", "").ok());
  CHECK(check_header("X", std::string(65536, 'x')).ok());
  CHECK_FALSE(check_header("X", std::string(65537, 'x')).ok());
  CHECK_FALSE(check_header("X", "a\0b"s).ok());
}

TEST_CASE("no value makes a field or the end of the header of its own") {
  struct Row {
    std::string value, field;
  };
  const Row rows[] = {
      {"plain", "X: plain\n"},
      {"", "X: \n"},
      {"  blank around \t", "X: blank around\n"},
      {"a\nBcc: victim@example.net", "X: a\n\tBcc: victim@example.net\n"},
      {"a\r\nBcc: b", "X: a\n\tBcc: b\n"},
      {"a\n\nbody", "X: a\n\tbody\n"},
      {"a\n \t\n\r\nbody", "X: a\n\tbody\n"},
      {"\n\nBcc: b", "X: Bcc: b\n"},
      {"a\rBcc: b", "X: a Bcc: b\n"},
      {"a:\nb", "X: a:\n\tb\n"},
      {"a: \nb", "X: a:\n\tb\n"},
      {"\n", "X: \n"},
      {"\r", "X: \n"},
      {"a\n", "X: a\n"},
      {"\xff\n\xfe", "X: \xff\n\t\xfe\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.value);
    const std::string field = header_field("X", row.value);
    CHECK(field == row.field);
    CHECK(field.ends_with("\n"));
    CHECK(field.find('\r') == std::string::npos);
    for (size_t end = field.find('\n'); end + 1 < field.size(); end = field.find('\n', end + 1))
      CHECK(field[end + 1] == '\t');
  }
}

TEST_CASE("header edits keep folding, order and every other byte") {
  struct Row {
    std::string message, expected;
    std::vector<HeaderEdit> edits;
  };
  const HeaderEdit add{.name = "A", .value = "b\nc"};
  const HeaderEdit remove{.name = "x-one", .value = {}, .remove = true};
  const std::string big(200000, 'x');
  const Row rows[] = {
      {"", "A: b\n\tc\n", {add}},
      {"", "", {remove}},
      {"Subject: x\n\nbody\n", "A: b\n\tc\nSubject: x\n\nbody\n", {add}},
      {"Subject: x\r\n\r\nbody\r\n", "A: b\r\n\tc\r\nSubject: x\r\n\r\nbody\r\n", {add}},
      {"\nbody\n", "A: b\n\tc\n\nbody\n", {add}},
      {"Subject: header only", "A: b\n\tc\nSubject: header only", {add}},
      {"no header\nX-One: body\n", "A: b\n\tc\n\nno header\nX-One: body\n", {add}},
      {"no header\r\nx\r\n", "A: b\r\n\tc\r\n\r\nno header\r\nx\r\n", {add}},
      {"\0\xff\n"s, "A: b\n\tc\n\n\0\xff\n"s, {add}},
      {big, "A: b\n\tc\n\n" + big, {add}},
      {"X-One: a\n b\n\tc\nTo: x\nX-ONE : d\nX-One-More: e\n\nX-One: body\n",
       "To: x\nX-One-More: e\n\nX-One: body\n",
       {remove}},
      {"To: x\r\nX-one:a\r\n b\r\nCc:\r\n\ty\r\n\r\nX-One: body\r\n",
       "To: x\r\nCc:\r\n\ty\r\n\r\nX-One: body\r\n",
       {remove}},
      {"X-One: a\n\nbody", "\nbody", {remove}},
      {"X-One: a\nbroken line\nX-One: b\n\nbody", "broken line\n\nbody", {remove}},
      {"X-One: a", "", {remove}},
      {"no header\nX-One: body\n", "no header\nX-One: body\n", {remove}},
      {"\nX-One: body\n", "\nX-One: body\n", {remove}},
      {"From someone Mon 10:00\nX-One: a\n\nbody", "From someone Mon 10:00\n\nbody", {remove}},
      {"To: x\nX-One: " + big + "\n " + big + "\nCc: y\n\n" + big, "To: x\nCc: y\n\n" + big, {remove}},
      {"X-One: a\n\nx", "A: b\n\tc\n\nx", {add, remove}},
      {"A: a\n\nx", "A: b\n\tc\n\nx", {{.name = "a", .value = {}, .remove = true}, add}},
      {"A: a\n\nx", "\nx", {add, {.name = "a", .value = {}, .remove = true}}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.message.substr(0, 100));
    const Fd file = memory_with(row.message);
    Result<Fd> edited = with_edited_header(file.get(), row.edits);
    REQUIRE(edited.ok());
    CHECK(is_sealed(edited->get()));
    CHECK(content_of(edited->get()) == row.expected);
    CHECK(content_of(file.get()) == row.message);
  }
  CHECK_FALSE(with_edited_header(-1, {add}).ok());
}

TEST_CASE("a field's value is unfolded, the first of several, and none of the body's") {
  const std::string header = "To: a\nSubject: one\r\n two\nsubject: three\n\n";
  CHECK(field_value(header, "SUBJECT") == "one two");
  CHECK(field_value(header, "Cc").empty());
  CHECK(header_length(header + "Cc: x\n") == header.size());
}
