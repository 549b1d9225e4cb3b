#include "scanq/antivirus_mime.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace postern;

namespace {

std::vector<std::string> parts_of(std::string_view message, const MimeLimits& limits = {}) {
  std::vector<std::string> parts;
  const Result<void> walked = walk_mime(message, limits, [&](std::string_view content) {
    parts.emplace_back(content);
    return true;
  });
  if (!walked) parts.push_back("FAILED: " + walked.failure().text);
  return parts;
}

std::string multipart(std::string_view boundary, const std::vector<std::string>& parts) {
  std::string text = "Content-Type: multipart/mixed; boundary=\"" + std::string(boundary) + "\"\n\n";
  for (const std::string& part : parts)
    text.append("--").append(boundary).append("\n").append(part).append("\n");
  return text.append("--").append(boundary).append("--\n");
}

}  // namespace

TEST_CASE("only text/plain that hides no bytes is a plain message") {
  struct Row {
    const char* header;
    bool plain;
  };
  const Row rows[] = {
      {"Subject: x\n", true},
      {"", true},
      {"Content-Type: text/plain\n", true},
      {"CONTENT-TYPE:text/PLAIN; charset=utf-8\nContent-Transfer-Encoding: 8BIT\n", true},
      {"Content-Type: text/plain;\n\tformat=flowed\n", true},
      {"Subject: x\r\nContent-Type: text/plain\r\n", true},
      {"Content-Type: text/html\n", false},
      {"Content-Type: multipart/mixed; boundary=b\n", false},
      {"Content-Type:\n multipart/mixed; boundary=b\n", false},
      {"Content-Type : multipart/mixed; boundary=b\n", false},
      {"Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=b\n", false},
      {"Content-Type: text/plain\nContent-Type: text/plain\n", false},
      {"Content-Type: text/plainer\n", false},
      {"Content-Transfer-Encoding: base64\n", false},
      {"Content-Transfer-Encoding: quoted-printable\n", false},
      {"Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: 7bit\n", false},
      {"Content-Transfer-Encoding:\n", false},
      {"no field at all\n", false},
      {" folded first: x\n", false},
      {": no name\n", false},
      {"Subject: a\rContent-Type: multipart/mixed\n", false},
      {"Subject: x\n\r: y\n", false},
  };
  for (const Row& row : rows) {
    const std::string header = row.header;
    CAPTURE(header);
    CHECK(is_plain_message(header + "\nbody\n") == row.plain);
  }
  CHECK_FALSE(is_plain_message(""));
  CHECK_FALSE(is_plain_message("Subject: no end"));
  CHECK_FALSE(is_plain_message(std::string_view("Subject: \0x\n\nbody", 17)));
}

TEST_CASE("the body stands behind the first empty line") {
  CHECK(body_of("A: b\n\nbody\n\nmore") == "body\n\nmore");
  CHECK(body_of("A: b\r\n\r\nbody") == "body");
  CHECK(body_of("\nbody") == "body");
  CHECK(body_of("A: b\n\n").empty());
  CHECK(body_of("A: b\n").empty());
  CHECK(body_of("").empty());
}

TEST_CASE("each part is visited as it is when decoded") {
  struct Row {
    const char* fields;
    const char* body;
    const char* content;
  };
  const Row rows[] = {
      {"", "as it is", "as it is"},
      {"Content-Transfer-Encoding: base64\n", "aGVsbG8gd29ybGQ=", "hello world"},
      {"Content-Transfer-Encoding: BASE64\n", "aGVs\nbG8gd2\n9ybGQ=\n", "hello world"},
      {"Content-Transfer-Encoding: base64\n", "aG!!VsbG8", "hello"},
      {"Content-Transfer-Encoding: quoted-printable\n", "a=3Db=\nc", "a=bc"},
      {"Content-Transfer-Encoding: x-uuencode\n", "begin 644 f\n%:&5L;&\\`\n`\nend", "hello"},
      {"Content-Transfer-Encoding: x-uuencode\n", "noise\nbegin 644 f\n%:&5L;&\\`\n`\nend", "hello"},
      {"Content-Transfer-Encoding: unheard-of\n", "aGVsbG8=", "aGVsbG8="},
  };
  for (const Row& row : rows) {
    const std::string fields = row.fields;
    CAPTURE(fields);
    const std::string part = "Content-Type: application/x\n" + fields + "\n" + row.body;
    CHECK(parts_of(part) == std::vector<std::string>{row.content});
    CHECK(parts_of(multipart("b", {"\nfirst", part})) == std::vector<std::string>{"first", row.content});
  }
  // Readers differ on what stands behind padding: both views are visited.
  CHECK(parts_of("Content-Transfer-Encoding: base64\n\naGVsbG8=\nd29ybGQ=\n") ==
        std::vector<std::string>{"hello", "helloworld"});
  CHECK(parts_of("Content-Transfer-Encoding: base64\n\n====\naGVsbG8") == std::vector<std::string>{"hello"});
  CHECK(parts_of("Content-Transfer-Encoding: base64\n\n!!==").empty());
  CHECK(parts_of("Content-Transfer-Encoding: x-uuencode\n\nno begin line").empty());
}

