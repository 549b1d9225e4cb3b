#include "lib/utf8.h"

#include <doctest/doctest.h>

using namespace postern;

TEST_CASE("well-formed UTF-8 is told from what only looks like it") {
  for (const std::string text : {"", "plain", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x93\xa7", "a\xc2\x80z",
                                 "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"}) {
    CAPTURE(text);
    CHECK(is_utf8(text));
  }
  const std::string broken[] = {
      "\x80",              // begins in the middle
      "\xc3",              // cut
      "\xe2\x82",          // cut
      "\xc3\xbc\xf0\x9f",  // cut behind a good one
      "\xc0\xaf",          // overlong
      "\xc1\xbf",
      "\xe0\x80\xaf",
      "\xe0\x9f\xbf",
      "\xf0\x80\x80\xaf",
      "\xf0\x8f\xbf\xbf",
      "\xed\xa0\x80",  // surrogates
      "\xed\xbf\xbf",
      "\xf4\x90\x80\x80",  // above U+10FFFF
      "\xf5\x80\x80\x80",
      "\xff",
      "\xc3(",
  };
  for (const std::string& text : broken) {
    CAPTURE(text);
    CHECK_FALSE(is_utf8(text));
  }
}
