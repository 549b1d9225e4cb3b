// The text of a message as it comes behind DATA or in the chunks of BDAT: turns CR LF into LF, sees every
// line that does not end with CR LF, and behind DATA finds the end and undoes dot-stuffing. It takes pieces
// of any size; what it does depends on the bytes alone, never on how they were cut.
//
// There is one end of data: CR LF . CR LF (the first CR LF may be that of the DATA line). A bare CR or LF is
// content whatever becomes of the message; it neither begins nor ends a line of the conversation. So whatever
// else another server may take for an end of data, here it stays inside the message and no second message can
// hide behind it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::smtpd {

// What becomes of a message with bare line ends: control/barelf.
enum class BareLineEnds : uint8_t {
  refuse,
  strip,  // a bare LF ends a line of the stored message, a bare CR is left out
  allow,  // both are stored as they came
};

// How the text comes: behind DATA, or in chunks whose length was said (RFC 3030: no dots, no end of data).
enum class Framing : uint8_t { data, chunks };

struct TextLimits {
  uint64_t message_bytes = 0;  // as RFC 1870 counts: with CR LF, without stuffed dots; 0: any
  uint64_t line_bytes = 0;     // of one line with its end; 0: any
  BareLineEnds bare_line_ends = BareLineEnds::refuse;
};

class TextReader {
 public:
  TextReader(Framing framing, const TextLimits& limits) : limits_(limits), framing_(framing) {}

  // Takes bytes up to the end of data and appends the message's to `out`; how many it took: all, or up to and
  // with the end of data. Once the message is at fault nothing is appended any more.
  size_t take(std::string_view piece, std::string& out);
  // The last chunk has come: what was waiting for its next byte is appended.
  void finish(std::string& out);

  [[nodiscard]] bool ended() const { return state_ == State::ended; }
  [[nodiscard]] bool bare_line_ends() const { return bare_; }
  [[nodiscard]] bool too_large() const {
    return limits_.message_bytes != 0 && size_bytes_ > limits_.message_bytes;
  }
  [[nodiscard]] bool line_too_long() const { return line_too_long_; }
  [[nodiscard]] bool at_fault() const {
    return (bare_ && limits_.bare_line_ends == BareLineEnds::refuse) || line_too_long_ || too_large();
  }
  [[nodiscard]] uint64_t size_bytes() const { return size_bytes_; }

 private:
  enum class State : uint8_t {
    line_start,
    line,
    cr,      // behind a CR in a line
    dot,     // behind a dot at the start of a line
    dot_cr,  // behind dot and CR
    ended,
  };

  size_t take_line(std::string_view piece, size_t at, std::string& out);
  // Each looks at one byte; false: it belongs to what comes next.
  bool after_cr(char c, std::string& out);
  bool after_dot(char c);
  bool after_dot_cr(char c, std::string& out);
  void bare_cr(std::string& out);
  void measure_lines(std::string_view text);
  void add_to_line(uint64_t bytes);

  TextLimits limits_;
  uint64_t size_bytes_ = 0;
  uint64_t line_bytes_ = 0;
  State state_ = State::line_start;
  Framing framing_;
  bool bare_ = false;
  bool line_too_long_ = false;
};

}  // namespace postern::smtpd
