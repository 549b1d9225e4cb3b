#include "scanq/antivirus_mime.h"

#include <algorithm>
#include <string>
#include <utility>

#include "lib/text.h"
#include "scanq/mime_encodings.h"
#include "scanq/mime_marks.h"
#include "scanq/mime_walk.h"
#include "scanq/tnef.h"

namespace postern {

namespace {

// One header field's name (lower case, trimmed) and value, folded lines joined; nothing is kept past the
// call.
struct Field {
  std::string name;
  std::string value;
};

// Cuts the next field off `header`. False when what stands there is no field for all readers.
bool next_field(std::string_view& header, Field& field) {
  field = {};
  for (bool first = true; first || header.starts_with(' ') || header.starts_with('\t'); first = false) {
    const size_t end = header.find('\n');
    const std::string_view line = header.substr(0, end);
    header.remove_prefix(end == std::string_view::npos ? header.size() : end + 1);
    if (!first) {
      // A line of blanks ends the header for some readers.
      if (line.find_first_not_of(" \t\r\v\f") == std::string_view::npos) return false;
      field.value.append(" ").append(trim(line));
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 || line.front() == ' ' || line.front() == '\t')
      return false;
    field.name = lower(trim(line.substr(0, colon)));
    if (field.name.empty() ||
        std::any_of(field.name.begin(), field.name.end(), [](char c) { return c <= ' ' || c >= 0x7f; }))
      return false;
    field.value = trim(line.substr(colon + 1));
  }
  return true;
}

bool hides_nothing(std::string_view encoding) {
  return equal_ignoring_case(encoding, "7bit") || equal_ignoring_case(encoding, "8bit");
}

// A boundary has no business there, but parts may be cut by it.
bool is_text_plain(std::string_view value) {
  return equal_ignoring_case(trim(value.substr(0, value.find(';'))), "text/plain") &&
         lower(value).find("boundary") == std::string::npos;
}

// Where the empty line begins that ends the header; npos when there is none.
size_t header_end(std::string_view message) {
  for (size_t at = 0; at < message.size();) {
    const size_t end = message.find('\n', at);
    if (end == std::string_view::npos) break;
    if (end == at || (end == at + 1 && message[at] == '\r')) return at;
    at = end + 1;
  }
  return std::string_view::npos;
}

}  // namespace

bool is_plain_message(std::string_view message) {
  const size_t end = header_end(message);
  if (end == std::string_view::npos) return false;
  std::string_view header = message.substr(0, end);
  // A CR of its own ends a line for some readers: what they see is another header, or body, than ours.
  if (header.find('\0') != std::string_view::npos || has_bare_cr(message)) return false;
  bool has_type = false;
  bool has_encoding = false;
  Field field;
  while (!header.empty()) {
    if (!next_field(header, field)) return false;
    // Some readers may find a field in the midst of another one, or of another one's name.
    if (lower(field.value).find("content-t") != std::string::npos) return false;
    if (field.name == "content-type") {
      if (std::exchange(has_type, true) || !is_text_plain(field.value)) return false;
    } else if (field.name == "content-transfer-encoding") {
      if (std::exchange(has_encoding, true) || !hides_nothing(field.value)) return false;
    } else if (field.name.find("content-t") != std::string::npos) {
      return false;
    }
  }
  const std::string_view body = body_of(message);
  // A CMS object is never plain either: its type has a CR of its own in it.
  return find_marks(body, 0).empty() && !looks_like_base64(body) && !is_tnef(body);
}

std::string_view body_of(std::string_view message) {
  const size_t end = header_end(message);
  return end == std::string_view::npos ? std::string_view() : message.substr(message.find('\n', end) + 1);
}

MimeReport walk_pieces(std::string_view message, const MimeLimits& limits,
                       const std::function<bool(const MimePiece&)>& visit) {
  MimeWalk walk(limits, visit);
  walk.message(message);
  return walk.report();
}

}  // namespace postern
