#include "scanq/mime_header.h"

#include <algorithm>
#include <array>

#include "lib/text.h"
#include "scanq/mime_marks.h"
#include "scanq/mime_parameters.h"

namespace postern {

namespace {

constexpr size_t kMostBoundaries = 40;
constexpr size_t kMostNames = 100;
constexpr size_t kMostFields = 50;
constexpr size_t kMostFieldPlaces = 200;  // where one of our fields may begin; each is read to its end
constexpr size_t kMostValueBytes = 64 * 1024;

bool is_name_letter(char c) {
  return c > ' ' && c < 0x7f && c != ':';
}

// `name:`, with blanks before the colon at most.
bool is_field(std::string_view line) {
  const size_t name =
      static_cast<size_t>(std::find_if_not(line.begin(), line.end(), is_name_letter) - line.begin());
  const size_t colon = line.find_first_not_of(" \t", name);
  return name > 0 && colon != std::string_view::npos && line[colon] == ':';
}

void add(std::vector<size_t>& bodies, size_t at) {
  if (std::find(bodies.begin(), bodies.end(), at) == bodies.end()) bodies.push_back(at);
}

// Where a header ends: at an empty line. Some readers end it at a line of blanks, or at one that is no field,
// which for some is the body's first.
class Ends {
 public:
  Ends(std::string_view entity, bool cr_ends_lines) : entity_(entity), cr_(cr_ends_lines) {}

  // The standard's end, npos when there is none.
  size_t find() {
    size_t at = 0;
    while (entity_.substr(at).starts_with("From ") || entity_.substr(at).starts_with(">From "))
      at = behind(at);
    bool has_field = false;
    while (at < entity_.size()) {
      const size_t next = behind(at);
      std::string_view line = entity_.substr(at, next - at);
      while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
      if (line.empty()) return next;
      if (line.find_first_not_of(std::string_view(" \t\r\v\f\0", 6)) == std::string_view::npos) {
        if (blanks_.empty()) blanks_.push_back(next);
      } else if ((line.front() == ' ' || line.front() == '\t') && has_field) {
      } else if (is_field(line)) {
        has_field = true;
      } else if (strays_ < kMostStrays) {
        ++strays_;
        add(others_, at);
        if (has_field) add(others_, next);
      }
      at = next;
    }
    return std::string_view::npos;
  }
  void add_others(std::vector<size_t>& bodies) const {
    for (const size_t at : others_) add(bodies, at);
    for (const size_t at : blanks_) add(bodies, at);
  }

