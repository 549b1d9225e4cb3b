// The two canonical forms of RFC 6376 3.4, of a message as it will be on the wire: remote makes CR LF of each
// LF, each CR LF and each CR alone, and ends the last line where it has no end.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/dkim_table.h"

namespace postern {

// Takes a body in pieces of any size and appends its canonical form. Lines may be of any length.
class BodyCanonicaliser {
 public:
  explicit BodyCanonicaliser(Canonical form) : form_(form) {}
  void take(std::string_view bytes, std::string& out);
  // The end of the body: nothing may be taken behind it.
  void finish(std::string& out);

 private:
  void put(std::string_view run, std::string& out);
  void end_line(std::string& out);

  Canonical form_;
  size_t empty_lines_ = 0;  // not out yet: at the end of a body they do not count
  bool has_text_ = false;   // of the line that is being read, something is out
  bool has_space_ = false;  // relaxed: white space that is not out yet
  bool after_cr_ = false;   // an LF now belongs to it
  bool any_ = false;        // something is out
};

// A header field as it stands, with its line ends and without that of its last line.
struct SignedField {
  std::string_view name;
  std::string_view whole;
};

// The fields before the first empty line, in order. Lines that are no field are passed over, as a verifier
// does. Views are of `header`.
std::vector<SignedField> header_fields(std::string_view header);

// Where the body begins: behind the first empty line; nothing: there is none in these bytes.
std::optional<size_t> body_start(std::string_view message);

// The canonical form, without a line end.
std::string canonical_field(std::string_view whole, Canonical form);

// The value of a field in one line: behind the colon, unfolded.
std::string unfolded_value(std::string_view whole);

}  // namespace postern