TEST_CASE("quoted-printable with blanks at the end of a line is visited with them and without") {
  struct Row {
    const char* body;
    std::vector<std::string> contents;
  };
  const Row rows[] = {
      {"ab= \ncd", {"ab= \ncd", "abcd"}},
      {"ab=\t \r\ncd", {"ab=\t \r\ncd", "abcd"}},
      {"ab=\ncd", {"abcd"}},
      {"ab \ncd", {"ab \ncd", "ab\ncd"}},
      {"ab=20\ncd\t", {"ab \ncd\t", "ab \ncd"}},
      {"  ab", {"  ab"}},
      {"ab= ", {"ab"}},
      {" \n\t\n", {" \n\t\n", "\n\n"}},
  };
  for (const Row& row : rows) {
    const std::string body = row.body;
    CAPTURE(body);
    CHECK(parts_of("Content-Transfer-Encoding: quoted-printable\n\n" + body) == row.contents);
  }
}

TEST_CASE("a multipart that is encoded itself is decoded and walked") {
  struct Row {
    const char* encoding;
    const char* body;
  };
  // "--b\n\ninner\n--b--\n"
  const Row rows[] = {
      {"base64", "LS1iCgppbm5lcgotLWItLQo="},
      {"quoted-printable", "=2D-b\n\nin=\nner\n=2D-b--\n"},
      {"quoted-printable", "=2D-b\n\nin= \nner\n=2D-b--\n"},
  };
  for (const Row& row : rows) {
    const std::string body = row.body;
    CAPTURE(body);
    const std::string part = std::string("Content-Type: multipart/mixed; boundary=b\n") +
                             "Content-Transfer-Encoding: " + row.encoding + "\n\n" + body;
    const std::string inside = multipart("o", {"\nfirst", part});
    for (const std::string& message : {part, inside}) {
      const std::vector<std::string> parts = parts_of(message);
      CHECK(std::find(parts.begin(), parts.end(), "inner") != parts.end());
      CHECK_FALSE(parts.back().starts_with("FAILED"));
    }
  }
  // The boundary is quoted for the parser again; one that encodes itself without end meets a limit.
  CHECK(parts_of("Content-Type: multipart/mixed; boundary=\"a \\\"\\\\\"\n"
                 "Content-Transfer-Encoding: quoted-printable\n\n=2D-a \"\\\n\ninner\n")
            .back() == "inner\n");
  std::string nested;
  for (int i = 0; i < 3000; ++i)
    nested +=
        "--b\nContent-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: quoted-printable\n\n";
  CHECK(parts_of("Content-Type: multipart/mixed; boundary=b\n\n" + nested, {.decoded_bytes = 1000000})
            .back()
            .starts_with("FAILED"));
  CHECK(parts_of("Content-Type: multipart/mixed\nContent-Transfer-Encoding: base64\n").empty());
}

TEST_CASE("lines that may be delimiters or header fields are counted before the parser sees them") {
  struct Row {
    const char* line;
    size_t delimiters;
    size_t fields;
    bool ok;
  };
  // The header is one field, and the line stands there three times.
  const Row rows[] = {
      {"--x", 3, 1, true},      {"--x", 2, 9, false},     {"a:", 0, 4, true},       {"a:", 9, 3, false},
      {"a \t: b", 9, 3, false}, {":", 9, 3, false},       {"\377: b", 9, 3, false}, {"a b: c", 0, 1, true},
      {" a:", 0, 1, true},      {"- -", 0, 1, true},      {"12:30 x", 9, 3, false}, {"", 0, 1, true},
      {"--x:", 2, 9, false},    {"http://", 9, 3, false}, {" --x", 0, 1, true},
  };
  for (const Row& row : rows) {
    const std::string line = std::string(row.line) + "\n";
    CAPTURE(line);
    const std::vector<std::string> parts =
        parts_of("Subject: x\n\n" + line + line + line,
                 {.delimiter_lines = row.delimiters, .field_lines = row.fields});
    CHECK_FALSE(parts.empty());
    CHECK(parts.back().starts_with("FAILED: look into the message: it has more than") == !row.ok);
  }
}

