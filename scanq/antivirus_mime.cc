#include "scanq/antivirus_mime.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "lib/text.h"

// GMime finds where the parts stand and how they are encoded; it reads the message where it lies. A part
// without a transfer encoding is visited in place, the others are decoded into one buffer each, so nothing is
// copied twice.

namespace postern {

namespace {

constexpr size_t kSpareBytes = 8;  // what a decoder may write beyond its input's length

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <typename T>
using Owned = std::unique_ptr<T, Unref>;

// The array only lends its view of the message to GMime: the bytes are not its own and are never written.
struct ReleaseArray {
  void operator()(GByteArray* array) const { g_byte_array_free(array, FALSE); }
};
using BorrowedArray = std::unique_ptr<GByteArray, ReleaseArray>;

// One header field's name (lower case, trimmed) and value, folded lines joined; nothing is kept past the
// call.
struct Field {
  std::string name;
  std::string value;
};

// Cuts the next field off `header`. False when what stands there is no field.
bool next_field(std::string_view& header, Field& field) {
  field = {};
  for (bool first = true; first || header.starts_with(' ') || header.starts_with('\t'); first = false) {
    const size_t end = header.find('\n');
    const std::string_view line = header.substr(0, end);
    header.remove_prefix(end == std::string_view::npos ? header.size() : end + 1);
    if (!first) {
      field.value.append(" ").append(trim(line));
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 || line.front() == ' ' || line.front() == '\t')
      return false;
    field.name = lower(trim(line.substr(0, colon)));
    if (field.name.empty()) return false;
    field.value = trim(line.substr(colon + 1));
  }
  return true;
}

bool hides_nothing(std::string_view encoding) {
  return equal_ignoring_case(encoding, "7bit") || equal_ignoring_case(encoding, "8bit");
}

bool is_text_plain(std::string_view value) {
  return equal_ignoring_case(trim(value.substr(0, value.find(';'))), "text/plain");
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

struct Decoded {
  std::unique_ptr<char[]> bytes;
  size_t length = 0;
  size_t before_padding = 0;  // where a reader ends that stops at the first padding
  [[nodiscard]] std::string_view plain() const { return {bytes.get(), length}; }
};

Decoded decode(std::string_view raw, GMimeContentEncoding encoding) {
  GMimeEncoding state;
  g_mime_encoding_init_decode(&state, encoding);
  Decoded decoded{
      std::make_unique_for_overwrite<char[]>(g_mime_encoding_outlen(&state, raw.size()) + kSpareBytes)};
  char* const into = decoded.bytes.get();
  decoded.length = g_mime_encoding_step(&state, raw.data(), raw.size(), into);
  decoded.length += g_mime_encoding_flush(&state, nullptr, 0, into + decoded.length);
  decoded.before_padding = decoded.length;
  return decoded;
}

// Padding belongs at the end, but not all readers insist: some need none, some go on behind it. GMime does
// neither, so each stretch between paddings is decoded by itself and given the padding that it may lack.
Decoded decode_base64(std::string_view raw) {
  Decoded decoded{std::make_unique_for_overwrite<char[]>(raw.size() + kSpareBytes)};
  char* const into = decoded.bytes.get();
  for (bool first = true; !raw.empty(); first = false) {
    const std::string_view stretch = raw.substr(0, raw.find('='));
    GMimeEncoding state;
    g_mime_encoding_init_decode(&state, GMIME_CONTENT_ENCODING_BASE64);
    decoded.length += g_mime_encoding_step(&state, stretch.data(), stretch.size(), into + decoded.length);
    decoded.length += g_mime_encoding_step(&state, "=", 1, into + decoded.length);
    if (first) decoded.before_padding = decoded.length;
    raw.remove_prefix(std::min(raw.size(), raw.find_first_not_of("= \t\r\n", stretch.size())));
  }
  return decoded;
}

// Blanks at the end of a quoted-printable line were added on the way and are to be deleted (RFC 2045, 6.7
// (3)), so `=` with blanks behind it is a soft line break; GMime and some readers keep them. Nothing when
// there are none.
std::string without_trailing_blanks(std::string_view raw) {
  std::string text;
  bool differs = false;
  while (!raw.empty()) {
    const size_t newline = raw.find('\n');
    std::string_view line = raw.substr(0, newline);
    std::string_view end = newline == std::string_view::npos ? std::string_view() : raw.substr(newline, 1);
    if (line.ends_with('\r')) {
      end = raw.substr(line.size() - 1, end.size() + 1);
      line.remove_suffix(1);
    }
    const size_t last = line.find_last_not_of(" \t");
    const size_t kept = last == std::string_view::npos ? 0 : last + 1;
    differs = differs || kept < line.size();
    text.append(line.substr(0, kept)).append(end);
    raw.remove_prefix(line.size() + end.size());
  }
  return differs ? text : std::string();
}

bool is_encoded(GMimeContentEncoding encoding) {
  return encoding == GMIME_CONTENT_ENCODING_BASE64 || encoding == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE ||
         encoding == GMIME_CONTENT_ENCODING_UUENCODE;
}

// `name:`, with blanks before the colon at most.
bool is_like_field(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view name = line.substr(0, colon);
  return name.find_first_of(" \t") >= name.find_last_not_of(" \t") + 1;
}

bool is_like_address_field(std::string_view line) {
  static constexpr std::array<std::string_view, 8> kNames = {
      "to", "cc", "bcc", "from", "sender", "reply-to", "disposition-notification-to", "mail-followup-to"};
  std::string_view name = trim(line.substr(0, line.find(':')));
  static constexpr std::string_view kResent = "resent-";
  if (equal_ignoring_case(name.substr(0, kResent.size()), kResent)) name.remove_prefix(kResent.size());
  return std::any_of(kNames.begin(), kNames.end(),
                     [&](std::string_view n) { return equal_ignoring_case(name, n); });
}

// A header that makes a message of the content of `part`, of which only the transfer encoding was wrong.
std::string multipart_header(GMimeObject* part) {
  const char* boundary = g_mime_content_type_get_parameter(g_mime_object_get_content_type(part), "boundary");
  std::string header = "Content-Type: multipart/mixed; boundary=\"";
  for (const char c : std::string_view(boundary == nullptr ? "" : boundary)) {
    if (c == '"' || c == '\\') header += '\\';
    if (c != '\n' && c != '\r') header += c;
  }
  return header.append("\"\n\n");
}

class Walk {
 public:
  Walk(const MimeLimits& limits, const std::function<bool(std::string_view)>& visit)
      : limits_(limits), visit_(visit) {}

  // False: go no further, for either reason. `over_limit` says which.
  bool message(std::string_view bytes, size_t depth) {
    if (depth > limits_.depth) return stop_for("MIME parts inside each other", limits_.depth);
    if (bytes.size() > std::numeric_limits<guint>::max() / 2) return stop_for("bytes", limits_.decoded_bytes);
    if (!count_lines(bytes)) return false;
    // g_byte_array_new_take() wants a pointer to non-const; a stream that is only read never writes through
    // it.
    auto* start = const_cast<guint8*>(reinterpret_cast<const guint8*>(bytes.data()));
    const BorrowedArray array{g_byte_array_new_take(start, bytes.size())};
    const Owned<GMimeStream> stream{g_mime_stream_mem_new_with_byte_array(array.get())};
    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream.get()), FALSE);
    const Owned<GMimeParser> parser{g_mime_parser_new_with_stream(stream.get())};
    const Owned<GMimeMessage> parsed{g_mime_parser_construct_message(parser.get(), nullptr)};
    return !parsed || object(g_mime_message_get_mime_part(parsed.get()), bytes, depth);
  }

