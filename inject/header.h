// The header of a message that a local user hands in: cut into fields, and the name of each.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"

namespace postern::inject {

constexpr size_t kHeaderLimitBytes = 8 * 1024 * 1024;

struct Field {
  std::string text;       // with its folded lines and the last LF
  size_t name_bytes = 0;  // of the text
  size_t body_begin = 0;  // behind the colon
  [[nodiscard]] bool named(std::string_view name) const;
  [[nodiscard]] std::string_view body() const;  // without the last LF
};

// Cuts the fields off the front of a message as it comes in pieces. The header ends with an empty line, or
// before the first line that is neither a field nor the continuation of one: such a message has lost its
// empty line, or never had a header.
class HeaderReader {
 public:
  // More bytes, lines ended by LF. Fails (permanent) when the header is larger than kHeaderLimitBytes.
  Result<void> take(std::string_view bytes);
  // No more bytes come.
  void finish();

  [[nodiscard]] bool over() const { return over_; }
  [[nodiscard]] std::vector<Field>& fields() { return fields_; }
  // What came and belongs to the body; behind the empty line.
  [[nodiscard]] const std::string& rest() const { return rest_; }

 private:
  // Whether the line went into the header; with `complete` false there may be more of it.
  bool take_line(std::string_view line, bool complete);

  std::string rest_;
  size_t header_bytes_ = 0;
  std::vector<Field> fields_;
  bool first_ = true;
  bool over_ = false;
};

// "Name: body LF" where the body may hold LFs already, each followed by white space.
Field make_field(std::string_view name, std::string_view body);

}  // namespace postern::inject
