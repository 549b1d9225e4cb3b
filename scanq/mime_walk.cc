#include "scanq/mime_walk.h"

#include <algorithm>
#include <utility>

#include "lib/text.h"
#include "scanq/mime_encodings.h"
#include "scanq/uuencode.h"

namespace postern {

namespace {

// The way that a place is decoded in, for the buffer's memory of what was.
enum : int { kAsItIs, kBase64, kQuoted, kUu, kGuessedBase64, kContainer = 16 };

// A leaf may be looked at as that many entities: multiparts around it, and further ways to cut them.
constexpr size_t kEntitiesForOne = 4;

bool is_text(std::string_view bytes) {
  return std::none_of(bytes.begin(), bytes.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != '\x1b';
  });
}

bool has_encoding(const MimeHeader& header, MimeEncoding encoding) {
  return std::find(header.encodings.begin(), header.encodings.end(), encoding) != header.encodings.end();
}

}  // namespace

MimeWalk::MimeWalk(const MimeLimits& limits, const std::function<bool(const MimePiece&)>& visit)
    : limits_(limits), visit_(visit), since_(now_microseconds()) {}

void MimeWalk::message(std::string_view bytes) {
  Context top;
  top.place.end = bytes.size();
  if (!reading(bytes, top)) return;
  if (has_bare_cr(bytes)) {
    // For some readers a CR of its own ends a line everywhere; all places stay what they are.
    std::string lines(bytes);
    for (size_t at = 0; at < lines.size(); ++at)
      if (lines[at] == '\r' && (at + 1 == lines.size() || lines[at + 1] != '\n')) lines[at] = '\n';
    top.altered = true;
    if (!reading(lines, top)) return;
  }
  if (yenc_is_open_) ambiguous("a part of a yEnc file");
}

bool MimeWalk::reading(std::string_view bytes, const Context& top) {
  MimeBuffer all(bytes);
  all.marks = find_marks(bytes, limits_.marks);
  if (all.marks.size() > limits_.marks) return over("lines that may begin something", limits_.marks);
  return entity(all, {0, bytes.size()}, top) && leftovers(all, top);
}

bool MimeWalk::buffer(MimeBuffer& in, const Context& context) {
  if (context.depth > limits_.depth) return over("MIME parts inside each other", limits_.depth);
  in.marks = find_marks(in.bytes, limits_.marks);
  if (in.marks.size() > limits_.marks) return over("lines that may begin something", limits_.marks);
  return unpack(in.bytes, context);
}

bool MimeWalk::entity(MimeBuffer& in, Range range, const Context& context) {
  if (!in.first_time(range)) return true;
  if (context.depth > limits_.depth) return over("MIME parts inside each other", limits_.depth);
  if (++entities_ > kEntitiesForOne * limits_.parts) return over("MIME parts", limits_.parts);
  if (!may_go_on()) return false;
  const MimeHeader header = read_mime_header(in.bytes.substr(range.begin, range.end - range.begin));
  in.cover_marks({range.begin, range.begin + header.end});
  if (context.sure) note_types(header);
  for (const size_t begin : header.bodies)
    if (!body(in, {header, {range.begin + begin, range.end}}, context)) return false;
  return true;
}

void MimeWalk::note_types(const MimeHeader& header) {
  if (header.is_certain && header.has_type("message/partial"))
    ambiguous("a fragment of a message (message/partial)");
  if (header.is_certain &&
      (header.has_type("multipart/encrypted") || header.has_type("application/pgp-encrypted")))
    report_.encrypted = true;
  if (header.too_much) ambiguous("a header with more fields, boundaries or names than are looked at");
}

