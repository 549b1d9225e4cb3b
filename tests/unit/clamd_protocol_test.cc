#include "scanq/clamd_protocol.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;
using namespace std::literals;

TEST_CASE("commands of clamd are known in all three forms") {
  struct Row {
    std::string_view bytes;
    bool whole;
    ClamdVerb verb;
    std::string_view argument;
    size_t taken;  // 0: more has to come
  };
  const Row rows[] = {
      {"zPING\0"sv, false, ClamdVerb::ping, "", 6},
      {"nPING\nnEND\n", false, ClamdVerb::ping, "", 6},
      {"nPING\r\n", false, ClamdVerb::ping, "", 7},
      {"PING", true, ClamdVerb::ping, "", 4},
      {"PING", false, ClamdVerb::unknown, "", 0},
      {"PING\n", false, ClamdVerb::ping, "", 5},
      {"nPING", true, ClamdVerb::unknown, "", 0},
      {"zPING\n", true, ClamdVerb::unknown, "", 0},
      {"", true, ClamdVerb::unknown, "", 0},
      {"z\0"sv, true, ClamdVerb::unknown, "", 2},
      {"\n", true, ClamdVerb::unknown, "", 1},
      {"zSCAN /a b\nc\0"sv, false, ClamdVerb::scan, "/a b\nc", 13},
      {"nCONTSCAN /a\n", false, ClamdVerb::contscan, "/a", 13},
      {"SCAN", true, ClamdVerb::unknown, "", 4},
      {"nSCAN \n", false, ClamdVerb::unknown, "", 7},
      {"nPING x\n", false, ClamdVerb::unknown, "", 8},
      {"nSCAN /a\0b\n"sv, false, ClamdVerb::unknown, "", 11},
      {"nping\n", false, ClamdVerb::unknown, "", 6},
      {"nSHUTDOWN\n", false, ClamdVerb::unknown, "", 10},
      {"zINSTREAM\0\0\0\0\4"sv, false, ClamdVerb::instream, "", 10},
      {"zFILDES\0"sv, false, ClamdVerb::fildes, "", 8},
      {"zIDSESSION\0"sv, false, ClamdVerb::idsession, "", 11},
      {"zVERSIONCOMMANDS\0"sv, false, ClamdVerb::version_commands, "", 17},
  };
  for (const Row& row : rows) {
    CAPTURE(row.bytes);
    const std::optional<TakenCommand> taken = take_clamd_command(row.bytes, row.whole);
    CHECK(taken.has_value() == (row.taken > 0));
    if (!taken) continue;
    CHECK(taken->bytes == row.taken);
    CHECK(taken->command.verb == row.verb);
    CHECK(taken->command.argument == row.argument);
    CHECK(taken->command.terminator == (row.bytes.front() == 'z' ? '\0' : '\n'));
  }
}

TEST_CASE("a command that does not end is refused") {
  for (const char* prefix : {"z", "n", "SCAN /"}) {
    const std::string bytes = prefix + std::string(9000, 'x');
    const std::optional<TakenCommand> taken = take_clamd_command(bytes, false);
    REQUIRE(taken);
    CHECK(taken->command.verb == ClamdVerb::unknown);
    CHECK(taken->bytes == bytes.size());
  }
}

TEST_CASE("a stream is put together from its chunks however they arrive") {
  const std::string_view all = "\0\0\0\3abc\0\0\0\1d\0\0\0\0PING"sv;
  for (size_t piece = 1; piece <= all.size(); ++piece) {
    ClamdStream stream;
    std::string content;
    size_t used = 0;
    for (size_t at = 0; at < all.size() && !stream.ended(); at += piece) {
      std::string_view bytes = all.substr(at, piece);
      const size_t before = bytes.size();
      for (std::string_view got = stream.take(bytes);; got = stream.take(bytes)) {
        content += got;
        if (got.empty()) break;
      }
      used += before - bytes.size();
    }
    CHECK(content == "abcd");
    CHECK(stream.ended());
    CHECK(used == 16);
  }
  ClamdStream large;
  std::string_view bytes = "\xff\xff\xff\xffxyz"sv;
  CHECK(large.take(bytes) == "xyz");
  CHECK(!large.ended());
}

TEST_CASE("an answer that is not surely OK is not OK") {
  struct Row {
    const char* line;
    ClamdAnswer::Kind kind;
    const char* text;
  };
  const Row rows[] = {
      {"stream: OK", ClamdAnswer::Kind::ok, ""},
      {"1: stream: OK\n", ClamdAnswer::Kind::ok, ""},
      {"1: stream: Eicar FOUND", ClamdAnswer::Kind::found, "Eicar"},
      {"/a: b: Eicar FOUND", ClamdAnswer::Kind::found, "Eicar"},
      {"x FOUND", ClamdAnswer::Kind::found, "x"},
      {"OK", ClamdAnswer::Kind::error, "OK"},
      {"stream: OK no", ClamdAnswer::Kind::error, "stream: OK no"},
      {"stream: no ERROR", ClamdAnswer::Kind::error, "stream: no ERROR"},
      {"", ClamdAnswer::Kind::error, ""},
      {" FOUND", ClamdAnswer::Kind::error, "FOUND"},
      {"stream: a\001b FOUND", ClamdAnswer::Kind::found, "a\\x01b"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    const ClamdAnswer answer = parse_clamd_answer(row.line);
    CHECK(answer.kind == row.kind);
    CHECK(answer.text == row.text);
  }
}
