// The MIME tree of a message as places in its bytes, so that parts can be taken out or replaced while every
// other byte stays where and as it is. It is read strictly: where mail readers could see different parts
// (fields twice, boundaries that begin alike, an encoded multipart, no closing delimiter) the tree says so
// and goes no deeper.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern {

// One field of a header.
struct HeaderField {
  std::string_view name;
  size_t begin = 0;
  size_t value = 0;  // behind the colon
  size_t end = 0;    // behind its last line break
};

// An entity of RFC 2045 2.4: the message, a part of a multipart, or the message in a message/rfc822.
struct MessagePart {
  size_t line = 0;  // where the delimiter line in front of it begins; as `begin` where there is none
  size_t begin = 0;
  size_t body = 0;           // behind the empty line; `end` without one
  size_t end = 0;            // in front of the line break that belongs to the next delimiter
  size_t next = 0;           // where the next delimiter line begins; as `end` where there is none
  bool has_body = false;     // the empty line is there
  bool header_sound = true;  // its header is nothing but fields
  bool is_message = false;   // top of the whole message, or of one inside it: its header is more than MIME's
  bool sure = true;          // `children` are what every reader sees
  std::vector<MessagePart> children;
};

// Bounds of depth and number end in a part that is not sure.
MessagePart read_message_parts(std::string_view message);

// The fields of a part's header; nothing where it is not nothing but fields.
std::optional<std::vector<HeaderField>> header_fields(std::string_view message, const MessagePart& part);
// A field's value, unfolded and trimmed; empty where there is none. The first of several.
std::string header_value(std::string_view message, const MessagePart& part, std::string_view name);

// The part at a path as AntivirusVerdict has them; where the path leads into something that has no parts for
// us (an archive, an encoded multipart) that whole part. A message/rfc822 has the message in it as its child
// 0. Nothing where it cannot be told, which is always so for a top that is not one single part.
const MessagePart* part_at(const MessagePart& top, const std::vector<unsigned>& path);
// All parts that have no children: leaves, and what goes no deeper for us.
std::vector<const MessagePart*> leaves_of(const MessagePart& top);
// The multipart or message/rfc822 that holds `part`; null for the top.
const MessagePart* parent_of(const MessagePart& top, const MessagePart& part);
// The line break that ends the line which `at` stands in: CR LF or LF.
std::string line_break_at(std::string_view message, size_t at);

}  // namespace postern
