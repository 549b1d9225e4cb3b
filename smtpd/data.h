// The message as it comes behind DATA: finds its end, undoes dot-stuffing, turns CR LF into LF, and sees
// every line that does not end with CR LF. It takes chunks of any size; what it does depends on the bytes
// alone, never on how they were cut into chunks.
//
// There is one end of data: CR LF . CR LF (the first CR LF may be that of the DATA line). A bare CR or LF is
// content of a message that will be refused; it neither begins nor ends a line. So whatever else another
// server may take for an end of data, here it stays inside the refused message and no second message can hide
// behind it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::smtpd {

class DataReader {
 public:
  // `limit_bytes` of the message as RFC 1870 counts: with CR LF, without stuffed dots. 0: no limit.
  explicit DataReader(uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  // Takes bytes up to the end of data and appends the message's to `out`; how many it took: all, or up to and
  // with the end of data. Once the message is at fault nothing is appended any more.
  size_t take(std::string_view chunk, std::string& out);

  [[nodiscard]] bool ended() const { return state_ == State::ended; }
  [[nodiscard]] bool bare_line_ends() const { return bare_; }
  [[nodiscard]] bool too_large() const { return limit_bytes_ != 0 && size_bytes_ > limit_bytes_; }
  [[nodiscard]] bool at_fault() const { return bare_ || too_large(); }
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

  size_t take_line(std::string_view chunk, size_t at, std::string& out);
  // Each looks at one byte; false: it belongs to what comes next.
  bool after_cr(char c, std::string& out);
  bool after_dot(char c);
  bool after_dot_cr(char c);

  uint64_t limit_bytes_;
  uint64_t size_bytes_ = 0;
  State state_ = State::line_start;
  bool bare_ = false;
};

}  // namespace postern::smtpd
