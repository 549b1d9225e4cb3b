#include "scanq/mime_parameters.h"

#include <algorithm>
#include <cstdint>

#include "lib/text.h"
#include "scanq/mime_encodings.h"

namespace postern {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

// A set of values in the order of their finding.
class Values {
 public:
  explicit Values(size_t most) : most_(most) {}
  void add(std::string value) {
    if (all_.size() <= most_ && std::find(all_.begin(), all_.end(), value) == all_.end())
      all_.push_back(std::move(value));
  }
  std::vector<std::string> all_;

 private:
  size_t most_;
};

void append_utf8(uint32_t value, std::string& out) {
  if (value < 0x80) {
    out += static_cast<char>(value);
  } else if (value < 0x800) {
    out += static_cast<char>(0xc0 | value >> 6);
    out += static_cast<char>(0x80 | (value & 63));
  } else {
    out += static_cast<char>(0xe0 | value >> 12);
    out += static_cast<char>(0x80 | (value >> 6 & 63));
    out += static_cast<char>(0x80 | (value & 63));
  }
}

// UTF-16 and Latin-1 as UTF-8; what is in another character set stays as it is.
std::string to_utf8(std::string_view charset, std::string_view bytes, bool little_endian) {
  const std::string name = lower(charset);
  std::string out;
  if (name.starts_with("utf-16") || name.starts_with("utf16") || name.starts_with("ucs-2")) {
    if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff")) {
      little_endian = bytes.front() == '\xff';
      bytes.remove_prefix(2);
    }
    for (size_t at = 0; at + 1 < bytes.size(); at += 2) {
      const auto first = static_cast<uint8_t>(bytes[at]), second = static_cast<uint8_t>(bytes[at + 1]);
      append_utf8(little_endian ? static_cast<uint32_t>(second << 8 | first)
                                : static_cast<uint32_t>(first << 8 | second),
                  out);
    }
    return out;
  }
  if (name == "iso-8859-1" || name == "windows-1252" || name == "latin1") {
    for (const char c : bytes) append_utf8(static_cast<uint8_t>(c), out);
    return out;
  }
  return std::string(bytes);
}

int hex(char c) {
  const size_t at = kHex.find(static_cast<char>(c >= 'A' && c <= 'F' ? c | 0x20 : c));
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

// `%41`, or `=41` with `_` for a blank.
std::string unescape(std::string_view text, char sign) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    const int high = text[at] == sign && at + 2 < text.size() ? hex(text[at + 1]) : -1;
    const int low = high >= 0 ? hex(text[at + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      at += 2;
    } else {
      out += sign == '=' && text[at] == '_' ? ' ' : text[at];
    }
  }
  return out;
}

std::string without(std::string_view text, std::string_view letters) {
  std::string out;
  for (const char c : text)
    if (letters.find(c) == std::string_view::npos) out += c;
  return out;
}

// A quoted string's content, with what stands behind it; as it stands when it is none.
std::string unquote(std::string_view text, bool keep_rest) {
  if (!text.starts_with('"')) return std::string(text);
  std::string out;
  size_t at = 1;
  for (; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    out += text[at];
  }
  if (keep_rest && at < text.size()) out.append(without(text.substr(at + 1), "\""));
  return out;
}

void add_words(const std::string& value, Values& values) {
  values.add(value);
  if (value.find("=?") == std::string::npos) return;
  values.add(decode_words(value, false));
  values.add(decode_words(value, true));
}

void add_ways(std::string_view raw, Values& values) {
  const std::string value(trim(raw));
  add_words(unquote(value, false), values);
  if (value.find_first_of("\"'\\ \t(") == std::string::npos) return;
  add_words(unquote(value, true), values);
  add_words(value, values);
  add_words(without(value, "\""), values);
  add_words(without(value, "\\"), values);
  add_words(without(value, "\"\\"), values);
  add_words(std::string(trim(value.substr(value.starts_with('"') ? 1 : 0))), values);
  if (value.size() > 1 && value.front() == '\'' && value.back() == '\'')
    add_words(value.substr(1, value.size() - 2), values);
  add_words(value.substr(0, value.find_first_of(kBlanks)), values);
  add_words(without(value, kBlanks), values);
}

