#include "scanq/message_parts.h"

#include <algorithm>
#include <utility>

#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kDepth = 64;
constexpr size_t kParts = 5000;

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// The line that begins at `at`, without its line break; `next` is set behind that.
std::string_view line_at(std::string_view text, size_t at, size_t& next) {
  const size_t newline = text.find('\n', at);
  next = newline == std::string_view::npos ? text.size() : newline + 1;
  std::string_view line = text.substr(at, (newline == std::string_view::npos ? text.size() : newline) - at);
  if (newline != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Finds the end of the header and notes whether all of it is fields. A line of nothing but blanks, a CR alone
// and a NUL end a header for some readers.
void read_header(std::string_view message, MessagePart& part) {
  const std::string_view text = message.substr(0, part.end);
  bool first = true;
  for (size_t at = part.begin; at < part.end; first = false) {
    size_t next = 0;
    const std::string_view line = line_at(text, at, next);
    if (line.empty()) {
      part.body = next;
      part.has_body = true;
      return;
    }
    const bool continued = is_blank(line.front());
    const size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    const bool is_name =
        !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
    const bool sound = line.find_first_of(std::string_view("\r\0", 2)) == std::string_view::npos &&
                       (continued ? !first && line.find_first_not_of(" \t") != std::string_view::npos
                                  : colon != std::string_view::npos && is_name);
    part.header_sound = part.header_sound && sound;
    at = next;
  }
  part.body = part.end;
}

// A token or a quoted string cut off the front; nothing where there is neither.
std::optional<std::string> cut_value(std::string_view& text) {
  std::string value;
  if (!text.starts_with('"')) {
    const size_t end = std::min(text.size(), text.find_first_of(" \t;()<>@,\\\"[]"));
    value = text.substr(0, end);
    text.remove_prefix(end);
    return value.empty() ? std::nullopt : std::optional(value);
  }
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    if (text[i] == '\\' && ++i == text.size()) break;
    value += text[i];
  }
  return std::nullopt;
}

struct ContentType {
  std::string type;  // "multipart/mixed", lower case
  std::string boundary;
};

// Nothing where the field is not exactly RFC 2045 5.1, or holds something twice: readers differ then.
std::optional<ContentType> parse_content_type(std::string_view text) {
  ContentType type;
  const size_t end = std::min(text.size(), text.find(';'));
  type.type = lower(trim(text.substr(0, end)));
  const bool plain = std::all_of(type.type.begin(), type.type.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' || c == '-' || c == '+' || c == '.' ||
           c == '_';
  });
  if (!plain || std::count(type.type.begin(), type.type.end(), '/') != 1) return std::nullopt;
  text.remove_prefix(end);
  bool has_boundary = false;
  while (!text.empty()) {
    if (text.front() != ';') return std::nullopt;
    text = trim(text.substr(1));
    if (text.empty()) break;  // a semicolon at the end is common, and everybody passes over it
    const size_t equals = std::min(text.size(), text.find_first_of("= \t;\""));
    const std::string name = lower(text.substr(0, equals));
    if (equals == text.size() || text[equals] != '=' || name.empty()) return std::nullopt;
    text.remove_prefix(equals + 1);
    std::optional<std::string> value = cut_value(text);
    if (!value) return std::nullopt;
    text = trim(text);
    if (name.starts_with("boundary")) {
      if (name != "boundary" || std::exchange(has_boundary, true)) return std::nullopt;
      type.boundary = *value;
    }
  }
  return type;
}

// What a part is for those who would look into it.
enum class Holds { nothing, parts, message, doubt };

struct Content {
  Holds holds = Holds::nothing;
  bool digest = false;
  std::string boundary;
};

bool hides_nothing(std::string_view encoding) {
  return encoding.empty() || equal_ignoring_case(encoding, "7bit") || equal_ignoring_case(encoding, "8bit") ||
         equal_ignoring_case(encoding, "binary");
}

bool is_boundary(std::string_view text) {
  return !text.empty() && text.size() <= 200 && !is_blank(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; });
}

Content content_of(std::string_view message, const MessagePart& part, bool in_digest) {
  const std::optional<std::vector<HeaderField>> fields = header_fields(message, part);
  if (!fields || !part.has_body) return {.holds = Holds::doubt, .boundary = {}};
  size_t types = 0;
  size_t encodings = 0;
  for (const HeaderField& field : *fields) {
    if (equal_ignoring_case(field.name, "content-type")) ++types;
    if (equal_ignoring_case(field.name, "content-transfer-encoding")) ++encodings;
  }
  const std::string value = header_value(message, part, "content-type");
  const std::optional<ContentType> type = parse_content_type(value);
  const std::string lowered = lower(value);
  const bool may_hold = (types == 0 && in_digest) || lowered.find("multipart") != std::string::npos ||
                        lowered.find("message/") != std::string::npos || types > 1;
  if (!may_hold) return {};
  const bool plain =
      types <= 1 && encodings <= 1 && hides_nothing(header_value(message, part, "content-transfer-encoding"));
  if (plain && types == 0) return {.holds = Holds::message, .boundary = {}};
  if (!type || !plain) return {.holds = Holds::doubt, .boundary = {}};
  if (type->type == "message/rfc822" || type->type == "message/global") {
    return {.holds = Holds::message, .boundary = {}};
  }
  if (!type->type.starts_with("multipart/")) return {};
  return {.holds = is_boundary(type->boundary) ? Holds::parts : Holds::doubt,
          .digest = type->type == "multipart/digest",
          .boundary = type->boundary};
}

class Reader {
 public:
  explicit Reader(std::string_view message) : message_(message) {}

