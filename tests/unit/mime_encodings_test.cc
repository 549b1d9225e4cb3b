#include "scanq/mime_encodings.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace postern;

namespace {

using Ways = bool (*)(std::string_view, const TakeDecoded&);

std::vector<std::string> all(Ways decode, std::string_view raw) {
  std::vector<std::string> found;
  CHECK(decode(raw, [&](std::string_view way) {
    found.emplace_back(way);
    return true;
  }));
  return found;
}

bool holds(const std::vector<std::string>& list, std::string_view one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

}  // namespace

TEST_CASE("base64 that all readers decode alike has one result") {
  struct Row {
    const char* raw;
    const char* content;
  };
  const Row rows[] = {
      {"", ""},
      {"aGVsbG8=", "hello"},
      {"aGVsbG8gd29ybGQ=\n", "hello world"},
      {"aGVs\nbG8g\nd29y\nbGQ=\n", "hello world"},
      {"aGVs\r\nbG8=\r\n", "hello"},
      {"aGVs bG8=", "hello"},
      {"aGVsbG8h", "hello!"},
      {"aA==\n\n", "h"},
  };
  for (const Row& row : rows) {
    const std::string raw = row.raw;
    CAPTURE(raw);
    CHECK(all(decode_base64_ways, raw) == std::vector<std::string>{row.content});
  }
}

TEST_CASE("broken base64 is decoded as each reader does it") {
  struct Row {
    const char* raw;
    std::vector<std::string> contents;
  };
  const Row rows[] = {
      {"aGVsbG8=d29ybGQ=", {"hello", "helloworld"}},
      {"aA==ZQ==", {"h", "he"}},
      {"=aGVsbG8=", {"", "hello"}},
      {"aGV=sbG8", {"he", "hello"}},
      {"aGVs!bG8=", {"hel", "hello"}},
      {"words!\naGVsbG8=", {"hello"}},
      {"aGVsbG8=\n-- \nfoot er", {"hello"}},
      {"aGVsbG8\nd29ybGQ\n", {"helloworld"}},
      {"aGVsbG8=\n\nd29y", {"hello", "hellowor"}},
      {"aGVsbG8", {"hello", "hel"}},
      {"_-_-", {"\xff\xef\xfe"}},
      {"!", {""}},
  };
  for (const Row& row : rows) {
    const std::string raw = row.raw;
    CAPTURE(raw);
    const std::vector<std::string> found = all(decode_base64_ways, raw);
    for (const std::string& content : row.contents) {
      CAPTURE(content);
      CHECK(holds(found, content));
    }
    for (const std::string& one : found) CHECK(std::count(found.begin(), found.end(), one) == 1);
  }
}

TEST_CASE("quoted-printable is decoded as each reader does it") {
  struct Row {
    const char* raw;
    std::vector<std::string> contents;
  };
  const Row rows[] = {
      {"a=3Db=\nc", {"a=bc"}},
      {"a=3db=\r\nc\r\n", {"a=bc\r\n"}},
      {"", {""}},
      {"a=", {"a"}},
      {"ab= \ncd", {"ab= \ncd", "abcd"}},
      {"ab \ncd", {"ab \ncd", "ab\ncd"}},
      {"a=G1", {"a=G1", "aG1"}},
      {"ab=\rcd\nef", {"abcd\nef", "abef"}},
      {"=4", {"=4", "4"}},
  };
  for (const Row& row : rows) {
    const std::string raw = row.raw;
    CAPTURE(raw);
    const std::vector<std::string> found = all(decode_quoted_printable_ways, raw);
    for (const std::string& content : row.contents) {
      CAPTURE(content);
      CHECK(holds(found, content));
    }
  }
  CHECK(all(decode_quoted_printable_ways, "a=3Db=\nc").size() == 1);
  CHECK(holds(all(decode_quoted_printable_ways, "a==b"), "a=b"));
}

TEST_CASE("who takes the results can end it") {
  int taken = 0;
  CHECK_FALSE(decode_base64_ways("aGVsbG8=d29ybGQ=", [&](std::string_view) { return ++taken < 1; }));
  CHECK(taken == 1);
  CHECK_FALSE(decode_quoted_printable_ways("a \nb", [&](std::string_view) { return ++taken < 3; }));
  CHECK(taken == 3);
}

TEST_CASE("text looks like base64 when its first line is long and has no other letters") {
  CHECK(looks_like_base64("WDVPIVAlQEFQWzRcUFpYNTQo\n"));
  CHECK(looks_like_base64("\r\n\nWDVPIVAlQEFQWzRcUFpYNTQo=="));
  CHECK_FALSE(looks_like_base64(""));
  CHECK_FALSE(looks_like_base64("short"));
  CHECK_FALSE(looks_like_base64("words that are no base64 at all"));
  CHECK_FALSE(looks_like_base64("========================"));
  CHECK_FALSE(looks_like_base64("------------------------"));
}