// A piece of RFC 2231: `attribute*2*=…`.
struct Piece {
  size_t index = 0;
  bool has_index = false;
  bool encoded = false;
  std::string value;
};

struct Extended {
  std::string charset;
  std::string text;
};
// `charset'language'text`, the text's escapes undone; without quotes it is all text.
Extended split_charset(std::string_view value) {
  const size_t first = value.find('\'');
  const size_t second = first == std::string_view::npos ? first : value.find('\'', first + 1);
  if (second == std::string_view::npos) return {{}, unescape(value, '%')};
  return {std::string(value.substr(0, first)), unescape(value.substr(second + 1), '%')};
}

void add_joined(const std::vector<Piece>& pieces, Values& values) {
  std::string charset;
  std::string decoded;
  std::string raw;
  for (const Piece& piece : pieces) {
    raw += piece.value;
    if (!piece.encoded) {
      decoded += piece.value;
      continue;
    }
    const Extended part = split_charset(piece.value);
    if (charset.empty()) charset = part.charset;
    decoded += part.text;
  }
  if (pieces.empty()) return;
  for (const bool little : {false, true}) values.add(to_utf8(charset, decoded, little));
  values.add(decoded);
  add_words(raw, values);
}

void add_pieces(std::vector<Piece> pieces, Values& values) {
  std::vector<Piece> numbered;
  for (const Piece& piece : pieces) {
    if (!piece.has_index) add_joined({piece}, values);
    if (piece.has_index) numbered.push_back(piece);
  }
  add_joined(numbered, values);
  std::stable_sort(numbered.begin(), numbered.end(),
                   [](const Piece& a, const Piece& b) { return a.index < b.index; });
  add_joined(numbered, values);
  // The standard's reader stops where a number is missing, or comes again.
  std::vector<Piece> in_row;
  for (const Piece& piece : numbered)
    if (piece.index == in_row.size()) in_row.push_back(piece);
  if (in_row.size() < numbered.size()) add_joined(in_row, values);
}

std::vector<std::string_view> split_outside_quotes(std::string_view text) {
  std::vector<std::string_view> parts;
  bool quoted = false;
  size_t begin = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      quoted = !quoted;
    } else if (text[at] == ';' && !quoted) {
      parts.push_back(text.substr(begin, at - begin));
      begin = at + 1;
    }
  }
  parts.push_back(text.substr(begin));
  return parts;
}

// `attribute`, `attribute*`, `attribute*1`, `attribute*1*`; nothing when it is another one's.
bool read_attribute(std::string_view text, std::string_view attribute, Piece& piece, bool& plain) {
  text = trim(text);
  if (const size_t blank = text.find_last_of(" \t\r\n\""); blank != std::string_view::npos)
    text.remove_prefix(blank + 1);
  if (text.size() < attribute.size() || !equal_ignoring_case(text.substr(0, attribute.size()), attribute))
    return false;
  text.remove_prefix(attribute.size());
  plain = text.empty();
  if (plain) return true;
  if (text.front() != '*') return false;
  text.remove_prefix(1);
  if (text.empty()) return piece.encoded = true;
  if (text.ends_with('*')) {
    piece.encoded = true;
    text.remove_suffix(1);
  }
  const std::optional<uint64_t> index = parse_number(text);
  piece.has_index = true;
  piece.index = index.value_or(0);
  return index.has_value();
}

