#include "receipt/encoded_words.h"

#include <algorithm>
#include <array>
#include <span>

#include "lib/text.h"

namespace postern {

namespace {

// Supersets of ASCII, byte by byte as far as its own '@' and dots go.
constexpr std::array<std::string_view, 18> kPlainSets = {
    "us-ascii", "ascii", "utf-8",     "utf8",      "iso-8859-", "iso8859", "windows-", "cp125",     "koi8-",
    "gb",       "big5",  "shift_jis", "shift-jis", "euc-",      "ks_c",    "tis-620",  "macintosh", "x-mac"};
// Those of them whose characters may have two bytes or more.
constexpr std::array<std::string_view, 6> kWideSets = {"gb", "big5", "shift", "euc-", "ks_c", "x-mac"};
constexpr std::string_view kJapanese = "iso-2022-jp";

struct Word {
  std::string_view charset;
  char encoding;  // in upper case
  std::string_view text;
  size_t length;  // of all of it
};

// An encoded word that the text begins with.
std::optional<Word> word_at(std::string_view text) {
  if (!text.starts_with("=?")) return std::nullopt;
  const size_t charset_end = text.find('?', 2);
  if (charset_end == std::string_view::npos || charset_end + 2 >= text.size() || text[charset_end + 2] != '?')
    return std::nullopt;
  const size_t begin = charset_end + 3;
  const size_t end = text.find("?=", begin);
  if (end == std::string_view::npos) return std::nullopt;
  const char encoding = static_cast<char>(text[charset_end + 1] & ~0x20);
  if (encoding != 'B' && encoding != 'Q') return std::nullopt;
  return Word{text.substr(2, charset_end - 2), encoding, text.substr(begin, end - begin), end + 2};
}

bool is_high(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}

int digit_of(char c) {
  const size_t at = kHex.find(static_cast<char>(c >= 'A' && c <= 'F' ? c | 0x20 : c));
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::string decode_q(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '=' && text.size() - i > 2 ? digit_of(text[i + 1]) : -1;
    const int low = high >= 0 ? digit_of(text[i + 2]) : -1;
    if (low >= 0) {
      bytes += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      bytes += text[i] == '_' ? ' ' : text[i];
    }
  }
  return bytes;
}

// As lenient as readers: what is no digit is passed over, and padding may be missing.
std::string decode_b(std::string_view text) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned group = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) continue;
    group = (group << 6 | static_cast<unsigned>(digit)) & 0xffffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(group >> bits & 255);
  }
  return bytes;
}

bool begins_with(std::string_view charset, std::string_view known) {
  return equal_ignoring_case(charset.substr(0, known.size()), known);
}

bool is_one_of(std::string_view charset, std::span<const std::string_view> sets) {
  return std::any_of(sets.begin(), sets.end(),
                     [&](std::string_view known) { return begins_with(charset, known); });
}

// Among windows- are 31j, 936, 949 and 950.
bool is_wide_set(std::string_view charset) {
  return is_one_of(charset, kWideSets) ||
         (begins_with(charset, "windows-") && !begins_with(charset, "windows-12") &&
          !begins_with(charset, "windows-87"));
}

// GB 18030 has all of Unicode, most of it in four bytes.
bool has_four_byte_form(std::string_view bytes) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  for (size_t i = 0; i + 3 < bytes.size(); ++i) {
    if (is_high(bytes[i]) && is_digit(bytes[i + 1]) && is_high(bytes[i + 2]) && is_digit(bytes[i + 3]))
      return true;
  }
  return false;
}

// '@' or '.' where the text begins with what looks like that; else 0.
char wide_sign(std::string_view text) {
  static constexpr std::array<std::string_view, 6> kSigns = {"\xa3\xc0", "\xa9\x88", "\xa1\xf7",
                                                             "\x81\x97", "\xa2\x49", "\xa2\x4e"};
  static constexpr std::array<std::string_view, 10> kDots = {"\xa3\xae", "\xa1\xa3", "\xa9\x71", "\xa1\xa5",
                                                             "\x8e\xa1", "\x81\x44", "\x81\x42", "\xa1\x44",
                                                             "\xa1\x43", "\xa1\x4f"};
  const std::string_view pair = text.substr(0, 2);
  if (std::find(kSigns.begin(), kSigns.end(), pair) != kSigns.end()) return '@';
  return std::find(kDots.begin(), kDots.end(), pair) != kDots.end() ? '.' : '\0';
}