bool MimeWalk::body(MimeBuffer& in, const Body& body, const Context& context) {
  const MimeHeader& header = body.header;
  bool is_container = false;
  if (!cuts(in, body, context, is_container)) return false;
  const bool is_message = header.has_type("message/") || (header.types.empty() && context.is_message);
  if (is_message) {
    Context inside = context;
    inside.is_message = false;
    ++inside.depth;
    inside.place.path.push_back(0);
    // Another reading's message may lie outside of the part that this is told of.
    if (context.in_message && body.range.begin >= inside.place.begin && body.range.begin <= inside.place.end)
      inside.place.begin = body.range.begin;
    // Base64 is no message before it is decoded.
    const std::string_view bytes = in.bytes.substr(body.range.begin, body.range.end - body.range.begin);
    const bool in_the_clear = has_encoding(header, MimeEncoding::as_it_is) || !looks_like_base64(bytes);
    const std::string type = header.types.empty() ? "message/rfc822" : header.types.front();
    is_container = is_container || type == "message/rfc822";
    if (type == "message/rfc822" && !piece(bytes, header.names, type, "", context, true)) return false;
    if (in_the_clear && !entity(in, body.range, inside)) return false;
  }
  return leaf(in, body, context, is_container && (header.types.size() < 2));
}

bool MimeWalk::cuts(MimeBuffer& in, const Body& body, const Context& context, bool& found) {
  bool over_limit = false;
  std::vector<Cut> all = in.cuts(body.header.boundaries, body.range, limits_.delimiter_lines, over_limit);
  if (all.empty() && body.header.has_type("multipart"))
    all = in.cuts(in.guess_boundaries(body.range), body.range, limits_.delimiter_lines, over_limit);
  if (over_limit) return over("lines like a delimiter", limits_.delimiter_lines);
  for (const Cut& cut : all) {
    const bool standard = &cut == &all.front();
    for (unsigned i = 0; i < cut.size(); ++i) {
      Context part = context;
      ++part.depth;
      part.is_message = body.header.has_type("multipart/digest");
      if (standard) {
        part.place.path.push_back(i);
        if (context.in_message) {
          part.place.begin = cut[i].begin;
          part.place.end = cut[i].end;
        }
      }
      if (!entity(in, cut[i], part)) return false;
    }
  }
  found = !all.empty();
  return true;
}

bool MimeWalk::leaf(MimeBuffer& in, const Body& body, const Context& context, bool is_container) {
  const MimeHeader& header = body.header;
  const std::string_view bytes = in.bytes.substr(body.range.begin, body.range.end - body.range.begin);
  if (bytes.empty()) return true;
  if (!is_container) in.note_leaf(body.range, context.place);
  for (const MimeEncoding encoding : header.encodings) {
    if (encoding == MimeEncoding::as_it_is || encoding == MimeEncoding::unknown) continue;
    if (!decode(in, body, encoding, context, is_container)) return false;
  }
  const bool unknown = has_encoding(header, MimeEncoding::unknown);
  if (unknown && context.sure && (!header.is_only("text/") || !is_text(bytes)))
    ambiguous("a transfer encoding that is not known");
  if (!unknown && !has_encoding(header, MimeEncoding::as_it_is)) return true;
  return as_it_is(in, body, context, is_container);
}

bool MimeWalk::as_it_is(MimeBuffer& in, const Body& body, const Context& context, bool is_container) {
  const std::string_view bytes = in.bytes.substr(body.range.begin, body.range.end - body.range.begin);
  if (!is_container && in.first_time(body.range, kAsItIs)) {
    if (!piece(bytes, body.header.names, body.header.types.empty() ? "" : body.header.types.front(), "",
               context) ||
        !unpack(bytes, context))
      return false;
  }
  if (is_container || has_encoding(body.header, MimeEncoding::base64) || !looks_like_base64(bytes) ||
      !in.first_time(body.range, kGuessedBase64))
    return true;
  Context guessed = context;
  guessed.sure = false;
  return decode_base64_ways(
      bytes, [&](std::string_view way) { return decoded(body, way, "base64", guessed, false); });
}