 private:
  static constexpr size_t kMostStrays = 2;
  [[nodiscard]] size_t behind(size_t at) const {
    if (!cr_) return next_line(entity_, at);
    const size_t end = entity_.find_first_of("\r\n", at);
    if (end == std::string_view::npos) return entity_.size();
    return end + (entity_.substr(end).starts_with("\r\n") ? 2 : 1);
  }
  std::string_view entity_;
  bool cr_;
  size_t strays_ = 0;
  std::vector<size_t> others_;
  std::vector<size_t> blanks_;
};

struct FieldValues {
  std::vector<std::string> types;
  std::vector<std::string> encodings;
  std::vector<std::string> loose_types;
  std::vector<std::string> loose_encodings;  // from places where few readers see a field
  std::vector<std::string> dispositions;
  size_t places = 0;  // that were looked at
};

void add(std::vector<std::string>& list, std::string value) {
  if (list.size() < kMostFields && std::find(list.begin(), list.end(), value) == list.end())
    list.push_back(std::move(value));
}

// A field's value with its folded lines, a blank for each line's end.
std::string field_value(std::string_view text, bool cr_ends_lines) {
  std::string value;
  while (value.size() <= kMostValueBytes) {
    const size_t end = text.find_first_of(cr_ends_lines ? "\r\n" : "\n");
    for (const char c : text.substr(0, std::min(end, kMostValueBytes + 1)))
      value += c == '\r' || c == '\0' ? ' ' : c;
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + (text.substr(end).starts_with("\r\n") ? 2 : 1));
    if (!text.starts_with(' ') && !text.starts_with('\t')) break;
    value += ' ';
    text.remove_prefix(1);
  }
  return std::string(trim(value));
}

void one_field(std::string_view block, size_t at, size_t line, FieldValues& values) {
  static constexpr std::array<std::string_view, 3> kNames = {"content-type", "content-transfer-encoding",
                                                             "content-disposition"};
  for (size_t i = 0; i < kNames.size(); ++i) {
    const std::string_view name = kNames[i];
    if (!equal_ignoring_case(block.substr(at, name.size()), name)) continue;
    const size_t colon = block.find_first_not_of(std::string_view(" \t\r\0", 4), at + name.size());
    if (colon == std::string_view::npos || block[colon] != ':') return;
    ++values.places;
    const bool exact = at == line;
    for (const bool cr : {false, true}) {
      std::string value = field_value(block.substr(colon + 1), cr);
      if (i == 0)
        add(exact ? values.types : values.loose_types, std::move(value));
      else if (i == 1)
        add(exact ? values.encodings : values.loose_encodings, std::move(value));
      else if (i == 2 && exact)
        add(values.dispositions, std::move(value));
    }
    return;
  }
}

void collect_fields(std::string_view block, FieldValues& values) {
  size_t line = 0;  // the last line's begin
  for (size_t at = 0; at < block.size() && values.places <= kMostFieldPlaces; ++at) {
    const char c = block[at];
    if (c == '\n' || c == '\r') line = at + 1;
    if ((c | 0x20) != 'c' || block.size() - at < 12 || block[at + 7] != '-') continue;
    const char before = at == 0 ? '\n' : block[at - 1];
    const bool in_word = (before >= 'a' && before <= 'z') || (before >= 'A' && before <= 'Z') ||
                         before == '-' || (before >= '0' && before <= '9') || before == '_' || before == ':';
    if (!in_word) one_field(block, at, line, values);
  }
}

bool has(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

struct Named {
  std::vector<MimeEncoding> encodings;
  bool exact = false;  // as the standard spells it
};

Named encodings_named(std::string_view value) {
  const std::string name = lower(trim(value));
  if (name == "base64") return {{MimeEncoding::base64}, true};
  if (name == "quoted-printable") return {{MimeEncoding::quoted_printable}, true};
  if (name == "7bit" || name == "8bit" || name == "binary") return {{MimeEncoding::as_it_is}, true};
  Named named;
  std::string letters;
  for (const char c : without_comments(name))
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) letters += c;
  if (has(letters, "64")) named.encodings.push_back(MimeEncoding::base64);
  if (has(letters, "quoted") || has(letters, "printable") || letters == "qp")
    named.encodings.push_back(MimeEncoding::quoted_printable);
  if (has(letters, "uu")) named.encodings.push_back(MimeEncoding::uuencode);
  // These are found by what they begin with.
  const bool marked = has(letters, "yenc") || has(letters, "binhex");
  if (marked || letters.empty() || has(letters, "7bit") || has(letters, "8bit") || has(letters, "binary"))
    named.encodings.push_back(MimeEncoding::as_it_is);
  return named;
}

std::vector<MimeEncoding> encodings_of(const FieldValues& values) {
  std::vector<MimeEncoding> all;
  bool certain = values.encodings.size() == 1 && values.loose_encodings.empty();
  const auto note = [&](MimeEncoding encoding) {
    if (std::find(all.begin(), all.end(), encoding) == all.end()) all.push_back(encoding);
  };
  for (const std::string& value : values.encodings) {
    const Named named = encodings_named(value);
    certain = certain && named.exact;
    for (const MimeEncoding encoding : named.encodings) note(encoding);
    if (named.encodings.empty()) note(MimeEncoding::unknown);
  }
  for (const std::string& value : values.loose_encodings)
    for (const MimeEncoding encoding : encodings_named(value).encodings) note(encoding);
  if (!certain) note(MimeEncoding::as_it_is);
  return all;
}

// `type/subtype`, lower-case, without what does not belong to it.
std::string type_of(std::string_view value) {
  std::string text = lower(without_comments(value));
  text.erase(std::remove(text.begin(), text.end(), '"'), text.end());
  const std::string_view all = trim(text);
  std::string type;
  for (size_t at = 0; at < all.size() && all[at] != ';' && all[at] != ','; ++at) {
    if (all[at] != ' ' && all[at] != '\t') {
      type += all[at];
      continue;
    }
    const size_t next = all.find_first_not_of(" \t", at);
    if (next != std::string_view::npos && all[next] != '/' && !type.ends_with('/')) break;
  }
  return type;
}

std::string without_bytes(std::string_view text, std::string_view bytes) {
  std::string out;
  for (const char c : text)
    if (bytes.find(c) == std::string_view::npos) out += c;
  return out;
}

std::string unfolded_to_nothing(std::string_view value) {
  return without_bytes(value, " \t");
}

void read_parameters(std::string_view block, const FieldValues& values, MimeHeader& header) {
  std::vector<std::string> all = values.types;
  all.insert(all.end(), values.dispositions.begin(), values.dispositions.end());
  for (const std::string_view attribute : {"filename", "name"}) {
    for (std::string& name : parameter_values(all, attribute, kMostNames)) {
      if (!name.empty()) add(header.names, std::move(name));
    }
  }
  std::vector<std::string> boundaries = parameter_values(values.types, "boundary", kMostBoundaries);
  if (header.has_type("multipart") || values.types.size() > 1) {
    for (std::string& value : loose_values(block, "boundary", kMostBoundaries))
      add(boundaries, std::move(value));
  }
  for (const std::string& value : boundaries) {
    // Blanks at its end belong to no boundary (RFC 2046, 5.1.1), but not all readers take them off.
    const size_t last = value.find_last_not_of(" \t\r\n");
    add(header.boundaries, value.substr(0, last == std::string::npos ? 0 : last + 1));
    add(header.boundaries, value);
    if (value.find_first_of(" \t") != std::string::npos) add(header.boundaries, unfolded_to_nothing(value));
  }
  const bool long_value = std::any_of(
      all.begin(), all.end(), [](const std::string& value) { return value.size() > kMostValueBytes; });
  header.too_much = long_value || values.places > kMostFieldPlaces || boundaries.size() > kMostBoundaries ||
                    header.names.size() > kMostNames;
}

}  // namespace

