// The bytes of a message from a user of this host, whose programs end lines as they like, made into lines
// that end with LF.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::inject {

// LF, CR LF and a CR alone all end a line: the same that postern-remote(8) makes of a message, so that what
// is scanned is what is sent.
class LineEnds {
 public:
  void take(std::string_view bytes, std::string& out);

 private:
  bool after_cr_ = false;  // its LF is out already; an LF now belongs to it
};

// Finds the line of one dot that ends a message in the manner of sendmail without -i. Nothing is unstuffed;
// a dot that is the last byte of all, without its LF, is that line too.
class DotEnd {
 public:
  // Lines ended by LF; appends what belongs to the message.
  void take(std::string_view bytes, std::string& out);
  [[nodiscard]] bool ended() const { return state_ == State::ended; }

 private:
  enum class State : uint8_t { line_start, line, dot, ended };
  State state_ = State::line_start;
};

// Watches a header go by and counts its Received: fields.
class HopCounter {
 public:
  // Lines ended by LF. Behind the empty line this costs nothing.
  void take(std::string_view bytes);
  [[nodiscard]] unsigned hops() const { return hops_; }

 private:
  static constexpr std::string_view kName = "received:";
  bool over_ = false;
  size_t line_bytes_ = 0;
  bool matches_ = true;  // the line so far is the beginning of kName
  unsigned hops_ = 0;
};

}  // namespace postern::inject
