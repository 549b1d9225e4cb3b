// A message of LF lines as the body of DATA: CRLF line ends, dots stuffed (RFC 5321 4.5.2), CRLF.CRLF at the
// end; or as a chunk of BDAT.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/result.h"

namespace postern {

class BodyEncoder {
 public:
  // For DATA dots are stuffed; for BDAT, whose chunks are counted (RFC 3030), they are not.
  enum class Form { data, chunk };
  explicit BodyEncoder(Form form = Form::data) : form_(form) {}

  // Appends `bytes` as they go over the wire: at most twice their size and two more. LF, CR LF and a CR alone
  // all end a line, so that nothing in a message can look like its end to a server that takes a bare CR or LF
  // for one.
  void encode(std::string_view bytes, std::string& out);
  // A last line end where the message has none; then, for DATA, the end of the data.
  void finish(std::string& out);

 private:
  void encode_line_part(std::string_view part, std::string& out);

  Form form_;
  bool at_line_start_ = true;
  bool after_cr_ = false;  // its CRLF is out already; an LF now belongs to it
};

// What is to be known of the first `size` bytes of the file, from one reading.
struct BodyFacts {
  uint64_t wire_bytes = 0;  // as they go over the wire, without stuffed dots and the end (RFC 1870 5)
  bool has_8bit = false;    // any byte above 0x7f
};
Result<BodyFacts> examine_body(int fd, uint64_t size);
// Is any byte of its header above 0x7f: up to the first empty line?
Result<bool> header_has_8bit(int fd, uint64_t size);

}  // namespace postern
