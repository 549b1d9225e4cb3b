#include "lib/base64.h"

#include <doctest/doctest.h>

using namespace postern;

TEST_CASE("base64: the vectors of RFC 4648 10") {
  CHECK(base64("").empty());
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foob") == "Zm9vYg==");
  CHECK(base64("fooba") == "Zm9vYmE=");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64({"\0\xff\xfe", 3}) == "AP/+");
}

TEST_CASE("base64 in lines") {
  CHECK(base64_lines("", 76).empty());
  CHECK(base64_lines("f", 76) == "Zg==\n");
  CHECK(base64_lines(std::string(57, '\xff'), 76) == std::string(76, '/') + "\n");
  CHECK(base64_lines(std::string(58, '\xff'), 76) == std::string(76, '/') + "\n/w==\n");
}
