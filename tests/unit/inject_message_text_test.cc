#include "inject/message_text.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern::inject;

namespace {

template <typename Reader>
std::string through(Reader& reader, const std::string& text, size_t piece) {
  std::string out;
  for (size_t at = 0; at < text.size(); at += piece) reader.take(text.substr(at, piece), out);
  return out;
}

unsigned hops_of(const std::string& text, size_t piece) {
  HopCounter counter;
  for (size_t at = 0; at < text.size(); at += piece) counter.take(text.substr(at, piece));
  return counter.hops();
}

}  // namespace

TEST_CASE("LF, CR LF and a CR alone end a line, wherever the bytes were cut") {
  const struct {
    std::string text, lines;
  } rows[] = {
      {"", ""},
      {"a\nb\n", "a\nb\n"},
      {"a\r\nb\r\n", "a\nb\n"},
      {"a\rb", "a\nb"},
      {"a\r\r\nb", "a\n\nb"},
      {"\r", "\n"},
      {"\n\r", "\n\n"},
      {"\r\n\r\n", "\n\n"},
      {std::string("\0\r\0", 3), std::string("\0\n\0", 3)},
      {"a\n\nb", "a\n\nb"},
      {"a\r\n\nb", "a\n\nb"},
      {"\xff\r\n", "\xff\n"},
  };
  for (const auto& row : rows) {
    for (const size_t piece : {1U, 2U, 3U, 100U}) {
      CAPTURE(row.text);
      LineEnds reader;
      CHECK(through(reader, row.text, piece) == row.lines);
    }
  }
}

TEST_CASE("a line of one dot ends the message, and no other line does") {
  const struct {
    std::string text, message;
    bool ended;
  } rows[] = {
      {"a\n.\nb\n", "a\n", true},     {".\n", "", true},         {"a\n..\nb\n", "a\n..\nb\n", false},
      {"a\n.b\n", "a\n.b\n", false},  {"a.\n.", "a.\n", false},  {"a\n. \nb", "a\n. \nb", false},
      {"a\n\n.\n.\n", "a\n\n", true}, {"a .\n", "a .\n", false}, {"", "", false},
  };
  for (const auto& row : rows) {
    for (const size_t piece : {1U, 2U, 3U, 100U}) {
      CAPTURE(row.text);
      DotEnd reader;
      CHECK(through(reader, row.text, piece) == row.message);
      CHECK(reader.ended() == row.ended);
    }
  }
}

TEST_CASE("hops are the Received: fields of the header") {
  const struct {
    std::string text;
    unsigned hops;
  } rows[] = {
      {"", 0},
      {"Received: a\n", 1},
      {"Received: a\nRECEIVED:b\nreceived:\n\nReceived: c\n", 3},
      {"X-Received: a\nReceived-SPF: b\n Received: c\n", 0},
      {"Subject: x\n\nReceived: c\n", 0},
      {"\nReceived: c\n", 0},
      {"Receive\nReceived", 0},
      {"Received: a Received: b\n folded Received:\nReceived:", 2},
  };
  for (const auto& row : rows) {
    for (const size_t piece : {1U, 2U, 3U, 100U}) {
      CAPTURE(row.text);
      CHECK(hops_of(row.text, piece) == row.hops);
    }
  }
}
