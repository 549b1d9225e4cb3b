#include "inject/header.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;
using namespace postern::inject;

namespace {

struct Cut {
  std::string fields;  // their names, with blanks between them
  std::string rest;
};

Cut cut(const std::string& message, size_t piece) {
  HeaderReader reader;
  for (size_t at = 0; at < message.size(); at += piece) {
    // What comes behind the header is the body's reader's.
    if (reader.over()) return {"", ""};
    REQUIRE(reader.take(message.substr(at, piece)).ok());
    if (reader.over()) {
      Cut result{.fields = {}, .rest = reader.rest() + message.substr(std::min(message.size(), at + piece))};
      for (const Field& field : reader.fields())
        result.fields += (result.fields.empty() ? "" : " ") + field.text.substr(0, field.name_bytes);
      return result;
    }
  }
  reader.finish();
  CHECK(reader.over());
  Cut result{.fields = {}, .rest = reader.rest()};
  for (const Field& field : reader.fields())
    result.fields += (result.fields.empty() ? "" : " ") + field.text.substr(0, field.name_bytes);
  return result;
}

}  // namespace

TEST_CASE("a header ends where it ends, however its bytes come") {
  struct Row {
    std::string message, fields, rest;
  };
  const Row rows[] = {
      {"", "", ""},
      {"\n", "", ""},
      {"\nbody\n", "", "body\n"},
      {"To: a\n\nbody\n", "To", "body\n"},
      {"To: a\nCc: b\n\n\nbody", "To Cc", "\nbody"},
      {"To: a,\n b,\n\tc\nSubject: x\n\n", "To Subject", ""},
      {"To: a\n", "To", ""},
      {"To: a", "To", ""},
      {"To : a\n\nx", "To", "x"},
      {"just text\nmore\n", "", "just text\nmore\n"},
      {"To: a\njust text\n\nmore\n", "To", "just text\n\nmore\n"},
      {" folded: first\n\n", "", " folded: first\n\n"},
      {"From alice Sun Nov 22 07:00:00 2026\nTo: a\n\nx", "To", "x"},
      {">From alice\nTo: a\n\nx", "To", "x"},
      {"To: a\nFrom alice\n\nx", "To", "From alice\n\nx"},
      {": no name\n\n", "", ": no name\n\n"},
      {"no colon", "", "no colon"},
      {"T\xc3\xb6: a\n\nx", "", "T\xc3\xb6: a\n\nx"},
      {"To:\n\nx", "To", "x"},
      {std::string("A: \0\n\nx", 7), "A", "x"},
      {std::string("A\0: b\n\nx", 8), "", std::string("A\0: b\n\nx", 8)},
      {std::string(3000, 'x'), "", std::string(3000, 'x')},
      {std::string(3000, 'x') + ": y\n\nz", "", std::string(3000, 'x') + ": y\n\nz"},
      {"A: " + std::string(5000, 'x') + "\n\nz", "A", "z"},
  };
  for (const Row& row : rows) {
    for (const size_t piece : {size_t{1}, size_t{2}, size_t{7}, size_t{100000}}) {
      CAPTURE(row.message);
      CAPTURE(piece);
      const Cut result = cut(row.message, piece);
      CHECK(result.fields == row.fields);
      CHECK(result.rest == row.rest);
    }
  }
}

TEST_CASE("a field knows its name and its body") {
  HeaderReader reader;
  REQUIRE(reader.take("TO : a,\n b\n\n").ok());
  REQUIRE(reader.fields().size() == 1);
  const Field& field = reader.fields().front();
  CHECK(field.named("To"));
  CHECK_FALSE(field.named("T"));
  CHECK(field.body() == " a,\n b");
  CHECK(make_field("Cc", "x").text == "Cc: x\n");
  CHECK(make_field("Cc", "x").body() == " x");
}

TEST_CASE("a header without end is refused, a body of one endless line is not") {
  const std::string piece = "X-Field: " + std::string(60000, 'x') + "\n";
  HeaderReader reader;
  Result<void> taken;
  size_t bytes = 0;
  for (; taken && bytes <= 2 * kHeaderLimitBytes; bytes += piece.size()) taken = reader.take(piece);
  CHECK_FALSE(taken.ok());
  CHECK(taken.failure().permanent());
  CHECK(bytes <= kHeaderLimitBytes + 2 * piece.size());
  HeaderReader line;
  REQUIRE(line.take("X: ").ok());
  for (bytes = 0, taken = {}; taken && bytes <= 2 * kHeaderLimitBytes; bytes += 60000)
    taken = line.take(std::string(60000, 'y'));
  CHECK_FALSE(taken.ok());
  HeaderReader body;
  REQUIRE(body.take(std::string(60000, 'y')).ok());
  CHECK(body.over());
  CHECK(body.rest().size() == 60000);
}
