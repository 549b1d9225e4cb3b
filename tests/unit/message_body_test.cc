#include "remote/message_body.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "lib/fd.h"
#include "remote/smtp_transaction.h"
#include "scratch.h"

using namespace postern;

namespace {
std::string encoded(std::string_view message, size_t step) {
  BodyEncoder encoder;
  std::string out;
  for (; !message.empty(); message.remove_prefix(std::min(step, message.size()))) {
    encoder.encode(message.substr(0, step), out);
  }
  encoder.finish(out);
  return out;
}
}  // namespace

TEST_CASE("a body goes out with CRLF and stuffed dots, however it is cut") {
  struct Row {
    std::string message, expected;
  };
  const std::vector<Row> rows = {
      {"", ".\r\n"},
      {"a\n", "a\r\n.\r\n"},
      {"a", "a\r\n.\r\n"},
      {"\n", "\r\n.\r\n"},
      {".", "..\r\n.\r\n"},
      {".\n", "..\r\n.\r\n"},
      {"..\n.a\n", "...\r\n..a\r\n.\r\n"},
      {"a.b\n", "a.b\r\n.\r\n"},
      {"a\r\nb\r\n", "a\r\nb\r\n.\r\n"},
      {"a\r.\rb\n", "a\r\n..\r\nb\r\n.\r\n"},
      {"a\r", "a\r\n.\r\n"},
      {"a\r\r\n\nb", "a\r\n\r\n\r\nb\r\n.\r\n"},
      {"a\n.\r\nMAIL FROM:<x>\n", "a\r\n..\r\nMAIL FROM:<x>\r\n.\r\n"},
      {std::string("a\0b\xff\n", 5), std::string("a\0b\xff\r\n.\r\n", 9)},
  };
  for (const Row& row : rows) {
    for (const size_t step : {size_t{1}, size_t{2}, size_t{100}}) {
      CAPTURE(row.message);
      CAPTURE(step);
      CHECK(encoded(row.message, step) == row.expected);
    }
  }
}

TEST_CASE("a body is as long as it was said to be, wherever it is cut") {
  std::string blocks(65535, 'x');  // one byte less than what is read at a time
  for (const std::string& message : std::vector<std::string>{
           "", "\n", "\r", "\r\n", "\n\r", "a", "a\r\r\n\nb", "a\n.\r\nb\n", blocks + "\r\n", blocks + "\r",
           blocks + "\rb", blocks + "\n\r\n", blocks + "b\nc", blocks + blocks + "\xe4\r\r\n\n"}) {
    BodyEncoder encoder(BodyEncoder::Form::chunk);
    std::string out;
    encoder.encode(message, out);
    encoder.finish(out);
    const Fd file = memory_with(message);
    const Result<BodyFacts> facts = examine_body(file.get(), message.size());
    REQUIRE(facts.ok());
    CAPTURE(message.size());
    CHECK(facts->wire_bytes == out.size());
    CHECK(facts->has_8bit == (message.find('\xe4') != std::string::npos));
  }
}

TEST_CASE("a chunk has no stuffed dots and no end") {
  struct Row {
    std::string message, expected;
  };
  for (const Row& row : std::vector<Row>{
           {"", ""}, {".", ".\r\n"}, {".\n..\n", ".\r\n..\r\n"}, {"a\r.\nb", "a\r\n.\r\nb\r\n"}}) {
    BodyEncoder encoder(BodyEncoder::Form::chunk);
    std::string out;
    encoder.encode(row.message, out);
    encoder.finish(out);
    CHECK(out == row.expected);
  }
}

TEST_CASE("8-bit bytes of a header are told from those of a body") {
  struct Row {
    std::string message;
    bool found;
  };
  for (const Row& row : std::vector<Row>{{"", false},
                                         {"a: b\n\n\xe4\n", false},
                                         {"a: b\r\n\r\n\xe4\n", false},
                                         {"\n\xe4", false},
                                         {"a: \xe4\n\nb\n", true},
                                         {"a: b\n c \xe4", true},
                                         {std::string(70000, 'a') + "\n\xe4\n", true},
                                         {std::string(65535, 'a') + "\n\n\xe4\n", false}}) {
    const Result<Fd> file = memory_file_with("test", row.message);
    CAPTURE(row.message.size());
    CHECK(*header_has_8bit(file->get(), row.message.size()) == row.found);
  }
}

TEST_CASE("8-bit bytes are found wherever they stand") {
  const Result<Fd> plain = memory_file_with("test", std::string(100000, 'a'));
  const Result<Fd> last = memory_file_with("test", std::string(100000, 'a') + "\x80");
  CHECK(examine_body(plain->get(), 100000)->has_8bit == false);
  CHECK(examine_body(last->get(), 100001)->has_8bit == true);
  CHECK(examine_body(plain->get(), 0)->has_8bit == false);
}

TEST_CASE("an address is quoted where it must be, and never ends the command") {
  struct Row {
    std::string address, expected;
  };
  const std::vector<Row> rows = {
      {"", ""},
      {"a@example.org", "a@example.org"},
      {"a.b+c@example.org", "a.b+c@example.org"},
      {"a b@example.org", "\"a b\"@example.org"},
      {"a..b@example.org", "\"a..b\"@example.org"},
      {".a@example.org", "\".a\"@example.org"},
      {"a\"b\\c@example.org", "\"a\\\"b\\\\c\"@example.org"},
      {"\"a b\"@example.org", "\"a b\"@example.org"},
      {"\"a\"b\"@example.org", "\"\\\"a\\\"b\\\"\"@example.org"},
      {"a@b@example.org", "\"a@b\"@example.org"},
      {"@example.org", "\"\"@example.org"},
      {"a>@example.org", "\"a>\"@example.org"},
      {"postmaster", "postmaster"},
      {"a@[192.0.2.1]", "a@[192.0.2.1]"},
      {"a@example.org> SIZE=1", "(none)"},
      {"a@example.org\r\nRSET", "(none)"},
      {std::string("a\0@example.org", 14), "(none)"},
      {"\x7f@example.org", "(none)"},
      {"\xc3\xa4@example.org", "\xc3\xa4@example.org"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.address);
    CHECK(smtp_address(row.address).value_or("(none)") == row.expected);
  }
}
