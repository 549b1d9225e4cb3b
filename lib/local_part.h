// The two forms of a local-part: dot-string and quoted-string (RFC 5321 4.1.2).
#pragma once

#include <string>
#include <string_view>

namespace postern {

enum class Utf8 { no, yes };

// Atoms between single dots. With Utf8::yes bytes above 0x7f count as letters (RFC 6531).
bool is_dot_string(std::string_view text, Utf8 utf8);
// From its first quote to its last, with nothing unescaped inside that would end it. Control bytes are the
// caller's.
bool is_quoted_string(std::string_view text);

// As it is looked up: what a quoted-string stands for, anything else as it is.
std::string unquote_local_part(std::string_view local);
// Would this local-part be routed on by a relay that still knows user%host, host!user or "user@host"?
bool has_route_in_it(std::string_view local_part);

}  // namespace postern
