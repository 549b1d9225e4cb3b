#include "smtpd/data.h"

namespace postern::smtpd {

size_t TextReader::take(std::string_view piece, std::string& out) {
  size_t at = 0;
  while (at < piece.size() && state_ != State::ended) {
    const char c = piece[at];
    switch (state_) {
      case State::line_start: {
        const bool dot = c == '.' && framing_ == Framing::data;
        state_ = dot ? State::dot : State::line;
        at += dot ? 1 : 0;
        break;
      }
      case State::line:
        at = take_line(piece, at, out);
        break;
      case State::cr:
        at += after_cr(c, out) ? 1 : 0;
        break;
      case State::dot:
        at += after_dot(c) ? 1 : 0;
        break;
      case State::dot_cr:
        at += after_dot_cr(c, out) ? 1 : 0;
        break;
      case State::ended:
        break;
    }
  }
  return at;
}

void TextReader::finish(std::string& out) {
  if (state_ == State::cr) bare_cr(out);
  state_ = State::ended;
}

// Up to and with the next CR. Looking for LF no further than that CR, and not at all once a fault is known,
// keeps this linear for any input.
size_t TextReader::take_line(std::string_view piece, size_t at, std::string& out) {
  const size_t cr = piece.find('\r', at);
  const std::string_view text = piece.substr(at, cr == std::string_view::npos ? cr : cr - at);
  if (!bare_ && text.find('\n') != std::string_view::npos) bare_ = true;
  size_bytes_ += text.size();
  if (limits_.line_bytes != 0) measure_lines(text);
  if (!at_fault()) out.append(text);
  if (cr == std::string_view::npos) return piece.size();
  state_ = State::cr;
  return cr + 1;
}

bool TextReader::after_cr(char c, std::string& out) {
  if (c == '\n') {
    size_bytes_ += 2;
    add_to_line(2);
    line_bytes_ = 0;
    if (!at_fault()) out += '\n';
    state_ = State::line_start;
    return true;
  }
  bare_cr(out);
  if (c == '\r') return true;
  state_ = State::line;
  return false;
}

bool TextReader::after_dot(char c) {
  state_ = c == '\r' ? State::dot_cr : State::line;
  return c == '\r';
}

bool TextReader::after_dot_cr(char c, std::string& out) {
  if (c == '\n') {
    state_ = State::ended;
    return true;
  }
  bare_cr(out);
  state_ = c == '\r' ? State::cr : State::line;
  return c == '\r';
}

void TextReader::bare_cr(std::string& out) {
  bare_ = true;
  ++size_bytes_;
  add_to_line(1);
  if (!at_fault() && limits_.bare_line_ends == BareLineEnds::allow) out += '\r';
}

// Where bare LFs are let pass they end lines of the stored message, so they do here.
void TextReader::measure_lines(std::string_view text) {
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    add_to_line(end + 1);
    line_bytes_ = 0;
    text.remove_prefix(end + 1);
  }
  add_to_line(text.size());
}

void TextReader::add_to_line(uint64_t bytes) {
  line_bytes_ += bytes;
  if (limits_.line_bytes != 0 && line_bytes_ > limits_.line_bytes) line_too_long_ = true;
}

}  // namespace postern::smtpd
