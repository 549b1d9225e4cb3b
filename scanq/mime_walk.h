// The walk itself: entities in a buffer, bodies in an entity, and what is decoded out of them as buffers of
// their own.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "scanq/antivirus_mime.h"
#include "scanq/mime_buffer.h"
#include "scanq/mime_header.h"

namespace postern {

class MimeWalk {
 public:
  MimeWalk(const MimeLimits& limits, const std::function<bool(const MimePiece&)>& visit);
  void message(std::string_view bytes);
  [[nodiscard]] const MimeReport& report() const { return report_; }

 private:
  // What an entity is looked at as: where it stands, and whether a reader is sure to see it.
  struct Context {
    MimePlace place;
    size_t depth = 0;
    bool in_message = true;   // the buffer is the message itself
    bool altered = false;     // or rather the message with other line ends
    bool is_message = false;  // it is one where no type says otherwise (multipart/digest)
    bool sure = true;         // not guessed; only then what it says of itself counts
  };
  struct Body {
    const MimeHeader& header;
    Range range;
  };

  // All answer whether to go on.
  bool reading(std::string_view bytes, const Context& top);
  bool buffer(MimeBuffer& in, const Context& context);
  bool entity(MimeBuffer& in, Range range, const Context& context);
  bool body(MimeBuffer& in, const Body& body, const Context& context);
  bool cuts(MimeBuffer& in, const Body& body, const Context& context, bool& found);
  bool leaf(MimeBuffer& in, const Body& body, const Context& context, bool is_container);
  bool as_it_is(MimeBuffer& in, const Body& body, const Context& context, bool is_container);
  bool decode(MimeBuffer& in, const Body& body, MimeEncoding encoding, const Context& context,
              bool is_container);
  bool decoded(const Body& body, std::string_view bytes, std::string_view encoding, const Context& context,
               bool is_container);
  // What is known by its first bytes, whatever carries it.
  bool unpack(std::string_view bytes, const Context& context);
  bool unpack_tnef(std::string_view bytes, const Context& context);
  bool unpack_cms(std::string_view bytes, const Context& context);
  // What stands in the buffer and belongs to no entity's header: files in text, entities where none is
  // expected.
  bool leftovers(MimeBuffer& in, const Context& context);
  bool file_at(MimeBuffer& in, size_t mark, const Context& context);
  bool yenc_at(std::string_view text, const Context& context);
  bool hidden_entity(MimeBuffer& in, size_t at, const Context& context);
  // A file that was unpacked: visited, and looked into.
  bool file(std::string_view bytes, const std::vector<std::string>& names, std::string_view encoding,
            const Context& context);
  bool piece(std::string_view bytes, const std::vector<std::string>& names, std::string_view type,
             std::string_view encoding, const Context& context, bool is_message = false);

  void note_types(const MimeHeader& header);
  void ambiguous(std::string_view why);
  bool over(std::string_view what, size_t limit);
  bool may_go_on();

  const MimeLimits& limits_;
  const std::function<bool(const MimePiece&)>& visit_;
  MimeReport report_;
  size_t entities_ = 0;
  size_t pieces_ = 0;
  size_t decoded_bytes_ = 0;
  uint64_t spent_ = 0;  // microseconds, without the visits
  uint64_t since_ = 0;
  std::string yenc_parts_;     // of one file, as long as they come in order
  bool yenc_is_open_ = false;  // some part of one is not here
};

}  // namespace postern
