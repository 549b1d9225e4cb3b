// Where in a buffer something may begin that a mail reader unpacks, found in one pass: so no part needs to be
// looked through for it again.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace postern {

enum class MarkKind : unsigned char { content_field, uuencode, base64, yenc, binhex, pgp };

struct Mark {
  size_t at = 0;  // the line's begin, but for uuencode in the midst of one
  MarkKind kind = MarkKind::content_field;
  bool covered = false;  // a content field that some entity's header has taken account of
};

// In order, at most `limit` and one more.
std::vector<Mark> find_marks(std::string_view bytes, size_t limit);

// The next line begin behind `at`, or the size.
size_t next_line(std::string_view bytes, size_t at);
// Is there a CR without LF behind it? Some readers end a line there.
bool has_bare_cr(std::string_view bytes);

}  // namespace postern