bool MimeHeader::has_type(std::string_view prefix) const {
  return std::any_of(types.begin(), types.end(),
                     [&](const std::string& type) { return type.starts_with(prefix); });
}

bool MimeHeader::is_only(std::string_view prefix) const {
  return !types.empty() && std::all_of(types.begin(), types.end(),
                                       [&](const std::string& type) { return type.starts_with(prefix); });
}

MimeHeader read_mime_header(std::string_view entity) {
  MimeHeader header;
  Ends ends(entity, false);
  const size_t standard = ends.find();
  if (standard != std::string_view::npos) add(header.bodies, standard);
  ends.add_others(header.bodies);
  header.end = std::min(standard, entity.size());
  if (has_bare_cr(entity.substr(0, header.end))) {
    Ends with_cr(entity, true);
    const size_t end = with_cr.find();
    if (end != std::string_view::npos) add(header.bodies, end);
    with_cr.add_others(header.bodies);
  }
  if (header.bodies.empty()) header.bodies.push_back(entity.size());
  const std::string_view block = entity.substr(0, header.end);

  FieldValues values;
  collect_fields(block, values);
  static constexpr std::string_view kDropped("\0\r", 2);
  if (block.find('\0') != std::string_view::npos || has_bare_cr(block)) {
    collect_fields(without_bytes(block, std::string_view("\0", 1)), values);
    collect_fields(without_bytes(block, kDropped), values);
  }
  header.is_certain = !values.types.empty();
  if (!header.is_certain) {
    for (const std::string& value : values.loose_types)
      if (has(value, "/")) values.types.push_back(value);
  }
  for (const std::string& value : values.types) {
    std::string type = type_of(value);
    if (!type.empty()) add(header.types, std::move(type));
  }
  header.encodings = encodings_of(values);
  read_parameters(block, values, header);
  return header;
}

}  // namespace postern
