// The second half of MimeWalk: what is found by its own first bytes, whatever the headers say.
#include <algorithm>
#include <utility>

#include "scanq/binhex.h"
#include "scanq/mime_encodings.h"
#include "scanq/mime_walk.h"
#include "scanq/smime.h"
#include "scanq/tnef.h"
#include "scanq/uuencode.h"
#include "scanq/yenc.h"

namespace postern {

bool MimeWalk::unpack(std::string_view bytes, const Context& context) {
  return unpack_tnef(bytes, context) && unpack_cms(bytes, context);
}

bool MimeWalk::unpack_tnef(std::string_view bytes, const Context& context) {
  if (!is_tnef(bytes)) return true;
  bool going = true;
  const bool whole = read_tnef(
      bytes, [&](const TnefFile& one) { return going = file(one.content, one.names, "tnef", context); });
  // Other line ends break what is binary; the message as it came is looked at, too.
  const bool broken_by_us = context.altered && context.in_message;
  if (going && !whole && !broken_by_us) ambiguous("TNEF that cannot be read to its end");
  return going;
}

bool MimeWalk::unpack_cms(std::string_view bytes, const Context& context) {
  switch (cms_kind(bytes)) {
    case CmsKind::encrypted:
      report_.encrypted = true;
      return true;
    case CmsKind::compressed:
      ambiguous("compressed S/MIME");
      return true;
    case CmsKind::signed_data: {
      const std::string content = cms_signed_content(bytes);
      if (content.empty()) return true;
      // The content is an entity, which a reader shows as if nothing were around it.
      Context inside = context;
      ++inside.depth;
      inside.in_message = false;
      MimeBuffer in(content);
      return buffer(in, inside) && entity(in, {0, content.size()}, inside) && leftovers(in, inside);
    }
    case CmsKind::none:
      return true;
  }
  return true;
}

bool MimeWalk::leftovers(MimeBuffer& in, const Context& context) {
  for (size_t i = 0; i < in.marks.size(); ++i) {
    if (!may_go_on()) return false;
    const Mark mark = in.marks[i];
    if (mark.kind == MarkKind::content_field && mark.covered) continue;
    Context here = context;
    if (const MimePlace* place = in.leaf_around(mark.at); place != nullptr) here.place = *place;
    if (mark.kind == MarkKind::content_field) {
      if (!hidden_entity(in, mark.at, here)) return false;
    } else if (!file_at(in, i, here)) {
      return false;
    }
  }
  return true;
}

bool MimeWalk::hidden_entity(MimeBuffer& in, size_t at, const Context& context) {
  Context hidden = context;
  hidden.sure = false;
  ++hidden.depth;
  const MimeHeader header = read_mime_header(in.bytes.substr(at));
  const bool has_parts = header.has_type("multipart") || header.has_type("message/");
  return entity(in, {at, has_parts ? in.bytes.size() : in.next_dashes(at + header.end)}, hidden);
}

// A file goes on to the next one of its kind at most, so that many of them cost no more than one.
bool MimeWalk::file_at(MimeBuffer& in, size_t mark, const Context& context) {
  const MarkKind kind = in.marks[mark].kind;
  const size_t begin = in.marks[mark].at;
  const auto next = std::find_if(in.marks.begin() + static_cast<std::ptrdiff_t>(mark) + 1, in.marks.end(),
                                 [&](const Mark& other) { return other.kind == kind; });
  const size_t end = next == in.marks.end() ? in.bytes.size() : next->at;
  const std::string_view text = in.bytes.substr(begin, end - begin);
  switch (kind) {
    case MarkKind::uuencode: {
      const UuFile found = decode_uuencode(text);
      return std::all_of(found.contents.begin(), found.contents.end(), [&](const std::string& way) {
        return file(way, {found.name}, "uuencode", context);
      });
    }
    case MarkKind::base64: {
      const Base64File found = find_base64_file(text);
      return decode_base64_ways(
          found.lines, [&](std::string_view way) { return file(way, {found.name}, "base64", context); });
    }
    case MarkKind::yenc:
      return yenc_at(text, context);
    case MarkKind::binhex: {
      const BinhexFile found = decode_binhex(text);
      return file(found.data, {found.name}, "binhex", context) &&
             file(found.resource, {found.name}, "binhex", context);
    }
    case MarkKind::pgp:
      report_.encrypted = true;
      return true;
    case MarkKind::content_field:
      return true;
  }
  return true;
}

bool MimeWalk::yenc_at(std::string_view text, const Context& context) {
  const YencFile found = decode_yenc(text);
  if (!file(found.content, {found.name}, "yenc", context)) return false;
  if (!found.is_part) return true;
  if (found.first <= 1) yenc_parts_.clear();
  if (found.first <= 1 || found.first == yenc_parts_.size() + 1) yenc_parts_ += found.content;
  yenc_is_open_ = yenc_parts_.size() < found.file_size;
  if (yenc_is_open_) return true;
  const std::string whole = std::exchange(yenc_parts_, {});
  return file(whole, {found.name}, "yenc", context);
}

bool MimeWalk::file(std::string_view bytes, const std::vector<std::string>& names, std::string_view encoding,
                    const Context& context) {
  if (bytes.empty()) return true;
  if (!piece(bytes, names, {}, encoding, context)) return false;
  Context inside = context;
  ++inside.depth;
  inside.in_message = false;
  MimeBuffer in(bytes);
  return buffer(in, inside) && leftovers(in, inside);
}

}  // namespace postern
