#include "lib/xtext.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;
using namespace std::string_literals;

TEST_CASE("any bytes are carried as xtext and come back") {
  CHECK(encode_xtext("a+b= c\xff") == "a+2Bb+3D+20c+FF");
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  CHECK(decode_xtext(encode_xtext(all)) == all);
}

TEST_CASE("xtext is decoded where it is well-formed and left alone where it is not") {
  CHECK(decode_xtext("a+2Bb+3D") == "a+b=");
  CHECK(decode_xtext("") == "");
  CHECK(decode_xtext("+0A") == "\n");
  for (const std::string& text : {"+"s, "+2"s, "a+2b"s, "+G0"s, "+2B+"s, "+\xff\xff"s}) {
    CAPTURE(text);
    CHECK(decode_xtext(text) == text);
  }
}
