#include "lib/local_part.h"

#include <algorithm>

#include "lib/text.h"

namespace postern {

namespace {

bool is_atext(char c) {
  static constexpr std::string_view kOther = "!#$%&'*+-/=?^_`{|}~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kOther.find(c) != std::string_view::npos;
}

bool is_letter(char c, Utf8 utf8) {
  return is_atext(c) || (utf8 == Utf8::yes && static_cast<unsigned char>(c) > 0x7f);
}

}  // namespace

bool is_dot_string(std::string_view text, Utf8 utf8) {
  const std::vector<std::string_view> atoms = split(text, '.');
  return std::all_of(atoms.begin(), atoms.end(), [&](std::string_view atom) {
    return !atom.empty() && std::all_of(atom.begin(), atom.end(), [&](char c) { return is_letter(c, utf8); });
  });
}

bool is_quoted_string(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
  text = text.substr(1, text.size() - 2);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') return false;
    if (text[i] == '\\' && ++i == text.size()) return false;
  }
  return true;
}

std::string unquote_local_part(std::string_view local) {
  if (!is_quoted_string(local)) return std::string(local);
  std::string plain;
  for (size_t i = 1; i + 1 < local.size(); ++i) {
    if (local[i] == '\\') ++i;
    plain += local[i];
  }
  return plain;
}

bool has_route_in_it(std::string_view local_part) {
  return local_part.find_first_of("%!@") != std::string_view::npos;
}

}  // namespace postern
