#include "queue/dsn_text.h"
#include "lib/utf8.h"

#include <doctest/doctest.h>

#include <string>

#include "lib/text.h"

using namespace postern;
using namespace std::string_literals;

TEST_CASE("UTF-8 is what RFC 3629 allows, with something outside ASCII in it") {
  for (const std::string& good :
       {"\xc3\xa9"s, "a\xe2\x82\xac"s, "\xf0\x9f\x98\x80"s, "\xef\xbf\xbf"s, "\xf4\x8f\xbf\xbf"s}) {
    CAPTURE(good);
    CHECK(is_international(good));
  }
  for (const std::string& bad : {""s, "plain"s, "\x80"s, "\xc3"s, "\xc0\xaf"s, "\xc1\xbf"s, "\xe0\x80\xaf"s,
                                 "\xed\xa0\x80"s, "\xf0\x80\x80\xaf"s, "\xf4\x90\x80\x80"s,
                                 "\xf5\x80\x80\x80"s, "\xff"s, "\xc3\xa9\xc3"s, "\xe2\x82"s}) {
    CAPTURE(bad);
    CHECK_FALSE(is_international(bad));
  }
}

TEST_CASE("an address stands in a field in the form of its type") {
  CHECK(final_recipient("a@b", Alphabet::ascii) == "rfc822; a@b");
  CHECK(final_recipient("\"a\\\"b\"@c", Alphabet::ascii) == "rfc822; \"a\\\"b\"@c");
  CHECK(final_recipient("\xff@b", Alphabet::utf8) == "rfc822; \\xff@b");
  CHECK(final_recipient("\xe2\x82\xac=+\\ @b", Alphabet::ascii) ==
        "utf-8; \\x{20AC}\\x{3D}\\x{2B}\\x{5C}\\x{20}@b");
  CHECK(final_recipient("\xc3\xa9\n@b", Alphabet::ascii) == "utf-8; \\x{E9}\\x{0A}@b");
  CHECK(final_recipient("\xc3\xa9\n@b", Alphabet::utf8) == "utf-8; \xc3\xa9\\x0a@b");
  CHECK(original_recipient("rfc822;a+2Bb@c", Alphabet::ascii) == "rfc822; a+b@c");
  CHECK(original_recipient("rfc822;a+0Ab@c", Alphabet::ascii) == "rfc822; a\\x0ab@c");
  CHECK(original_recipient("x400;/c=+3D", Alphabet::utf8) == "x400; /c==");
  CHECK(original_recipient("nothing", Alphabet::ascii) == "nothing");
  CHECK(original_recipient("UTF-8;a\\x{E9}+2B@c", Alphabet::ascii) == "UTF-8; a\\x{E9}+2B@c");
  CHECK(original_recipient("utf-8;\xc3\xa9@c", Alphabet::ascii) == "utf-8; \\x{E9}@c");
  CHECK(original_recipient("utf-8;\xc3\xa9@c", Alphabet::utf8) == "utf-8; \xc3\xa9@c");
  CHECK(original_recipient("utf-8;\xc3@c", Alphabet::utf8) == "utf-8; \\xc3@c");
}

TEST_CASE("text that is not safe in a line is escaped, and cut at its limit") {
  CHECK(safe_text("a\\b", 10, Alphabet::ascii) == "a\\b");
  CHECK(safe_text("a\r\n\x7f\0"s, 10, Alphabet::ascii) == "a\\x0d\\x0a\\x7f\\x00");
  CHECK(safe_text("\xc3\xa9", 10, Alphabet::ascii) == "\\xc3\\xa9");
  CHECK(safe_text("\xc3\xa9\xc2\x85", 10, Alphabet::utf8) == "\xc3\xa9\\xc2\\x85");
  CHECK(safe_text("abcdef", 3, Alphabet::utf8) == "abc...");
}
