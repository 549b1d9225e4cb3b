#include "scanq/antivirus_mime.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace postern;

namespace {

std::vector<std::string> parts_of(std::string_view message, const MimeLimits& limits = {}) {
  std::vector<std::string> parts;
  const MimeReport report = walk_pieces(message, limits, [&](const MimePiece& piece) {
    if (!piece.is_message) parts.emplace_back(piece.bytes);
    return true;
  });
  if (!report.limit.empty()) parts.push_back("FAILED: look into the message: " + report.limit);
  return parts;
}

// Is this, whole, among what is visited?
bool visits(std::string_view message, std::string_view content) {
  const std::vector<std::string> parts = parts_of(message);
  return std::find(parts.begin(), parts.end(), content) != parts.end();
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
      {"Subject: x\r\r\nA: b\n", false},
      {"Subject: x\n \nA: b\n", false},
      {"Subject: x\n\t \r\nA: b\r\n", false},
      {"Subject: x\n\ty\nA: b\n", true},
      {"X-\xe4: y\n", false},
      {">Content-Transfer-Encoding: base64\n", false},
      {"X;Content-Transfer-Encoding: base64\n", false},
      {"Content-Transfer-Encoding(c): base64\n", false},
      {"X-Content-Type-Options: y\n", false},
      {"Content-Type: text/plain; boundary=b\n", false},
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

TEST_CASE("a body that is a file by its first bytes is not plain") {
  const std::string header = "Subject: x\n\n";
  const std::string tnef = "\x78\x9f\x3e\x22xyz and more\n";
  const std::string signed_data = "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02 and more\n";
  CHECK_FALSE(is_plain_message(header + tnef));
  CHECK(is_plain_message(header + "x" + tnef));
  CHECK_FALSE(is_plain_message(header + signed_data));
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
    CHECK(visits(part, row.content));
    const std::string inside = multipart("b", {"\nfirst", part});
    CHECK(visits(inside, "first"));
    CHECK(visits(inside, row.content));
  }
  // One piece where all readers agree.
  const std::string agreed = "Content-Type: a/b\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n";
  CHECK(parts_of(agreed) == std::vector<std::string>{"hello"});
  CHECK(parts_of(multipart("b", {"\nfirst", agreed})) == std::vector<std::string>{"first", "hello"});
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
    for (const std::string& content : row.contents)
      CHECK(visits("Content-Transfer-Encoding: quoted-printable\n\n" + body, content));
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
      CHECK(visits(message, "inner"));
      CHECK_FALSE(parts_of(message).back().starts_with("FAILED"));
    }
  }
  // One that holds itself without end meets a limit.
  CHECK(
      visits("Content-Type: multipart/mixed; boundary=\"a \\\"\\\\\"\n"
             "Content-Transfer-Encoding: quoted-printable\n\n=2D-a \"\\\n\ninner\n",
             "inner\n"));
  std::string nested;
  for (int i = 0; i < 3000; ++i)
    nested +=
        "--b\nContent-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: quoted-printable\n\n";
  CHECK(parts_of("Content-Type: multipart/mixed; boundary=b\n\n" + nested).back().starts_with("FAILED"));
  CHECK(parts_of("Content-Type: multipart/mixed\nContent-Transfer-Encoding: base64\n").empty());
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
  CHECK(visits(multipart("b", {encoded}), "deep"));
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
  for (int i = 0; i < 40; ++i) nested = multipart("b" + std::to_string(i) + "e", {nested});
  CHECK(parts_of(nested, {.depth = 40}) == std::vector<std::string>{"deep"});
  CHECK(parts_of(nested, {.depth = 39}).back().starts_with("FAILED"));
  std::string messages = "Subject: x\n\ndeep";
  for (int i = 0; i < 5000; ++i) messages = "Content-Type: message/rfc822\n\n" + messages;
  CHECK(parts_of(messages).back().starts_with("FAILED"));
}

TEST_CASE("broken and empty messages are walked to their end") {
  CHECK(parts_of("").empty());
  CHECK(parts_of("\n").empty());
  CHECK(parts_of("Content-Type: multipart/mixed; boundary=b\n\nno boundary here") ==
        std::vector<std::string>{"no boundary here"});
  CHECK(parts_of("Content-Type: multipart/mixed; boundary=b\n\n--b\n\ncut") ==
        std::vector<std::string>{"cut"});
  CHECK(parts_of(std::string("A: b\n\n\0\377x", 9)) == std::vector<std::string>{std::string("\0\377x", 3)});
  int visits = 0;
  const MimeReport report = walk_pieces(multipart("b", {"\none", "\ntwo"}), {}, [&](const MimePiece&) {
    ++visits;
    return false;
  });
  CHECK(report.limit.empty());
  CHECK(visits == 1);
}

namespace {

struct Seen {
  std::vector<std::string> contents;
  std::vector<std::vector<std::string>> names;
  std::vector<std::vector<unsigned>> paths;
  std::vector<std::string> sources;  // of the message, where each stands
  MimeReport report;
};

Seen look(std::string_view message, const MimeLimits& limits = {}) {
  Seen seen;
  seen.report = walk_pieces(message, limits, [&](const MimePiece& piece) {
    seen.contents.emplace_back(piece.bytes);
    seen.names.push_back(piece.names);
    seen.paths.push_back(piece.place.path);
    seen.sources.emplace_back(message.substr(piece.place.begin, piece.place.end - piece.place.begin));
    return true;
  });
  return seen;
}

}  // namespace

