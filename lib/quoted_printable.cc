#include "lib/quoted_printable.h"

#include <algorithm>

#include "lib/text.h"
#include "lib/utf8.h"

namespace postern {

namespace {

constexpr size_t kLineBytes = 76;  // RFC 2045 6.7 (5)
constexpr size_t kWordBytes = 75;  // RFC 2047 2
constexpr std::string_view kWordBegin = "=?utf-8?q?";
constexpr std::string_view kWordEnd = "?=";

// What may stand for itself in every kind of encoded word (RFC 2047 5 (3)).
bool is_plain_in_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '!' ||
         c == '*' || c == '+' || c == '/';
}

std::string in_word(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    if (is_plain_in_word(c)) {
      text += c;
    } else if (c == ' ') {
      text += '_';
    } else {
      text.append("=").append(hexadecimal({&c, 1}, kCapitalHex));
    }
  }
  return text;
}

}  // namespace

std::string quoted_printable(std::string_view text) {
  std::string encoded;
  size_t column = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char byte = static_cast<unsigned char>(text[i]);
    if (byte == '\n') {
      encoded += '\n';
      column = 0;
      continue;
    }
    const bool at_end = i + 1 == text.size() || text[i + 1] == '\n';
    const bool blank = byte == ' ' || byte == '\t';
    const bool plain = blank ? !at_end : byte > 0x20 && byte < 0x7f && byte != '=';
    const size_t width = plain ? 1 : 3;
    if (column + width > kLineBytes - 1) {  // one is kept for the '=' of a soft break
      encoded += "=\n";
      column = 0;
    }
    if (plain) {
      encoded += text[i];
    } else {
      encoded.append("=").append(hexadecimal(text.substr(i, 1), kCapitalHex));
    }
    column += width;
  }
  return encoded;
}

std::string encoded_words(std::string_view text) {
  const bool plain = text.find("=?") == std::string_view::npos &&
                     std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (plain) return std::string(text);
  std::string words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty())
      words.append(words.empty() ? "" : " ").append(kWordBegin).append(word).append(kWordEnd);
    word.clear();
  };
  while (!text.empty()) {
    // No character is torn apart.
    const CodePoint first = first_code_point(text).value_or(CodePoint{0, 1});
    const std::string next = in_word(text.substr(0, first.bytes));
    if (kWordBegin.size() + word.size() + next.size() + kWordEnd.size() > kWordBytes) end_word();
    word += next;
    text.remove_prefix(first.bytes);
  }
  end_word();
  return words;
}

}  // namespace postern
