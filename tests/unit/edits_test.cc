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

TEST_CASE("fields are put in front of a message that keeps its bytes") {
  for (const std::string& message : {""s, "Subject: x\n\nbody\n"s, "\0\xff\r\n"s, std::string(200000, 'x')}) {
    CAPTURE(message.size());
    const Fd file = memory_with(message);
    Result<Fd> edited = with_fields_in_front(file.get(), "A: b\n");
    REQUIRE(edited.ok());
    CHECK(is_sealed(edited->get()));
    CHECK(content_of(edited->get()) == "A: b\n" + message);
    CHECK(content_of(file.get()) == message);
  }
  CHECK_FALSE(with_fields_in_front(-1, "A: b\n").ok());
}
