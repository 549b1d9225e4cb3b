#include "smtpd/data.h"

namespace postern::smtpd {

size_t DataReader::take(std::string_view chunk, std::string& out) {
  size_t at = 0;
  while (at < chunk.size() && state_ != State::ended) {
    const char c = chunk[at];
    switch (state_) {
      case State::line_start:
        state_ = c == '.' ? State::dot : State::line;
        at += c == '.' ? 1 : 0;
        break;
      case State::line:
        at = take_line(chunk, at, out);
        break;
      case State::cr:
        at += after_cr(c, out) ? 1 : 0;
        break;
      case State::dot:
        at += after_dot(c) ? 1 : 0;
        break;
      case State::dot_cr:
        at += after_dot_cr(c) ? 1 : 0;
        break;
      case State::ended:
        break;
    }
  }
  return at;
}

// Up to and with the next CR. Looking for LF no further than that CR, and not at all once a fault is known,
// keeps this linear for any input.
size_t DataReader::take_line(std::string_view chunk, size_t at, std::string& out) {
  const size_t cr = chunk.find('\r', at);
  const std::string_view text = chunk.substr(at, cr == std::string_view::npos ? cr : cr - at);
  if (!bare_ && text.find('\n') != std::string_view::npos) bare_ = true;
  size_bytes_ += text.size();
  if (!at_fault()) out.append(text);
  if (cr == std::string_view::npos) return chunk.size();
  state_ = State::cr;
  return cr + 1;
}

bool DataReader::after_cr(char c, std::string& out) {
  if (c == '\n') {
    size_bytes_ += 2;
    if (!at_fault()) out += '\n';
    state_ = State::line_start;
    return true;
  }
  bare_ = true;
  ++size_bytes_;
  if (c == '\r') return true;
  state_ = State::line;
  return false;
}

bool DataReader::after_dot(char c) {
  state_ = c == '\r' ? State::dot_cr : State::line;
  return c == '\r';
}

bool DataReader::after_dot_cr(char c) {
  if (c == '\n') {
    state_ = State::ended;
    return true;
  }
  bare_ = true;
  ++size_bytes_;
  state_ = c == '\r' ? State::cr : State::line;
  return c == '\r';
}

}  // namespace postern::smtpd