void read_parts(const std::vector<std::string_view>& parts, std::string_view attribute, Values& values,
                std::vector<Piece>& pieces) {
  for (const std::string_view& part : parts) {
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    Piece piece;
    bool plain = false;
    if (!read_attribute(part.substr(0, equals), attribute, piece, plain)) continue;
    const std::string_view value = part.substr(equals + 1);
    if (plain) {
      add_ways(value, values);
      // `name=a;b` without quotes: what follows is no parameter of its own.
      if (&part != &parts.back() && std::none_of(&part + 1, &parts.back() + 1, [](std::string_view other) {
            return other.find('=') != std::string_view::npos;
          }))
        add_ways(
            {value.data(), static_cast<size_t>(parts.back().data() + parts.back().size() - value.data())},
            values);
    } else {
      piece.value = unquote(trim(value), false);
      pieces.push_back(std::move(piece));
    }
  }
}

}  // namespace

std::vector<std::string> parameter_values(const std::vector<std::string>& fields, std::string_view attribute,
                                          size_t most) {
  Values values(most);
  for (const bool comments : {true, false}) {
    for (const bool quotes : {true, false}) {
      std::vector<Piece> pieces;
      for (const std::string& field : fields) {
        if (!comments && field.find('(') == std::string::npos && fields.size() == 1) continue;
        const std::string text = comments ? field : without_comments(field);
        if (!quotes && text.find('"') == std::string::npos && fields.size() == 1) continue;
        read_parts(quotes ? split_outside_quotes(text) : split(text, ';'), attribute, values, pieces);
      }
      add_pieces(std::move(pieces), values);
    }
  }
  return std::move(values.all_);
}

std::vector<std::string> loose_values(std::string_view text, std::string_view attribute, size_t most) {
  constexpr size_t kMostText = 256 * 1024;
  constexpr size_t kMostValue = 8192;
  text = text.substr(0, kMostText);
  Values values(most);
  for (size_t at = 0; at < text.size(); ++at) {
    if ((text[at] | 0x20) != attribute.front() ||
        !equal_ignoring_case(text.substr(at, attribute.size()), attribute))
      continue;
    std::string_view rest = text.substr(at + attribute.size());
    rest = rest.substr(0, rest.find('\n'));
    const size_t equals = rest.find_first_not_of(" \t*0123456789");
    if (equals == std::string_view::npos || rest[equals] != '=') continue;
    rest = rest.substr(equals + 1, kMostValue);
    add_ways(rest, values);
    add_ways(rest.substr(0, rest.find(';')), values);
    at += attribute.size();
    if (values.all_.size() > most) break;
  }
  return std::move(values.all_);
}

std::string without_comments(std::string_view text) {
  std::string out;
  size_t depth = 0;
  bool quoted = false;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\\' && at + 1 < text.size()) {
      if (depth == 0) out.append(text.substr(at, 2));
      ++at;
      continue;
    }
    if (c == '"' && depth == 0) quoted = !quoted;
    if (c == '(' && !quoted) {
      ++depth;
    } else if (c == ')' && !quoted && depth > 0) {
      --depth;
    } else if (depth == 0) {
      out += c;
    }
  }
  return out;
}

std::string decode_words(std::string_view text, bool little_endian) {
  std::string out;
  bool behind_word = false;
  while (!text.empty()) {
    const size_t begin = text.find("=?");
    const size_t charset = begin == std::string_view::npos ? begin : text.find('?', begin + 2);
    const size_t letter = charset == std::string_view::npos ? charset : text.find('?', charset + 1);
    const size_t end = letter == std::string_view::npos ? letter : text.find("?=", letter + 1);
    if (end == std::string_view::npos) break;
    const std::string_view before = text.substr(0, begin);
    // Blanks between two words are no text.
    if (!behind_word || before.find_first_not_of(kBlanks) != std::string_view::npos) out.append(before);
    const std::string_view content = text.substr(letter + 1, end - letter - 1);
    const bool base64 = letter == charset + 2 && (text[charset + 1] | 0x20) == 'b';
    std::string_view name = text.substr(begin + 2, charset - begin - 2);
    name = name.substr(0, name.find('*'));
    out.append(to_utf8(name, base64 ? decode_base64_plain(content) : unescape(content, '='), little_endian));
    text.remove_prefix(end + 2);
    behind_word = true;
  }
  return out.append(text);
}

}  // namespace postern
