#include "smtpd/data.h"

#include <doctest/doctest.h>

#include <vector>

using namespace postern::smtpd;

namespace {

struct Outcome {
  std::string message;
  size_t taken = 0;
  bool ended = false;
  bool bare = false;
  bool too_large = false;
  uint64_t size_bytes = 0;
};

Outcome read(std::string_view bytes, size_t chunk, uint64_t limit = 0,
             BareLineEnds mode = BareLineEnds::refuse) {
  TextReader data(Framing::data, {.message_bytes = limit, .line_bytes = 0, .bare_line_ends = mode});
  Outcome outcome;
  while (outcome.taken < bytes.size() && !data.ended()) {
    outcome.taken += data.take(bytes.substr(outcome.taken, chunk), outcome.message);
  }
  outcome.ended = data.ended();
  outcome.bare = data.bare_line_ends();
  outcome.too_large = data.too_large();
  outcome.size_bytes = data.size_bytes();
  return outcome;
}

struct Case {
  std::string bytes;
  const char* message;  // nullptr: refused for bare line ends
  bool ended;
  std::string behind;  // what is not taken
};

const std::string kNul(1, '\0');

// The whole truth, a byte at a time: the end of data is where the bytes so far (with the CR LF of the DATA
// line before them) end in CR LF . CR LF for the first time.
size_t end_by_definition(std::string_view bytes) {
  const std::string all = "\r\n" + std::string(bytes);
  const size_t at = all.find("\r\n.\r\n");
  return at == std::string::npos ? std::string::npos : at + 5 - 2;
}

}  // namespace

TEST_CASE("the message ends at CR LF . CR LF and nowhere else, however it was cut into packets") {
  const Case cases[] = {
      {".\r\n", "", true, ""},
      {"\r\n.\r\n", "\n", true, ""},
      {"a\r\n.\r\n", "a\n", true, ""},
      {"a\r\n.\r\nQUIT\r\n", "a\n", true, "QUIT\r\n"},
      {"a\r\n..\r\n.\r\n", "a\n.\n", true, ""},
      {"a\r\n...\r\n.\r\n", "a\n..\n", true, ""},
      {"a\r\n.b\r\n.\r\n", "a\nb\n", true, ""},
      {"a\r\n. \r\n.\r\n", "a\n \n", true, ""},
      {"a.\r\n.\r\n", "a.\n", true, ""},
      {"a\r\n\r\nb\r\n.\r\n", "a\n\nb\n", true, ""},
      {"a" + kNul + "b\r\n.\r\n", "a", true, ""},  // compared below
      {"\xff\x80\r\n.\r\n", "\xff\x80\n", true, ""},
      {"", "", false, ""},
      {"a", "a", false, ""},
      {"a\r\n", "a\n", false, ""},
      {"a\r\n.", "a\n", false, ""},
      {"a\r\n.\r", "a\n", false, ""},
      {"a.\r\n", "a.\n", false, ""},
      // Bare line ends.
      {"a\n.\n", nullptr, false, ""},
      {"a\n.\r\n", nullptr, false, ""},
      {"a\r\n.\n", nullptr, false, ""},
      {"a\r.\r", nullptr, false, ""},
      {"a\r.\r\n", nullptr, false, ""},
      {"a\r\r\n.\r\r\n", nullptr, false, ""},
      {"a\n\r.\n\r", nullptr, false, ""},
      {"a\r\n.\ra", nullptr, false, ""},
      {"a\n.\r\nMAIL\r\n.\r\nQUIT", nullptr, true, "QUIT"},
      {"a\r\n.\nMAIL\r\n.\r\nQUIT", nullptr, true, "QUIT"},
      {"a\r.\rMAIL\r\n.\r\nQUIT", nullptr, true, "QUIT"},
      {"a\r\n.\rMAIL\r\n.\r\nQUIT", nullptr, true, "QUIT"},
      {"a\r\n.\r\r\n.\r\nQUIT", nullptr, true, "QUIT"},
      {"\n.\r\n.\r\nQUIT", nullptr, true, "QUIT"},
      {"\r.\r\n.\r\n", nullptr, true, ""},
      {"a\nb\r\n.\r\n", nullptr, true, ""},
      {"a\rb\r\n.\r\n", nullptr, true, ""},
      {"a\r\r\n.\r\n", nullptr, true, ""},
      {".\n\r\n.\r\n", nullptr, true, ""},
      {"\r" + kNul + "\n.\r\n.\r\n", nullptr, true, ""},
  };
  for (const Case& c : cases) {
    for (size_t chunk = 1; chunk <= c.bytes.size() + 1; ++chunk) {
      CAPTURE(c.bytes);
      CAPTURE(chunk);
      const Outcome outcome = read(c.bytes, chunk);
      CHECK(outcome.ended == c.ended);
      CHECK(outcome.bare == (c.message == nullptr));
      CHECK(c.bytes.substr(outcome.taken) == c.behind);
      const bool with_nul = c.bytes.find('\0') != std::string::npos;
      if (c.message != nullptr && !with_nul) CHECK(outcome.message == c.message);
    }
  }
  CHECK(read("a" + kNul + "b\r\n" + kNul + ".\r\n.\r\n", 1).message == "a" + kNul + "b\n" + kNul + ".\n");
}

