#include "scanq/message_parts.h"

#include <doctest/doctest.h>

#include <string>

#include "lib/text.h"
#include "scanq/message_edits.h"

using namespace postern;

namespace {

std::string with_crlf(std::string_view text) {
  std::string result;
  for (const char c : text) result += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return result;
}

// The tree in one line: leaves as their bytes, "?" behind what goes no deeper, children in brackets.
std::string outline(std::string_view message, const MessagePart& part) {
  std::string text = part.sure ? "" : "?";
  if (part.children.empty()) {
    for (const char c : message.substr(part.body, part.end - part.body))
      if (c != '\r') text += c == '\n' ? '|' : c;
    return text;
  }
  text += "[";
  for (const MessagePart& child : part.children)
    text.append(text.ends_with('[') ? "" : ",").append(outline(message, child));
  return text + "]";
}

std::string outline(std::string_view message) {
  return outline(message, read_message_parts(message));
}

const std::string kNested =
    "Subject: top\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"out\"\n\npreamble\n"
    "--out\n\none\n"
    "--out\nContent-Type: multipart/alternative;\n\tboundary=in\n\n"
    "--in\nContent-Type: text/plain\n\ntwo\n\n--in\nContent-Type: text/html\n\nthree\n--in--\nepilogue\n"
    "--out \nContent-Type: message/rfc822\n\n"
    "Subject: inner\nContent-Type: multipart/mixed; "
    "boundary=deep\n\n--deep\n\nfour\n--deep\n\nfive\n--deep--\n"
    "--out\nContent-Type: message/rfc822\n\nSubject: single\nContent-Type: application/x\n\nsix\n"
    "--out--\nafter\n";

std::string dropped(const std::string& message, const std::vector<std::vector<unsigned>>& paths) {
  const MessagePart top = read_message_parts(message);
  std::vector<const MessagePart*> parts;
  for (const std::vector<unsigned>& path : paths) {
    parts.push_back(part_at(top, path));
    if (parts.back() == nullptr) return "NOT FOUND";
  }
  std::optional<std::vector<Edit>> edits = drop_parts(top, parts);
  return edits ? edited_text(message, std::move(*edits)) : "NOTHING LEFT";
}

std::string replaced(const std::string& message, const std::vector<unsigned>& path,
                     std::string_view note = "note\n") {
  const MessagePart top = read_message_parts(message);
  const MessagePart* part = part_at(top, path);
  if (part == nullptr) return "NOT FOUND";
  std::optional<std::vector<Edit>> edits = replace_part(message, *part, note);
  return edits ? edited_text(message, std::move(*edits)) : "NOT POSSIBLE";
}

// `message` without what stands from `begin` up to `end`, with something else instead.
std::string cut_out(std::string message, std::string_view begin, std::string_view end,
                    std::string_view with = "") {
  const size_t at = message.find(begin);
  REQUIRE(at != std::string::npos);
  const size_t to = message.find(end, at + begin.size());
  REQUIRE(to != std::string::npos);
  return message.replace(at, to - at, with);
}

const std::string kNoteFields =
    "Content-Type: text/plain; charset=utf-8\nContent-Disposition: inline\nContent-Transfer-Encoding: 7bit\n";

}  // namespace

TEST_CASE("the parts of a message are found in either kind of line ends") {
  CHECK(outline(kNested) == "[one,[two|,three],[[four,five]],[six]]");
  CHECK(outline(with_crlf(kNested)) == "[one,[two|,three],[[four,five]],[six]]");
  CHECK(outline("Subject: x\n\nbody\n") == "body|");
  CHECK(outline("\nbody") == "body");
  CHECK(outline("Content-Type: multipart/digest; boundary=b\n\n--b\n\nA: b\n\ninner\n--b\n"
                "Content-Type: text/plain\n\nx\n--b--") == "[[inner],x]");
  CHECK(outline("Content-Type: multipart/mixed; boundary=\"a \\\"b\"; x=y;\n\n--a \"b\n\nx\n--a \"b--") ==
        "[x]");
  CHECK(outline("Content-Type: multipart/mixed; boundary=b\n\n--b\n--b\n\n\n--b--\n") == "[?,]");
}

