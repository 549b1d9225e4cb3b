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

TEST_CASE("domains become A-labels") {
  struct Row {
    std::string domain, a_labels;
  };
  const Row rows[] = {
      {"Example.ORG", "example.org"},
      {"m\xc3\xbcnchen.example", "xn--mnchen-3ya.example"},
      {"\xc3\xbc", "xn--tda"},
      {"b\xc3\xbc"
       "cher.M\xc3\xbcnchen.example",
       "xn--bcher-kva.xn--mnchen-3ya.example"},
      {"\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88", "xn--r8jz45g.xn--zckzah"},
      {"\xf0\x9f\x93\xa7.example", "xn--du8h.example"},
      {".m\xc3\xbcnchen.example", ".xn--mnchen-3ya.example"},
      {"", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.domain);
    const std::optional<std::string> got = to_a_labels(row.domain);
    REQUIRE(got.has_value());
    CHECK(*got == row.a_labels);
  }
  CHECK_FALSE(to_a_labels("\xc3.example"));
  CHECK_FALSE(to_a_labels(std::string(64, 'a') + ".example"));
  CHECK_FALSE(to_a_labels("\xc3\xbc" + std::string(60, 'a')));
  std::string long_label;
  for (int i = 0; i < 1000; ++i) long_label += "\xf0\x9f\x93\xa7";
  CHECK_FALSE(to_a_labels(long_label));
}