TEST_CASE("fields with addresses are bounded before the parser sees them, continued lines too") {
  struct Row {
    std::string header;
    bool ok;
  };
  const std::string many(700, 'a');
  const Row rows[] = {
      {"To: " + many + "\n", true},
      {"To: " + many + "\n" + " " + many + "\n", false},
      {"tO \t: " + many + "\nX: y\nResent-Cc: " + many + "\n", false},
      {"Subject: " + many + "\n " + many + "\n", true},
      {"To: " + many + "\nX: y\n " + many + "\n", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.header);
    const std::vector<std::string> parts = parts_of(row.header + "\nbody", {.address_bytes = 1000});
    CHECK_FALSE(parts.empty());
    CHECK(parts.back().starts_with("FAILED: look into the message: it has more than") == !row.ok);
  }
}

TEST_CASE("messages inside messages are walked, encoded ones too") {
  const std::string inner =
      "Subject: i\n" + multipart("in", {"\none", "Content-Transfer-Encoding: base64\n\ndHdv"});
  const std::string outer = multipart("out", {"Content-Type: message/rfc822\n\n" + inner, "\nthree"});
  CHECK(parts_of(outer) == std::vector<std::string>{"one", "two", "three"});

  // "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nZGVlcA==" in base64.
  const std::string encoded =
      "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
      "Q29udGVudC1UeXBlOiB0ZXh0L3BsYWluCkNvbnRlbnQtVHJhbnNmZXItRW5jb2Rpbmc6IGJhc2U2NAoKWkdWbGNBPT0=\n";
  const std::vector<std::string> parts = parts_of(multipart("b", {encoded}));
  REQUIRE_FALSE(parts.empty());
  CHECK(parts.back() == "deep");
}

TEST_CASE("what is over a limit is said, and what stands before it was visited") {
  const std::string three = multipart("b", {"\none", "\ntwo", "\nthree"});
  CHECK(parts_of(three, {.parts = 3}).size() == 3);
  CHECK(
      parts_of(three, {.parts = 2}) ==
      std::vector<std::string>{"one", "two", "FAILED: look into the message: it has more than 2 MIME parts"});
  CHECK(parts_of(three, {.decoded_bytes = 6}) ==
        std::vector<std::string>{"one", "two",
                                 "FAILED: look into the message: it has more than 6 decoded bytes"});
  std::string nested = "\ndeep";
  for (int i = 0; i < 40; ++i) nested = multipart("b" + std::to_string(i), {nested});
  CHECK(parts_of(nested, {.depth = 40}) == std::vector<std::string>{"deep"});
  CHECK(parts_of(nested, {.depth = 39}).back().starts_with("FAILED"));
  std::string messages = "Subject: x\n\ndeep";
  for (int i = 0; i < 5000; ++i) messages = "Content-Type: message/rfc822\n\n" + messages;
  CHECK(parts_of(messages).back().starts_with("FAILED"));
}

TEST_CASE("broken and empty messages are walked to their end") {
  CHECK(parts_of("").empty());
  CHECK(parts_of("\n").empty());
  CHECK(parts_of("Content-Type: multipart/mixed; boundary=b\n\nno boundary here").empty());
  CHECK(parts_of("Content-Type: multipart/mixed; boundary=b\n\n--b\n\ncut") ==
        std::vector<std::string>{"cut"});
  CHECK(parts_of(std::string("A: b\n\n\0\377x", 9)) == std::vector<std::string>{std::string("\0\377x", 3)});
  int visits = 0;
  const Result<void> walked = walk_mime(multipart("b", {"\none", "\ntwo"}), {}, [&](std::string_view) {
    ++visits;
    return false;
  });
  CHECK(walked.ok());
  CHECK(visits == 1);
}