TEST_CASE("what readers could see differently goes no deeper") {
  const std::string body = "\n--b\n\none\n--b\n\ntwo\n--b--\n";
  const std::string good = "Content-Type: multipart/mixed; boundary=b\n";
  CHECK(outline(good + body) == "[one,two]");
  const std::string rows[] = {
      good + good + body,
      "Content-Type: multipart/mixed; boundary=b; boundary=c\n" + body,
      "Content-Type: multipart/mixed; boundary*=us-ascii''b\n" + body,
      "Content-Type: multipart/mixed; boundary*0=b\n" + body,
      "Content-Type: multipart/mixed; boundary = b\n" + body,
      "Content-Type: multipart/mixed; boundary=\"b\n" + body,
      "Content-Type: multipart/mixed (x); boundary=b\n" + body,
      "Content-Type: multipart/mixed boundary=b\n" + body,
      "Content-Type: multipart/mixed\n" + body,
      "Content-Type: multipart; boundary=b\n" + body,
      "Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=b\n" + body,
      "Content-Type: multipart/mixed; boundary=\n" + body,
      good + "Content-Transfer-Encoding: base64\n" + body,
      good + "Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n" + body,
      good + "no field\n" + body,
      good + "Content-Transfer-Encoding : base64\n" + body,
      good + " \n" + body,
      good + "X: a\rContent-Type: text/plain\n" + body,
      good + std::string("X: a\0b\n", 7) + body,
      "From a@b\n" + good + body,
      " folded\n" + good + body,
      good + "\n--b\n\none\n--b\n\ntwo\n",          // not closed
      good + "\n--b\n\none\n--b--\n--b\n\ntwo\n",   // goes on behind its end
      good + "\n--b\n\none\n--bb\n\ntwo\n--b--\n",  // a line that begins like a delimiter
      good + "\n--b\n\none\r--b\n\ntwo\n--b--\n",   // a line for those who end lines with CR
      good + "\n--b--\n",                           // no part
      good + "\nnothing",
      good,  // no body
      "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3Vi\n",
  };
  for (const std::string& row : rows) {
    CAPTURE(row);
    const MessagePart top = read_message_parts(row);
    CHECK_FALSE(top.sure);
    CHECK(top.children.empty());
    CHECK(part_at(top, {}) == nullptr);
    CHECK(part_at(top, {0}) == nullptr);
  }
  // The part that holds it is sure all the same; a boundary like one around it is not.
  CHECK(outline("Content-Type: multipart/mixed; boundary=o\n\n--o\n" + good + good + body + "--o--\n")
            .starts_with("[?--b"));
  CHECK(outline("Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/mixed; "
                "boundary=ox\n\nx\n--o--\n") == "[?x]");
}

TEST_CASE("depth and number of parts are bounded") {
  std::string message = "Subject: x\n\ndeep";
  for (int i = 0; i < 2000; ++i) message = "Content-Type: message/rfc822\n\n" + message;
  size_t depth = 0;
  const MessagePart top = read_message_parts(message);
  const MessagePart* part = &top;
  for (; !part->children.empty(); ++depth) part = &part->children.front();
  CHECK(depth == 64);
  CHECK_FALSE(part->sure);
  std::string many = "Content-Type: multipart/mixed; boundary=b\n\n";
  for (int i = 0; i < 6000; ++i) many += "--b\n\nx\n";
  CHECK_FALSE(read_message_parts(many + "--b--\n").sure);
}

TEST_CASE("a path names a part, or the whole attachment that it leads into") {
  struct Row {
    std::vector<unsigned> path;
    const char* body;  // null: not to be told
  };
  const Row rows[] = {
      {{0}, "one"},         {{0, 3, 1}, "one"}, {{1, 1}, "three"}, {{2, 0, 1}, "five"}, {{3, 0}, "six\n"},
      {{3, 0, 7}, "six\n"}, {{}, nullptr},      {{4}, nullptr},    {{1, 2}, nullptr},   {{2, 1}, nullptr},
  };
  const MessagePart top = read_message_parts(kNested);
  for (const Row& row : rows) {
    CAPTURE(row.path.size());
    const MessagePart* part = part_at(top, row.path);
    REQUIRE((part != nullptr) == (row.body != nullptr));
    if (part != nullptr) CHECK(trim(kNested.substr(part->body, part->end - part->body)) == trim(row.body));
  }
  CHECK(parent_of(top, *part_at(top, {1, 1})) == part_at(top, {1}));
  CHECK(parent_of(top, top) == nullptr);
  CHECK(leaves_of(top).size() == 6);
}

TEST_CASE("a dropped part goes with its delimiter, and every other byte stays") {
  for (const bool crlf : {false, true}) {
    CAPTURE(crlf);
    const auto form = [&](std::string_view text) { return crlf ? with_crlf(text) : std::string(text); };
    const std::string message = form(kNested);
    CHECK(dropped(message, {{0}}) == cut_out(message, form("--out\n\none"), "--out"));
    CHECK(dropped(message, {{1, 0}}) ==
          cut_out(message, form("--in\n"), form("--in\nContent-Type: text/html")));
    CHECK(dropped(message, {{1, 1}}) == cut_out(message, form("--in\nContent-Type: text/html"), "--in--"));
    CHECK(dropped(message, {{2, 0, 1}}) == cut_out(message, form("--deep\n\nfive"), "--deep--"));
    // Nothing would be left of the multipart, or of the message in it.
    CHECK(dropped(message, {{1, 0}, {1, 1}}) ==
          cut_out(message, form("--out\nContent-Type: multipart"), "--out "));
    CHECK(dropped(message, {{3, 0}}) ==
          cut_out(message, form("--out\nContent-Type: message/rfc822\n\nSubject: single"), "--out--"));
    CHECK(dropped(message, {{1}, {1, 0}, {0}}) == cut_out(message, form("--out\n\none"), "--out "));
    CHECK(dropped(message, {{0}, {1}, {2}, {3}}) == "NOTHING LEFT");
    CHECK(dropped(form("Subject: x\n\nbody\n"), {{}}) == "NOTHING LEFT");
    CHECK(outline(dropped(message, {{0}, {2, 0, 0}})) == "[[two|,three],[[five]],[six]]");
  }
}

