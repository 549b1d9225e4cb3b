#include "remote/smtp_reply.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "remote/smtp_session.h"

using namespace postern;

namespace {

Result<ServerReply> parsed(std::string_view bytes, size_t step) {
  ReplyParser parser;
  while (!bytes.empty() && !parser.complete()) {
    Result<size_t> taken = parser.feed(bytes.substr(0, step));
    if (!taken) return taken.failure();
    bytes.remove_prefix(*taken);
  }
  if (!parser.complete()) return temporary("incomplete");
  return parser.take();
}

}  // namespace

TEST_CASE("a reply is the same however its bytes arrive") {
  struct Row {
    std::string bytes;
    unsigned code;
    std::string status, text;
  };
  const std::vector<Row> rows = {
      {"250 2.1.0 ok\r\n", 250, "2.1.0", "ok"},
      {"250 ok\r\n", 250, "2.0.0", "ok"},
      {"250\r\n", 250, "2.0.0", ""},
      {"250 \n", 250, "2.0.0", ""},
      {"550-5.1.1 no such\r\n550 5.1.1 user\r\n", 550, "5.1.1", "no such user"},
      {"550 4.1.1 disagrees\r\n", 550, "5.0.0", "4.1.1 disagrees"},
      {"451 4.7.1234 x\r\n", 451, "4.0.0", "4.7.1234 x"},
      {"451 4.7.123\r\n", 451, "4.7.123", ""},
      {"550 5.1.1x\r\n", 550, "5.0.0", "5.1.1x"},
      {"354-a\r\n354-\r\n354 b\r\n250 next", 354, "3.0.0", "a b"},
  };
  for (const Row& row : rows) {
    for (const size_t step : {size_t{1}, size_t{3}, size_t{1000}}) {
      CAPTURE(row.bytes);
      CAPTURE(step);
      const Result<ServerReply> reply = parsed(row.bytes, step);
      REQUIRE(reply.ok());
      CHECK(reply->code == row.code);
      CHECK(reply->status() == row.status);
      CHECK(reply->text(100) == row.text);
    }
  }
}

TEST_CASE("what is no reply is refused and never waited for") {
  std::string endless;
  for (int i = 0; i < 200; ++i) endless += "250-x\r\n";
  const std::vector<std::string> rows = {
      "\r\n",
      "25\r\n",
      "2x0 ok\r\n",
      "150 ok\r\n",
      "650 ok\r\n",
      "hello\r\n",
      "250-a\r\n251 b\r\n",
      "250_ok\r\n",
      " 250 ok\n",
      "\xff\xfe\r\n",
      std::string("\0\r\n", 3),
      "250 " + std::string(3000, 'x'),
      endless,
      "2500 x\r\n",
  };
  for (const std::string& bytes : rows) {
    CAPTURE(bytes.substr(0, 40));
    const Result<ServerReply> reply = parsed(bytes, 1000);
    REQUIRE(!reply.ok());
    CHECK(!reply.failure().permanent());
    CHECK(reply.failure().text != "incomplete");
  }
}

TEST_CASE("the text of a reply is bounded") {
  const Result<ServerReply> reply =
      parsed("250-" + std::string(2000, 'x') + "\r\n250 " + std::string(2000, 'y') + "\r\n", 100);
  REQUIRE(reply.ok());
  CHECK(reply->text(500).size() == 500);
}

TEST_CASE("the extensions of EHLO are read in any case, and only behind the first line") {
  const Extensions found =
      parse_extensions({"PIPELINING", "pipelining", "Size 1000", "8BITMIME", "X-OTHER a b", "", " "});
  CHECK(found.pipelining);
  CHECK(found.eight_bit_mime);
  CHECK(found.size);
  CHECK(found.size_limit == 1000);
  CHECK(!found.smtputf8);
  const Extensions none = parse_extensions({"SIZE 5", "SIZE x", "PIPELININGS"});
  CHECK(!none.pipelining);
  CHECK(none.size);
  CHECK(none.size_limit == 0);
  CHECK(!parse_extensions({}).size);
}