// One character of two bytes, 0x21 to 0x7e each: the wide forms of ASCII, and what looks like a dot, as that;
// anything else as one that is in no address.
std::string_view as_utf8(const char* pair) {
  static constexpr std::string_view kOther = "\xef\xbf\xbd";
  if (pair[0] == 0x23 && pair[1] != 0) return {pair + 1, 1};
  if (pair[0] != 0x21) return kOther;
  switch (pair[1]) {
    case 0x21:
      return " ";
    case 0x23:  // the ideographic full stop
    case 0x25:  // the wide one
      return ".";
    case 0x77:
      return "@";
    default:
      return kOther;
  }
}

// ISO-2022-JP (RFC 1468) by its escapes, with JIS X 0201 katakana and JIS X 0212, which mail has too. Nothing
// where they are others, or it does not end in ASCII: what comes next would be read in two ways.
std::optional<std::string> decode_japanese(std::string_view bytes) {
  enum class In { ascii, katakana, pairs } in = In::ascii;
  struct Escape {
    std::string_view bytes;
    In begins;
  };
  static constexpr std::array<Escape, 6> kEscapes = {{{"\x1b(B", In::ascii},
                                                      {"\x1b(J", In::ascii},
                                                      {"\x1b(I", In::katakana},
                                                      {"\x1b$@", In::pairs},
                                                      {"\x1b$B", In::pairs},
                                                      {"\x1b$(D", In::pairs}}};
  const auto is_graphic = [](char c) { return c > 0x20 && c < 0x7f; };
  std::string text;
  while (!bytes.empty()) {
    const auto* const escape = std::find_if(kEscapes.begin(), kEscapes.end(), [&](const Escape& known) {
      return bytes.starts_with(known.bytes);
    });
    size_t length = 1;
    if (escape != kEscapes.end()) {
      in = escape->begins;
      length = escape->bytes.size();
    } else if (bytes.front() == '\x1b') {
      return std::nullopt;
    } else if (in == In::ascii) {
      text += bytes.front();
    } else if (!is_graphic(bytes.front())) {
      return std::nullopt;
    } else if (in == In::katakana) {
      text += bytes.front() == 0x21 ? "." : "\xef\xbf\xbd";
    } else {
      if (bytes.size() < 2 || !is_graphic(bytes[1])) return std::nullopt;
      text += as_utf8(bytes.data());
      length = 2;
    }
    bytes.remove_prefix(length);
  }
  if (in != In::ascii) return std::nullopt;
  return text;
}

}  // namespace

// Where a character begins readers see each in their own way, so a pair counts wherever it stands; the sets'
// pairs are not told apart, either.
std::string with_plain_signs(std::string_view bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const std::string_view rest = bytes.substr(i);
    if (const char sign = wide_sign(rest); sign != '\0') {
      text += sign;
      if (wide_sign(rest.substr(1)) == '\0') ++i;
    } else if (rest.front() == '\xa1') {
      text += '.';  // the half-width full stop of Shift_JIS
    } else {
      // The second byte of a character ends no word.
      const bool is_second = i > 0 && is_high(bytes[i - 1]);
      text += is_second && std::string_view("[\\]`").find(rest.front()) != std::string_view::npos
                  ? '\xff'
                  : rest.front();
    }
  }
  return text;
}

namespace {

std::optional<std::string> decode(const Word& word) {
  std::string bytes = word.encoding == 'Q' ? decode_q(word.text) : decode_b(word.text);
  if (equal_ignoring_case(word.charset.substr(0, kJapanese.size()), kJapanese)) return decode_japanese(bytes);
  if (!is_one_of(word.charset, kPlainSets)) return std::nullopt;
  if (begins_with(word.charset, "gb") && has_four_byte_form(bytes)) return std::nullopt;
  return is_wide_set(word.charset) ? with_plain_signs(bytes) : bytes;
}

}  // namespace

std::optional<std::string> decode_encoded_words(std::string_view text) {
  std::string decoded;
  size_t word_end = std::string::npos;  // in `decoded`: behind it there was white space alone
  for (size_t at = 0; at < text.size();) {
    const std::optional<Word> word = word_at(text.substr(at));
    if (word) {
      const std::optional<std::string> bytes = decode(*word);
      if (!bytes) return std::nullopt;
      if (word_end != std::string::npos) decoded.resize(word_end);
      decoded += *bytes;
      word_end = decoded.size();
      at += word->length;
      continue;
    }
    if (text[at] != ' ' && text[at] != '\t') word_end = std::string::npos;
    decoded += text[at++];
  }
  return decoded;
}

}  // namespace postern