TEST_CASE("a note takes the place of a part, and every other byte stays") {
  for (const bool crlf : {false, true}) {
    CAPTURE(crlf);
    const auto form = [&](std::string_view text) { return crlf ? with_crlf(text) : std::string(text); };
    const std::string message = form(kNested);
    const std::string note = form(kNoteFields + "\nnote\n");
    CHECK(replaced(message, {0}) == cut_out(message, form("\none\n"), "--out", note));
    CHECK(replaced(message, {1, 1}) == cut_out(message, form("Content-Type: text/html"), "--in--", note));
    CHECK(replaced(message, {2, 0, 0}) == cut_out(message, form("\nfour\n"), "--deep", note));
    // The message in a message keeps its own fields.
    CHECK(replaced(message, {3, 0}) ==
          cut_out(message, "Content-Type: application/x", "--out--",
                  form("MIME-Version: 1.0\n" + kNoteFields + "\nnote\n") + form("\n")));
    CHECK(outline(replaced(message, {2})).starts_with("[one,[two|,three],note,"));
  }
}

TEST_CASE("the body of a single part becomes the note, and its MIME fields fit it") {
  const std::string top = "Received: a\n\tb\nSubject: x\n";
  CHECK(replaced(top + "\nbody", {}) == top + "MIME-Version: 1.0\n" + kNoteFields + "\nnote\n");
  CHECK(replaced("Content-ID: <a>\n" + top +
                     "MIME-Version: 1.0\nCONTENT-type: application/x;\n\tname=a\n"
                     "X-Last: y\nContent-Transfer-Encoding: base64\n\nAAAA\n",
                 {}) == kNoteFields + top + "MIME-Version: 1.0\nX-Last: y\n\nnote\n");
  CHECK(replaced(with_crlf(top + "Content-Type: text/html\n\nbody\n"), {}) ==
        with_crlf(top + "MIME-Version: 1.0\n" + kNoteFields + "\nnote\n"));
  // Several fields are no doubt where all of them go.
  CHECK(replaced(top + "Content-Type: text/html\nContent-Type: text/plain\n\nbody\n", {}) == "NOT FOUND");
  CHECK(replaced("no field\n\nbody\n", {}) == "NOT FOUND");
  CHECK(replaced("\nbody\n", {}) == "NOT POSSIBLE");
  CHECK(replaced(top, {}) == "NOT FOUND");
  CHECK(replaced(top + "\nx", {}, "caf\xc3\xa9").ends_with("Encoding: quoted-printable\n\ncaf=C3=A9\n"));
  CHECK(replaced(top + "\nx", {}, std::string(999, 'x')).find("quoted-printable") != std::string::npos);
}

TEST_CASE("text is put in front of the subject, its folding kept") {
  struct Row {
    std::string header;
    std::string result;
  };
  const std::string text = "[V]";
  const std::string long_subject(990, 'x');
  const Row rows[] = {
      {"Subject: hello\n", "Subject: [V] hello\n"},
      {"SUBJECT:hello\r\n", "SUBJECT: [V] hello\r\n"},
      {"Subject:\n\tfolded\n more\nX: y\n", "Subject: [V]\n\tfolded\n more\nX: y\n"},
      {"Subject: =?utf-8?q?=C3=A9?=\n", "Subject: [V] =?utf-8?q?=C3=A9?=\n"},
      {"Subject:\n", "Subject: [V]\n"},
      {"Subject:   \n", "Subject: [V]   \n"},
      {"X: y\n", "X: y\nSubject: [V]\n"},
      {"X: y\r\n", "X: y\r\nSubject: [V]\r\n"},
      {"Subject: a\nX: y\nSubject: b\n", "Subject: [V] a\nX: y\nSubject: [V] b\n"},
      {"Subject: " + long_subject + "\n", "Subject: [V]\n " + long_subject + "\n"},
      {"Subject:" + long_subject + "\r\n", "Subject: [V]\r\n " + long_subject + "\r\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.header);
    const std::string message =
        row.header + (row.header.ends_with("\r\n") ? "\r\n" : "\n") + "Subject: body\n";
    std::optional<std::vector<Edit>> edits = prepend_subject(message, read_message_parts(message), text);
    REQUIRE(edits.has_value());
    CHECK(edited_text(message, std::move(*edits)) == row.result + message.substr(row.header.size()));
  }
  const std::string encoded = "Subject: a\n\nx";
  CHECK(edited_text(encoded, *prepend_subject(encoded, read_message_parts(encoded), "\xc3\xa9")) ==
        "Subject: =?utf-8?q?=C3=A9_?= a\n\nx");
  CHECK_FALSE(prepend_subject("broken\n\nx", read_message_parts("broken\n\nx"), text).has_value());
}
