#include "inject/message_text.h"

#include <algorithm>

namespace postern::inject {

void LineEnds::take(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    if (after_cr_ && bytes.front() == '\n') bytes.remove_prefix(1);
    after_cr_ = false;
    const size_t cr = bytes.find('\r');
    out.append(bytes.substr(0, cr));
    if (cr == std::string_view::npos) return;
    out += '\n';
    after_cr_ = true;
    bytes.remove_prefix(cr + 1);
  }
}

void DotEnd::take(std::string_view bytes, std::string& out) {
  while (!bytes.empty() && state_ != State::ended) {
    if (state_ == State::dot) {
      if (bytes.front() == '\n') {
        state_ = State::ended;
        return;
      }
      out += '.';
      state_ = State::line;
    }
    if (state_ == State::line_start && bytes.front() == '.') {
      state_ = State::dot;
      bytes.remove_prefix(1);
      continue;
    }
    const size_t end = bytes.find('\n');
    const size_t length = end == std::string_view::npos ? bytes.size() : end + 1;
    out.append(bytes.substr(0, length));
    state_ = end == std::string_view::npos ? State::line : State::line_start;
    bytes.remove_prefix(length);
  }
}

void HopCounter::take(std::string_view bytes) {
  for (size_t at = 0; at < bytes.size() && !over_;) {
    const char c = bytes[at];
    if (c == '\n') {
      over_ = line_bytes_ == 0;
      line_bytes_ = 0;
      matches_ = true;
      ++at;
      continue;
    }
    if (!matches_) {
      at = std::min(bytes.find('\n', at), bytes.size());
      continue;
    }
    const char letter = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    matches_ = letter == kName[line_bytes_];
    ++line_bytes_;
    ++at;
    if (matches_ && line_bytes_ == kName.size()) {
      ++hops_;
      matches_ = false;
    }
  }
}

}  // namespace postern::inject