bool MimeWalk::decode(MimeBuffer& in, const Body& body, MimeEncoding encoding, const Context& context,
                      bool is_container) {
  const std::string_view bytes = in.bytes.substr(body.range.begin, body.range.end - body.range.begin);
  const int memory = (encoding == MimeEncoding::base64     ? kBase64
                      : encoding == MimeEncoding::uuencode ? kUu
                                                           : kQuoted) +
                     (is_container ? kContainer : 0);
  if (!in.first_time(body.range, memory)) return true;
  if (!may_go_on()) return false;
  if (bytes.size() > limits_.decoded_bytes - decoded_bytes_)
    return over("decoded bytes", limits_.decoded_bytes);
  if (encoding == MimeEncoding::base64)
    return decode_base64_ways(
        bytes, [&](std::string_view w) { return decoded(body, w, "base64", context, is_container); });
  if (encoding == MimeEncoding::quoted_printable)
    return decode_quoted_printable_ways(bytes, [&](std::string_view w) {
      return decoded(body, w, "quoted-printable", context, is_container);
    });
  // Files with a `begin` line are found by that.
  const auto first = std::lower_bound(in.marks.begin(), in.marks.end(), body.range.begin,
                                      [](const Mark& mark, size_t at) { return mark.at < at; });
  for (auto mark = first; mark != in.marks.end() && mark->at < body.range.end; ++mark)
    if (mark->kind == MarkKind::uuencode || mark->kind == MarkKind::base64) return true;
  for (const std::string& way : decode_uuencode_lines(bytes))
    if (!decoded(body, way, "uuencode", context, is_container)) return false;
  return true;
}

bool MimeWalk::decoded(const Body& body, std::string_view bytes, std::string_view encoding,
                       const Context& context, bool is_container) {
  const MimeHeader& header = body.header;
  if (bytes.empty()) return true;
  // Nobody decodes a multipart whose parts stand there in the clear, unless to find others in it.
  const std::string_view type =
      header.types.empty() ? std::string_view() : std::string_view(header.types.front());
  if (!is_container && !piece(bytes, header.names, type, encoding, context)) return false;
  Context inside = context;
  ++inside.depth;
  inside.in_message = false;
  MimeBuffer in(bytes);
  if (!buffer(in, inside)) return false;
  if (header.has_type("message/") || (header.types.empty() && context.is_message)) {
    Context within = inside;
    within.is_message = false;
    within.place.path.push_back(0);
    if (!entity(in, {0, bytes.size()}, within)) return false;
  }
  if (header.has_type("multipart")) {
    bool found = false;
    if (!cuts(in, {header, {0, bytes.size()}}, inside, found)) return false;
  }
  return leftovers(in, inside);
}

bool MimeWalk::piece(std::string_view bytes, const std::vector<std::string>& names, std::string_view type,
                     std::string_view encoding, const Context& context, bool is_message) {
  if (bytes.empty()) return true;
  if (++pieces_ > limits_.parts) return over("MIME parts", limits_.parts);
  if (bytes.size() > limits_.decoded_bytes - decoded_bytes_)
    return over("decoded bytes", limits_.decoded_bytes);
  decoded_bytes_ += bytes.size();
  if (!may_go_on()) return false;
  const bool going = visit_({bytes, names, type, encoding, context.place, is_message});
  since_ = now_microseconds();
  return going;
}

void MimeWalk::ambiguous(std::string_view why) {
  if (report_.ambiguous.empty()) report_.ambiguous = why;
}

bool MimeWalk::over(std::string_view what, size_t limit) {
  if (report_.limit.empty())
    report_.limit = "it has more than " + std::to_string(limit) + " " + std::string(what);
  return false;
}

bool MimeWalk::may_go_on() {
  const uint64_t now = now_microseconds();
  if (now > since_) spent_ += now - since_;
  since_ = now;
  if (spent_ / 1000000 < limits_.seconds) return true;
  if (report_.limit.empty())
    report_.limit = "it takes more than " + std::to_string(limits_.seconds) + " seconds to take apart";
  return false;
}

}  // namespace postern
