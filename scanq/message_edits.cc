#include "scanq/message_edits.h"

#include <algorithm>

#include "lib/quoted_printable.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kHeaderLineBytes = 998;  // RFC 5322 2.1.1

std::string with_breaks(std::string_view text, std::string_view line_break) {
  std::string result;
  for (const char c : text) {
    if (c == '\n') {
      result += line_break;
    } else {
      result += c;
    }
  }
  return result;
}

// Header fields and body of a part of plain text.
struct TextPart {
  std::string fields;
  std::string body;
};

TextPart text_part(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(),
                                 [](char c) { return (c >= ' ' && c < 0x7f) || c == '\t' || c == '\n'; });
  const std::vector<std::string_view> lines = split(text, '\n');
  const bool is_short = std::all_of(lines.begin(), lines.end(),
                                    [](std::string_view line) { return line.size() <= kHeaderLineBytes; });
  const bool as_is = plain && is_short;
  TextPart part;
  part.fields = "Content-Type: text/plain; charset=utf-8\nContent-Disposition: inline\n";
  part.fields +=
      as_is ? "Content-Transfer-Encoding: 7bit\n" : "Content-Transfer-Encoding: quoted-printable\n";
  part.body = as_is ? std::string(text) : quoted_printable(text);
  if (!part.body.ends_with('\n')) part.body += '\n';
  return part;
}

bool is_content_field(const HeaderField& field) {
  static constexpr std::string_view kPrefix = "content-";
  return equal_ignoring_case(field.name.substr(0, kPrefix.size()), kPrefix);
}

// In a message's own header the fields that are not MIME's stay.
std::optional<std::vector<Edit>> replace_message_body(std::string_view message, const MessagePart& part,
                                                      const TextPart& with, const std::string& line_break) {
  const std::optional<std::vector<HeaderField>> fields = header_fields(message, part);
  if (!fields || fields->empty() || !part.has_body) return std::nullopt;
  std::string added = with.fields;
  std::vector<Edit> edits;
  const bool has_version = std::any_of(fields->begin(), fields->end(), [](const HeaderField& field) {
    return equal_ignoring_case(field.name, "mime-version");
  });
  if (!has_version) added = "MIME-Version: 1.0\n" + added;
  for (const HeaderField& field : *fields) {
    if (!is_content_field(field)) continue;
    edits.push_back({field.begin, field.end, edits.empty() ? with_breaks(added, line_break) : std::string()});
  }
  if (edits.empty())
    edits.push_back({fields->back().end, fields->back().end, with_breaks(added, line_break)});
  edits.push_back({part.body, part.end, with_breaks(with.body, line_break)});
  return edits;
}

bool contains(const std::vector<const MessagePart*>& parts, const MessagePart& part) {
  return std::find(parts.begin(), parts.end(), &part) != parts.end();
}

// Collects what to take out below `part`; true: all of `part` is to go, and the caller takes it out.
bool collect_drops(const MessagePart& part, const std::vector<const MessagePart*>& wanted,
                   std::vector<Edit>& edits) {
  if (contains(wanted, part)) return true;
  if (part.children.empty()) return false;
  std::vector<Edit> below;
  size_t gone = 0;
  for (const MessagePart& child : part.children) {
    if (!collect_drops(child, wanted, below)) continue;
    ++gone;
    below.push_back({child.line, child.next, {}});
  }
  if (gone == part.children.size()) return true;
  edits.insert(edits.end(), below.begin(), below.end());
  return false;
}

}  // namespace

std::string edited_text(std::string_view message, std::vector<Edit> edits) {
  std::stable_sort(edits.begin(), edits.end(),
                   [](const Edit& a, const Edit& b) { return a.begin < b.begin; });
  std::string text;
  text.reserve(message.size());
  size_t at = 0;
  for (const Edit& edit : edits) {
    text.append(message.substr(at, edit.begin - at)).append(edit.with);
    at = edit.end;
  }
  return text.append(message.substr(at));
}

std::optional<std::vector<Edit>> drop_parts(const MessagePart& top,
                                            const std::vector<const MessagePart*>& parts) {
  std::vector<Edit> edits;
  if (collect_drops(top, parts, edits)) return std::nullopt;
  return edits;
}

std::optional<std::vector<Edit>> replace_part(std::string_view message, const MessagePart& part,
                                              std::string_view text) {
  TextPart with = text_part(text);
  const std::string line_break = line_break_at(message, part.line);
  if (part.is_message) return replace_message_body(message, part, with, line_break);
  // The line break behind the last line belongs to the delimiter that follows.
  if (with.body.ends_with('\n') && part.end < part.next) with.body.pop_back();
  return std::vector<Edit>{{part.begin, part.end, with_breaks(with.fields + "\n" + with.body, line_break)}};
}

std::optional<std::vector<Edit>> prepend_subject(std::string_view message, const MessagePart& top,
                                                 std::string_view text) {
  const std::optional<std::vector<HeaderField>> fields = header_fields(message, top);
  if (!fields || fields->empty()) return std::nullopt;
  const std::string line_break = line_break_at(message, top.begin);
  std::vector<Edit> edits;
  for (const HeaderField& field : *fields) {
    if (!equal_ignoring_case(field.name, "subject")) continue;
    const std::string_view rest = message.substr(field.value, field.end - field.value);
    const bool has_text = !trim(rest).empty();
    // Between an encoded word and another readers show no blank: it must be inside.
    std::string front = " " + encoded_words(std::string(text) + (has_text ? " " : ""));
    while (front.ends_with(' ')) front.pop_back();
    const size_t first_line = std::min(rest.size(), rest.find('\n'));
    const bool same_line = has_text && rest.front() != '\r' && rest.front() != '\n';
    if (same_line && field.name.size() + 1 + front.size() + first_line > kHeaderLineBytes)
      front += line_break;
    if (same_line && rest.front() != ' ' && rest.front() != '\t') front += ' ';
    edits.push_back({field.value, field.value, front});
  }
  if (edits.empty()) {
    const size_t at = fields->back().end;
    edits.push_back({at, at, "Subject: " + encoded_words(text) + line_break});
  }
  return edits;
}

}  // namespace postern
