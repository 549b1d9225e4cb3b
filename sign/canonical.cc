#include "sign/canonical.h"

#include <algorithm>

#include "lib/text.h"

namespace postern {

namespace {

constexpr std::string_view kSpecial = " \t\r\n";

bool is_space(char c) {
  return c == ' ' || c == '\t';
}

// What ends at a line end of any kind, and where the next line begins.
struct Line {
  size_t end;
  size_t next;
};
Line line_at(std::string_view text, size_t at) {
  const size_t end = std::min(text.find_first_of("\r\n", at), text.size());
  const bool two = end + 1 < text.size() && text[end] == '\r' && text[end + 1] == '\n';
  return {end, std::min(end + (two ? 2 : 1), text.size())};
}

// RFC 5322 2.2: printable ASCII without the colon; RFC 6532 leaves names alone.
bool is_field_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

void BodyCanonicaliser::put(std::string_view run, std::string& out) {
  for (; empty_lines_ > 0; --empty_lines_) out += "\r\n";
  if (has_space_) out += ' ';
  has_space_ = false;
  out += run;
  has_text_ = any_ = true;
}

void BodyCanonicaliser::end_line(std::string& out) {
  has_space_ = false;
  if (has_text_) {
    out += "\r\n";
  } else {
    ++empty_lines_;
  }
  has_text_ = false;
}

void BodyCanonicaliser::take(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    const char c = bytes.front();
    const bool joined = after_cr_ && c == '\n';
    after_cr_ = false;
    if (c == '\r' || c == '\n') {
      if (!joined) end_line(out);
      after_cr_ = c == '\r';
      bytes.remove_prefix(1);
    } else if (is_space(c) && form_ == Canonical::relaxed) {
      has_space_ = true;
      bytes.remove_prefix(1);
    } else {
      const std::string_view ends = form_ == Canonical::relaxed ? kSpecial : kSpecial.substr(2);
      const size_t length = std::min(bytes.find_first_of(ends), bytes.size());
      put(bytes.substr(0, length), out);
      bytes.remove_prefix(length);
    }
  }
}

void BodyCanonicaliser::finish(std::string& out) {
  if (has_text_) out += "\r\n";
  // An empty body is one line end in the simple form (3.4.3) and nothing in the relaxed one (3.4.4).
  if (!any_ && form_ == Canonical::simple) out += "\r\n";
}

std::vector<SignedField> header_fields(std::string_view header) {
  std::vector<SignedField> fields;
  for (size_t at = 0; at < header.size();) {
    Line line = line_at(header, at);
    if (line.end == at) break;
    size_t end = line.end;
    while (line.next < header.size() && is_space(header[line.next])) {
      line = line_at(header, line.next);
      end = line.end;
    }
    const std::string_view whole = header.substr(at, end - at);
    at = line.next;
    const size_t colon = whole.find(':');
    if (colon == std::string_view::npos) continue;
    if (whole.substr(0, colon).find_first_of("\r\n") != std::string_view::npos) continue;
    const std::string_view name = trim(whole.substr(0, colon));
    if (is_field_name(name)) fields.push_back({name, whole});
  }
  return fields;
}

std::optional<size_t> body_start(std::string_view message) {
  for (size_t at = 0; at < message.size();) {
    const Line line = line_at(message, at);
    // A CR at the end of these bytes may be half of a line end.
    if (line.end + 1 >= message.size() && !message.ends_with('\n')) return std::nullopt;
    if (line.end == at) return line.next;
    at = line.next;
  }
  return std::nullopt;
}

std::string unfolded_value(std::string_view whole) {
  std::string value(whole.substr(std::min(whole.find(':'), whole.size() - 1) + 1));
  std::erase_if(value, [](char c) { return c == '\r' || c == '\n'; });
  return value;
}

std::string canonical_field(std::string_view whole, Canonical form) {
  std::string out;
  if (form == Canonical::simple) {
    for (size_t at = 0; at < whole.size();) {
      const Line line = line_at(whole, at);
      out.append(whole.substr(at, line.end - at));
      if (line.next > line.end) out += "\r\n";
      at = line.next;
    }
    return out;
  }
  out = lower(trim(whole.substr(0, whole.find(':')))) + ":";
  bool space = false;
  bool text = false;
  for (const char c : unfolded_value(whole)) {
    if (is_space(c)) {
      space = true;
      continue;
    }
    if (space && text) out += ' ';
    space = false;
    text = true;
    out += c;
  }
  return out;
}

}  // namespace postern