TEST_CASE("what a message cannot tell alone is ambiguous, what nobody can look into encrypted") {
  struct Row {
    const char* message;
    bool ambiguous;
    bool encrypted;
  };
  const Row rows[] = {
      {"Content-Type: text/plain\n\nx", false, false},
      {"Content-Type: message/partial; number=1; total=2\n\nx", true, false},
      {"Content-Type: message/external-body; access-type=ftp\n\nContent-Type: image/gif\n\n", false, false},
      {"Content-Type: a/b\nContent-Transfer-Encoding: x-unheard\n\nx", true, false},
      {"Content-Type: text/plain\nContent-Transfer-Encoding: x-unheard\n\nx", false, false},
      {"Content-Type: text/plain\nContent-Transfer-Encoding: x-unheard\n\n\x01", true, false},
      {"Content-Type: multipart/encrypted; boundary=b\n\n--b\n\nx\n--b--\n", false, true},
      {"Content-Type: text/plain\n\n-----BEGIN PGP MESSAGE-----\n\nabc\n", false, true},
      {"Content-Type: text/plain\n\n=ybegin part=1 line=128 size=9 name=f\n=ypart begin=1 end=1\na\n", true,
       false},
      {"Content-Type: text/plain\n\nquoted:\nContent-Type: message/partial\n\nx", false, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.message);
    const MimeReport report = look(row.message).report;
    CHECK(report.ambiguous.empty() != row.ambiguous);
    CHECK(report.encrypted == row.encrypted);
    CHECK(report.limit.empty());
  }
}

TEST_CASE("a piece has the place of its part, however it was found") {
  const std::string uu = "\nwords\nbegin 644 f.txt\n%:&5L;&\\`\n`\nend";
  const std::string inner = "Content-Type: message/rfc822; name=m\n\n" + multipart("in", {"\none", "\ntwo"});
  const Seen seen = look(multipart("b", {"\nfirst", uu, inner}));
  const auto path_of = [&](std::string_view content) {
    const auto at = std::find(seen.contents.begin(), seen.contents.end(), content);
    REQUIRE(at != seen.contents.end());
    return static_cast<size_t>(at - seen.contents.begin());
  };
  using Path = std::vector<unsigned>;
  CHECK(seen.paths[path_of("first")] == Path{0});
  CHECK(seen.sources[path_of("first")] == "\nfirst");
  CHECK(seen.names[path_of("hello")] == std::vector<std::string>{"f.txt"});
  CHECK(seen.paths[path_of("one")] == Path{2, 0, 0});
  CHECK(seen.paths[path_of("two")] == Path{2, 0, 1});
  CHECK(seen.paths[path_of("hello")] == Path{1});
  CHECK(seen.sources[path_of("hello")] == uu);
}

TEST_CASE("files in text and entities where none is expected are found") {
  const char* const messages[] = {
      "Subject: x\n\nwords\nbegin 644 f\n%:&5L;&\\`\n`\nend\n",
      "Subject: x\n\nwords\nbegin 944 f\n%:&5L;&\\`\n`\nend\n",
      "Subject: x\n\nbegin  f\n%:&5L;&\\`\n`\nend\n",
      "Subject: x\n\nsee begin 644 f\n%:&5L;&\\`\n`\nend\n",
      "Subject: x\n\n> begin 0644 f\n%:&5L;&\\`\n`\nend\n",
      "Content-Type: text/html\n\nsee begin 644 f\n%:&5L;&\\`\n`\nend\n",
      "Subject: x\n\nbegin-base64 644 f\naGVsbG8=\n====\n",
      "Subject: x\n\n=ybegin line=128 size=5 name=f\n\x92\x8f\x96\x96\x99\n=yend size=5\n",
      "Content-Type: text/plain\n\n--x\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n--x--\n",
      "Content-Type: multipart/mixed; boundary=q\n\n--x\nContent-Disposition: attachment\n\nhello\n--x--\n",
      "Content-Type: multipart/mixed; boundary=b\n\n--b--\n--b\n\nhello\n--b--\n",
      "Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n--b--\n",
      "Content-Type: multipart/mixed; boundary=b\r\rx\r--b\r\rhello\r--b--\r",
      "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n--b",
  };
  for (const std::string message : messages) {
    CAPTURE(message);
    CHECK(visits(message, "hello"));
    CHECK_FALSE(is_plain_message(message));
  }
}

TEST_CASE("words that only look like the begin of a file leave a message plain") {
  for (const char* text :
       {"we begin 20240 today\n", "begin at 9\n", "the begin 64 x\n", "beginning 644 x\n"}) {
    CAPTURE(text);
    CHECK(is_plain_message(std::string("Subject: x\n\nhello\n") + text));
  }
}

TEST_CASE("a header of thousands of fields is read in bounded time, and said to be too much") {
  std::string message = "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\nX: y\n";
  for (unsigned i = 0; i < 20000; ++i) message += " Content-Type: a\n";
  message += "\nhello\n--b--\n";
  const MimeReport report = walk_pieces(message, {}, [](const MimePiece&) { return true; });
  CHECK(report.ambiguous.find("more fields") != std::string::npos);
}

TEST_CASE("a boundary that begins another one, and a part that goes on behind the end of the one around it") {
  const std::string prefix =
      multipart("b", {"Content-Type: multipart/mixed; boundary=bb\n\n--bb\n\nhello\n--bb--"});
  CHECK(visits(prefix, "hello"));
  const std::string open =
      "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/mixed; boundary=i\n\n"
      "--o--\n--i\n\nhello\n--i--\n";
  CHECK(visits(open, "hello"));
}

TEST_CASE("the time that a walk may take is a limit") {
  CHECK(look("Subject: x\n\nbody", {.seconds = 0}).report.limit ==
        "it takes more than 0 seconds to take apart");
}