  [[nodiscard]] const std::string& over_limit() const { return over_limit_; }

 private:
  // GMime makes the whole tree before anybody can look at it, so what it may become is estimated first.
  bool count_lines(std::string_view bytes) {
    bool in_addresses = false;
    while (!bytes.empty()) {
      const size_t newline = bytes.find('\n');
      const std::string_view line = bytes.substr(0, newline);
      if (line.starts_with("--") && ++delimiters_ > limits_.delimiter_lines)
        return stop_for("lines like a delimiter", limits_.delimiter_lines);
      if (is_like_field(line) && ++fields_ > limits_.field_lines)
        return stop_for("lines like a header field", limits_.field_lines);
      const bool continued = line.starts_with(' ') || line.starts_with('\t');
      in_addresses = continued ? in_addresses : is_like_field(line) && is_like_address_field(line);
      if (in_addresses && (address_bytes_ += line.size()) > limits_.address_bytes)
        return stop_for("bytes in header fields with addresses", limits_.address_bytes);
      bytes.remove_prefix(newline == std::string_view::npos ? bytes.size() : newline + 1);
    }
    return true;
  }

  bool object(GMimeObject* part, std::string_view bytes, size_t depth) {
    if (part == nullptr) return true;
    if (depth > limits_.depth) return stop_for("MIME parts inside each other", limits_.depth);
    if (GMIME_IS_MULTIPART(part)) {
      auto* multipart = GMIME_MULTIPART(part);
      const int count = g_mime_multipart_get_count(multipart);
      for (int i = 0; i < count; ++i) {
        if (!object(g_mime_multipart_get_part(multipart, i), bytes, depth + 1)) return false;
      }
      return encoded_multipart(part, bytes, depth);
    }
    if (GMIME_IS_MESSAGE_PART(part)) {
      GMimeMessage* inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(part));
      return inner == nullptr || object(g_mime_message_get_mime_part(inner), bytes, depth + 1);
    }
    return !GMIME_IS_PART(part) || leaf(GMIME_PART(part), bytes, depth);
  }

