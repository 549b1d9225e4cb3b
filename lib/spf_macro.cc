#include "lib/spf_macro.h"

#include <algorithm>
#include <vector>

#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kTextLimitBytes = 65536;
constexpr size_t kNameLimitBytes = 253;
constexpr std::string_view kLetters = "slodiphcrtv";
constexpr std::string_view kOnlyExplained = "crt";
constexpr std::string_view kDelimiters = ".-+,/_=";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Either bytes that stand for themselves, or a macro.
struct Piece {
  std::string literal;
  char letter = 0;   // lower-case; 0: literal
  bool url = false;  // the letter was a capital
  size_t parts = 0;  // how many of them from the right; 0: all
  bool reverse = false;
  std::string delimiters = ".";
  bool is_macro = false;  // also %%, %_ and %-, which leave a literal
};

// What stands between %{ and }.
std::optional<Piece> parse_macro(std::string_view body, SpfText kind) {
  Piece piece;
  piece.is_macro = true;
  if (body.empty()) return std::nullopt;
  piece.url = body.front() >= 'A' && body.front() <= 'Z';
  piece.letter = lower(body.substr(0, 1)).front();
  if (kLetters.find(piece.letter) == std::string_view::npos) return std::nullopt;
  if (kind == SpfText::domain && kOnlyExplained.find(piece.letter) != std::string_view::npos)
    return std::nullopt;
  body.remove_prefix(1);
  size_t digits = 0;
  while (digits < body.size() && is_digit(body[digits])) ++digits;
  if (digits > 0) {
    // A number too large for us is larger than any count of parts.
    piece.parts = parse_number(body.substr(0, digits)).value_or(kTextLimitBytes);
    if (piece.parts == 0) return std::nullopt;
    body.remove_prefix(digits);
  }
  if (body.starts_with('r') || body.starts_with('R')) {
    piece.reverse = true;
    body.remove_prefix(1);
  }
  if (body.find_first_not_of(kDelimiters) != std::string_view::npos) return std::nullopt;
  if (!body.empty()) piece.delimiters = body;
  return piece;
}

// Takes what begins with '%' off the front.
std::optional<Piece> take_macro(std::string_view& text, SpfText kind) {
  Piece piece;
  piece.is_macro = true;
  if (text.size() < 2) return std::nullopt;
  const char second = text[1];
  if (second == '%' || second == '_' || second == '-') {
    piece.literal = second == '%' ? "%" : second == '_' ? " " : "%20";
    text.remove_prefix(2);
    return piece;
  }
  const size_t end = text.find('}');
  if (second != '{' || end == std::string_view::npos) return std::nullopt;
  const std::string_view body = text.substr(2, end - 2);
  text.remove_prefix(end + 1);
  return parse_macro(body, kind);
}

std::optional<std::vector<Piece>> parse_pieces(std::string_view text, SpfText kind) {
  std::vector<Piece> pieces;
  const char least = kind == SpfText::explanation ? 0x20 : 0x21;
  while (!text.empty()) {
    if (text.front() == '%') {
      std::optional<Piece> piece = take_macro(text, kind);
      if (!piece) return std::nullopt;
      pieces.push_back(std::move(*piece));
      continue;
    }
    Piece piece;
    piece.literal = text.substr(0, text.find('%'));
    for (const char c : piece.literal) {
      if (c < least || c > 0x7e) return std::nullopt;
    }
    text.remove_prefix(piece.literal.size());
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

// Letters, digits and hyphens, not at its ends; not digits alone.
bool is_top_label(std::string_view label) {
  if (label.empty() || label.front() == '-' || label.back() == '-') return false;
  const auto fits = [](char c) { return is_letter(c) || is_digit(c) || c == '-'; };
  return std::all_of(label.begin(), label.end(), fits) && !std::all_of(label.begin(), label.end(), is_digit);
}

std::string value_of(char letter, const SpfMacros& macros) {
  switch (letter) {
    case 's':
      return macros.local_part + "@" + macros.sender_domain;
    case 'l':
      return macros.local_part;
    case 'o':
      return macros.sender_domain;
    case 'd':
      return macros.domain;
    case 'i':
      return dotted_spf_address(macros.ip);
    case 'p':
      return macros.validated_name ? macros.validated_name() : "unknown";
    case 'h':
      return macros.helo;
    case 'c':
      return format_spf_address(macros.ip);
    case 'r':
      return macros.receiver.empty() ? "unknown" : macros.receiver;
    case 't':
      return std::to_string(now_microseconds() / 1000000);
    default:
      return macros.ip.ipv6 ? "ip6" : "in-addr";  // v
  }
}

// Cut at the delimiters, turned round, the last `parts` of them joined by dots.
std::string transformed(const std::string& value, const Piece& piece) {
  if (piece.parts == 0 && !piece.reverse && piece.delimiters == ".") return value;
  std::vector<std::string_view> parts;
  std::string_view rest = value;
  for (;;) {
    const size_t end = rest.find_first_of(piece.delimiters);
    parts.push_back(rest.substr(0, end));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  if (piece.reverse) std::reverse(parts.begin(), parts.end());
  const size_t first = piece.parts == 0 || piece.parts >= parts.size() ? 0 : parts.size() - piece.parts;
  std::string text;
  for (size_t i = first; i < parts.size(); ++i) {
    if (i > first) text += '.';
    text += parts[i];
  }
  return text;
}

std::string url_escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (is_letter(c) || is_digit(c) || std::string_view("-._~").find(c) != std::string_view::npos) {
      escaped += c;
    } else {
      escaped += "%" + hexadecimal(std::string_view(&c, 1), kCapitalHex);
    }
  }
  return escaped;
}

}  // namespace

bool is_spf_macro_string(std::string_view text, SpfText kind) {
  return parse_pieces(text, kind).has_value();
}

bool is_spf_domain_spec(std::string_view text) {
  const std::optional<std::vector<Piece>> pieces = parse_pieces(text, SpfText::domain);
  if (!pieces || pieces->empty()) return false;
  if (pieces->back().is_macro) return true;
  std::string_view end = pieces->back().literal;
  if (end.ends_with('.')) end.remove_suffix(1);
  const size_t dot = end.rfind('.');
  return dot != std::string_view::npos && is_top_label(end.substr(dot + 1));
}

std::optional<std::string> expand_spf_macros(std::string_view text, SpfText kind, const SpfMacros& macros) {
  const std::optional<std::vector<Piece>> pieces = parse_pieces(text, kind);
  if (!pieces) return std::nullopt;
  std::string expanded;
  for (const Piece& piece : *pieces) {
    if (piece.letter == 0) {
      expanded += piece.literal;
    } else {
      const std::string value = transformed(value_of(piece.letter, macros), piece);
      expanded += piece.url ? url_escaped(value) : value;
    }
    if (expanded.size() > kTextLimitBytes) return std::nullopt;
  }
  return expanded;
}

std::optional<std::string> expand_spf_domain(std::string_view text, const SpfMacros& macros) {
  std::optional<std::string> name = expand_spf_macros(text, SpfText::domain, macros);
  if (!name) return std::nullopt;
  if (name->ends_with('.')) name->pop_back();
  while (name->size() > kNameLimitBytes) {
    const size_t dot = name->find('.');
    if (dot == std::string::npos) break;  // no name at all then
    name->erase(0, dot + 1);
  }
  return name;
}

}  // namespace postern
