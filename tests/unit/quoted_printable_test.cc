#include "lib/quoted_printable.h"

#include <doctest/doctest.h>

#include <string>

#include "lib/text.h"
#include "lib/utf8.h"

using namespace postern;

TEST_CASE("quoted-printable has short lines of ASCII without blanks at their ends") {
  CHECK(quoted_printable("a=b \nc\t") == "a=3Db=20\nc=09");
  CHECK(quoted_printable("Subject: \xc3\xa9\n") == "Subject: =C3=A9\n");
  CHECK(quoted_printable("") == "");
  for (const char c : {'x', '\xe9'}) {
    const std::string text = quoted_printable(std::string(1000, c));
    for (const std::string_view line : split(text, '\n')) CHECK(line.size() <= 76);
    CHECK(!has_8bit_byte(text));
  }
}

TEST_CASE("a subject outside ASCII becomes encoded words that keep its blanks and its characters whole") {
  CHECK(encoded_words("[VIRUS] ") == "[VIRUS] ");
  CHECK(encoded_words("").empty());
  CHECK(encoded_words("a=?b") == "=?utf-8?q?a=3D=3Fb?=");
  CHECK(encoded_words("\xc3\xa9 ") == "=?utf-8?q?=C3=A9_?=");
  CHECK(encoded_words("\xc3") == "=?utf-8?q?=C3?=");
  CHECK(encoded_words("a\tb\n") == "=?utf-8?q?a=09b=0A?=");
  std::string text;
  for (int i = 0; i < 100; ++i) text += "\xe2\x82\xac";
  const std::string encoded = encoded_words(text);
  for (const std::string_view word : split(encoded, ' ')) {
    CHECK(word.size() <= 75);
    CHECK(word.starts_with("=?utf-8?q?"));
    CHECK((word.size() - 12) % 9 == 0);
  }
}