  bool leaf(GMimePart* part, std::string_view bytes, size_t depth) {
    if (++parts_ > limits_.parts) return stop_for("MIME parts", limits_.parts);
    GMimeDataWrapper* wrapper = g_mime_part_get_content(part);
    if (wrapper == nullptr) return true;
    const std::string_view raw = place_of(g_mime_data_wrapper_get_stream(wrapper), bytes);
    const GMimeContentEncoding encoding = g_mime_data_wrapper_get_encoding(wrapper);
    return is_encoded(encoding) ? encoded(GMIME_OBJECT(part), raw, encoding, depth) : content(raw);
  }

  // A multipart may not be encoded (RFC 2045, 6.4), and GMime does not decode it; some readers do. Where it
  // ends only its decoded delimiters say: what follows it in the message is decoded with it.
  bool encoded_multipart(GMimeObject* part, std::string_view bytes, size_t depth) {
    const char* name = g_mime_object_get_header(part, "Content-Transfer-Encoding");
    const GMimeContentEncoding encoding =
        name == nullptr ? GMIME_CONTENT_ENCODING_DEFAULT : g_mime_content_encoding_from_string(name);
    GMimeHeaderList* fields = g_mime_object_get_header_list(part);
    const int count = g_mime_header_list_get_count(fields);
    if (!is_encoded(encoding) || count <= 0) return true;
    const gint64 last = g_mime_header_get_offset(g_mime_header_list_get_header_at(fields, count - 1));
    if (last < 0 || static_cast<size_t>(last) >= bytes.size()) return true;
    return encoded(part, body_of(bytes.substr(static_cast<size_t>(last))), encoding, depth);
  }

  bool encoded(GMimeObject* part, std::string_view raw, GMimeContentEncoding encoding, size_t depth) {
    if (raw.size() > limits_.decoded_bytes) return stop_for("decoded bytes", limits_.decoded_bytes);
    if (encoding == GMIME_CONTENT_ENCODING_UUENCODE) raw = behind_begin_line(raw);
    if (raw.empty()) return true;
    const Decoded first =
        encoding == GMIME_CONTENT_ENCODING_BASE64 ? decode_base64(raw) : decode(raw, encoding);
    if (!decoded(part, first, depth)) return false;
    if (encoding != GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE) return true;
    const std::string stripped = without_trailing_blanks(raw);
    if (stripped.empty()) return true;
    const Decoded second = decode(stripped, encoding);
    return second.plain() == first.plain() || decoded(part, second, depth);
  }

