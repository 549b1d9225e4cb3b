// An entity's header as any reader may read it: all places where it may end, and all that the fields which
// say what the body is may say.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postern {

enum class MimeEncoding { as_it_is, base64, quoted_printable, uuencode, unknown };

struct MimeHeader {
  size_t end = 0;              // behind all that may belong to it
  std::vector<size_t> bodies;  // where the body may begin; the standard's reading first
  std::vector<std::string> types;
  bool is_certain = false;  // the types are from fields of their own, not from the midst of a line
  std::vector<MimeEncoding> encodings;  // at least one
  std::vector<std::string> boundaries;
  std::vector<std::string> names;
  bool too_much = false;  // more fields, boundaries or names than are looked at

  [[nodiscard]] bool has_type(std::string_view prefix) const;
  // Do all readers take it for this?
  [[nodiscard]] bool is_only(std::string_view prefix) const;
};

// Of what begins with a header; no offset is over the size.
MimeHeader read_mime_header(std::string_view entity);

}  // namespace postern