  void part(MessagePart& part, size_t depth, bool in_digest) {
    read_header(message_, part);
    const Content content = content_of(message_, part, in_digest);
    if (content.holds == Holds::nothing) return;
    part.sure = content.holds != Holds::doubt && depth < kDepth;
    if (!part.sure) return;
    if (content.holds == Holds::message) return inner_message(part, depth);
    part.sure = cut(part, content.boundary) && ++parts_ + part.children.size() <= kParts;
    if (!part.sure) part.children.clear();
    parts_ += part.children.size();
    boundaries_.push_back(content.boundary);
    for (MessagePart& child : part.children) this->part(child, depth + 1, content.digest);
    boundaries_.pop_back();
  }

 private:
  void inner_message(MessagePart& outer, size_t depth) {
    MessagePart inner;
    inner.line = inner.begin = outer.body;
    inner.end = inner.next = outer.end;
    inner.is_message = true;
    part(inner, depth + 1, false);
    outer.children.push_back(std::move(inner));
  }

  // Cuts a multipart at its delimiters. False where they can be read in two ways.
  bool cut(MessagePart& part, const std::string& boundary) {
    const std::string delimiter = "--" + boundary;
    for (const std::string& other : boundaries_) {
      if (other.starts_with(boundary) || boundary.starts_with(other)) return false;
    }
    bool closed = false;
    const std::string_view text = message_.substr(0, part.end);
    for (size_t at = text.find(delimiter, part.body); at != std::string_view::npos;
         at = text.find(delimiter, at + 1)) {
      if (at > part.body && text[at - 1] != '\n') {
        if (text[at - 1] == '\r') return false;  // the line begins here for those who end lines with CR
        continue;
      }
      size_t next = 0;
      std::string_view rest = line_at(text, at, next).substr(delimiter.size());
      const bool closes = rest.starts_with("--");
      if (closes) rest.remove_prefix(2);
      if (closed || rest.find_first_not_of(" \t") != std::string_view::npos) return false;
      end_last_child(part, at);
      closed = closes;
      if (!closes) {
        MessagePart child;
        child.line = at;
        child.begin = child.end = next;
        part.children.push_back(child);
        if (part.children.size() > kParts) return false;
      }
    }
    return closed && !part.children.empty();
  }

  void end_last_child(MessagePart& part, size_t delimiter) const {
    if (part.children.empty()) return;
    MessagePart& child = part.children.back();
    child.next = delimiter;
    child.end = delimiter;
    if (child.end > child.begin && message_[child.end - 1] == '\n') --child.end;
    if (child.end > child.begin && message_[child.end - 1] == '\r') --child.end;
  }

  std::string_view message_;
  std::vector<std::string> boundaries_;  // of the multiparts around
  size_t parts_ = 0;
};

const MessagePart* find_parent(const MessagePart& above, const MessagePart& part) {
  for (const MessagePart& child : above.children) {
    if (&child == &part) return &above;
    if (const MessagePart* found = find_parent(child, part)) return found;
  }
  return nullptr;
}

void collect_leaves(const MessagePart& part, std::vector<const MessagePart*>& leaves) {
  if (part.children.empty()) leaves.push_back(&part);
  for (const MessagePart& child : part.children) collect_leaves(child, leaves);
}

}  // namespace

MessagePart read_message_parts(std::string_view message) {
  MessagePart top;
  top.end = top.next = message.size();
  top.is_message = true;
  Reader(message).part(top, 0, false);
  return top;
}

std::optional<std::vector<HeaderField>> header_fields(std::string_view message, const MessagePart& part) {
  if (!part.header_sound) return std::nullopt;
  std::vector<HeaderField> fields;
  const std::string_view text = message.substr(0, part.body);
  for (size_t at = part.begin; at < part.body;) {
    size_t next = 0;
    const std::string_view line = line_at(text, at, next);
    if (line.empty()) break;
    if (is_blank(line.front())) {
      fields.back().end = next;  // a sound header does not begin with one
    } else {
      const size_t colon = line.find(':');
      fields.push_back({line.substr(0, colon), at, at + colon + 1, next});
    }
    at = next;
  }
  return fields;
}

std::string header_value(std::string_view message, const MessagePart& part, std::string_view name) {
  const std::optional<std::vector<HeaderField>> fields = header_fields(message, part);
  if (!fields) return {};
  for (const HeaderField& field : *fields) {
    if (!equal_ignoring_case(field.name, name)) continue;
    std::string value;
    for (const char c : trim(message.substr(field.value, field.end - field.value)))
      if (c != '\r' && c != '\n') value += c;
    return value;
  }
  return {};
}

const MessagePart* part_at(const MessagePart& top, const std::vector<unsigned>& path) {
  const MessagePart* part = &top;
  for (const unsigned position : path) {
    if (part->children.empty()) break;
    if (position >= part->children.size()) return nullptr;
    part = &part->children[position];
  }
  const bool whole = part == &top;
  return whole && (!part->sure || !part->children.empty()) ? nullptr : part;
}

std::vector<const MessagePart*> leaves_of(const MessagePart& top) {
  std::vector<const MessagePart*> leaves;
  collect_leaves(top, leaves);
  return leaves;
}

const MessagePart* parent_of(const MessagePart& top, const MessagePart& part) {
  return find_parent(top, part);
}

std::string line_break_at(std::string_view message, size_t at) {
  const size_t newline = message.find('\n', at);
  const bool crlf = newline != std::string_view::npos && newline > 0 && message[newline - 1] == '\r';
  return crlf ? "\r\n" : "\n";
}

}  // namespace postern