  bool decoded(GMimeObject* part, const Decoded& decoded, size_t depth) {
    const std::string_view plain = decoded.plain();
    if (decoded.before_padding < plain.size() && !content(plain.substr(0, decoded.before_padding)))
      return false;
    if (!content(plain)) return false;
    if (GMIME_IS_MULTIPART(part)) return message(multipart_header(part).append(plain), depth + 1);
    // A message may not be encoded (RFC 2046, 5.2.1), yet some readers open one that is.
    GMimeContentType* type = g_mime_object_get_content_type(part);
    return !g_mime_content_type_is_type(type, "message", "*") || message(plain, depth + 1);
  }

  bool content(std::string_view bytes) {
    if (bytes.empty()) return true;
    if (bytes.size() > limits_.decoded_bytes - visited_bytes_)
      return stop_for("decoded bytes", limits_.decoded_bytes);
    visited_bytes_ += bytes.size();
    return visit_(bytes);
  }

  // The content's stream is a window on the message that we gave to the parser.
  static std::string_view place_of(GMimeStream* stream, std::string_view bytes) {
    if (stream == nullptr || stream->bound_start < 0) return {};
    const auto begin = static_cast<size_t>(stream->bound_start);
    const size_t end = stream->bound_end < 0 ? bytes.size() : static_cast<size_t>(stream->bound_end);
    if (begin >= bytes.size() || end <= begin) return {};
    return bytes.substr(begin, end - begin);
  }

  static std::string_view behind_begin_line(std::string_view raw) {
    size_t at = raw.starts_with("begin ") ? 0 : raw.find("\nbegin ");
    if (at == std::string_view::npos) return {};
    at = raw.find('\n', at + 1);
    return at == std::string_view::npos ? std::string_view() : raw.substr(at + 1);
  }

  bool stop_for(std::string_view what, size_t limit) {
    over_limit_ = "it has more than " + std::to_string(limit) + " " + std::string(what);
    return false;
  }

  const MimeLimits& limits_;
  const std::function<bool(std::string_view)>& visit_;
  size_t parts_ = 0;
  size_t delimiters_ = 0;
  size_t fields_ = 0;
  size_t address_bytes_ = 0;
  size_t visited_bytes_ = 0;
  std::string over_limit_;
};

}  // namespace

bool is_plain_message(std::string_view message) {
  const size_t end = header_end(message);
  if (end == std::string_view::npos) return false;
  std::string_view header = message.substr(0, end);
  if (header.find('\0') != std::string_view::npos) return false;
  bool has_type = false;
  bool has_encoding = false;
  Field field;
  while (!header.empty()) {
    if (!next_field(header, field)) return false;
    // A CR of its own ends a line for some readers: what they see is another header than ours.
    if (field.value.find('\r') != std::string::npos || field.name.find('\r') != std::string::npos)
      return false;
    if (field.name == "content-type") {
      if (std::exchange(has_type, true) || !is_text_plain(field.value)) return false;
    } else if (field.name == "content-transfer-encoding") {
      if (std::exchange(has_encoding, true) || !hides_nothing(field.value)) return false;
    }
  }
  return true;
}

std::string_view body_of(std::string_view message) {
  const size_t end = header_end(message);
  return end == std::string_view::npos ? std::string_view() : message.substr(message.find('\n', end) + 1);
}

Result<void> walk_mime(std::string_view message, const MimeLimits& limits,
                       const std::function<bool(std::string_view)>& visit) {
  prepare_mime();
  Walk walk(limits, visit);
  if (!walk.message(message, 0) && !walk.over_limit().empty()) {
    return temporary("look into the message: " + walk.over_limit());
  }
  return {};
}

void prepare_mime() {
  g_mime_init();
}

}  // namespace postern