TEST_CASE("every text of five kinds of bytes up to seven long ends where the definition says") {
  const std::string_view alphabet("\r\n.a\0", 5);
  std::string bytes;
  for (size_t length = 0; length <= 7; ++length) {
    std::vector<size_t> digits(length, 0);
    for (bool more = true; more;) {
      bytes.clear();
      for (const size_t digit : digits) bytes += alphabet[digit];
      const Outcome whole = read(bytes, bytes.size() + 1);
      const Outcome pieces = read(bytes, 1);
      const size_t end = end_by_definition(bytes);
      const bool right = whole.ended == (end != std::string::npos) && (!whole.ended || whole.taken == end) &&
                         pieces.ended == whole.ended && pieces.taken == whole.taken &&
                         pieces.bare == whole.bare && (whole.bare || pieces.message == whole.message);
      for (const BareLineEnds mode : {BareLineEnds::strip, BareLineEnds::allow}) {
        const Outcome other = read(bytes, 1, 0, mode);
        if (other.ended != whole.ended || other.taken != whole.taken) FAIL("another end in another mode");
        if (!whole.bare && other.message != whole.message) FAIL("another message in another mode");
        if (mode == BareLineEnds::strip && other.message.find('\r') != std::string::npos)
          FAIL("a CR is left");
      }
      if (!right) {
        CAPTURE(bytes);
        FAIL("a wrong end");
      }
      more = false;
      for (size_t& digit : digits) {
        if (++digit < alphabet.size()) {
          more = true;
          break;
        }
        digit = 0;
      }
    }
  }
}

TEST_CASE("the size is what RFC 1870 counts, and one byte more than the limit is too large") {
  const std::string bytes = "..23456789\r\nab\r\n.\r\n";  // 9 + 2 + 2 + 2
  for (size_t chunk = 1; chunk <= bytes.size(); ++chunk) {
    CAPTURE(chunk);
    CHECK(read(bytes, chunk).size_bytes == 15);
    CHECK_FALSE(read(bytes, chunk, 15).too_large);
    const Outcome over = read(bytes, chunk, 14);
    CHECK(over.too_large);
    CHECK(over.ended);
  }
}

TEST_CASE("a refused message takes no room") {
  std::string bytes = "a\nb";
  bytes.append(100000, 'x').append("\r\n.\r\n");
  const Outcome outcome = read(bytes, 1000);
  CHECK(outcome.bare);
  CHECK(outcome.ended);
  CHECK(outcome.message.empty());
  CHECK(read(std::string(100000, 'x'), 1000, 5000).message.size() <= 5000);
}

TEST_CASE("lines are measured with their ends, and let pass when they are just long enough") {
  struct Case {
    const char* bytes;
    bool too_long;
  };
  const Case cases[] = {
      {"123456\r\n.\r\n", false},
      {"1234567\r\n.\r\n", true},
      {".1234567\r\n.\r\n", true},
      {".123456\r\n.\r\n", false},
      {"123456\r\n123456\r\n.\r\n", false},
      {"1234567\n1234567\n1\r\n.\r\n", false},
      {"12345678\n1\r\n.\r\n", true},
      {"\r\r\r\r\r\r\r\n.\r\n", false},
      {"\r\r\r\r\r\r\r\r\r\n.\r\n", true},
      {"12345678", false},
      {"123456789", true},
  };
  for (const Case& c : cases) {
    CAPTURE(c.bytes);
    for (size_t piece : {size_t{1}, size_t{3}, size_t{100}}) {
      TextReader text(Framing::data,
                      {.message_bytes = 0, .line_bytes = 8, .bare_line_ends = BareLineEnds::allow});
      std::string out;
      for (std::string_view rest = c.bytes; !rest.empty() && !text.ended();)
        rest.remove_prefix(text.take(rest.substr(0, piece), out));
      CHECK(text.line_too_long() == c.too_long);
    }
  }
}

TEST_CASE("chunks have neither dots nor an end") {
  TextReader text(Framing::chunks, {});
  std::string out;
  CHECK(text.take("..a\r\n.\r\n.\r", out) == 10);
  CHECK_FALSE(text.ended());
  CHECK(text.take("\n", out) == 1);
  text.finish(out);
  CHECK(text.ended());
  CHECK(out == "..a\n.\n.\n");
  CHECK_FALSE(text.bare_line_ends());
  TextReader cut(Framing::chunks, {});
  cut.take("a\r", out);
  CHECK_FALSE(cut.bare_line_ends());
  cut.finish(out);
  CHECK(cut.bare_line_ends());
}
