// parts: scanq/message_parts.cc scanq/message_edits.cc lib
//
// Messages of any content: the parts found lie inside each other and beside each other in order, and edits
// change nothing but what they name; what is left is found again where it was.
#include "scanq/message_parts.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/text.h"
#include "scanq/message_edits.h"
#include "tests/fuzz/must.h"

using namespace postern;

namespace {

void check(std::string_view message, const MessagePart& part) {
  must(part.line <= part.begin && part.begin <= part.body && part.body <= part.end && part.end <= part.next);
  must(part.next <= message.size() && (part.sure || part.children.empty()));
  size_t at = part.body;
  for (const MessagePart& child : part.children) {
    must(child.line >= at && child.next <= part.end);
    at = child.next;
    check(message, child);
  }
  if (const auto fields = header_fields(message, part)) {
    at = part.begin;
    for (const HeaderField& field : *fields) {
      must(field.begin == at && field.value > field.begin && field.end >= field.value);
      must(field.end <= part.body && !field.name.empty());
      at = field.end;
    }
  }
}

// The message before the first and behind the last byte that the edits touch.
void check_edits(std::string_view message, std::vector<Edit> edits) {
  must(!edits.empty());
  size_t begin = message.size();
  size_t end = 0;
  for (const Edit& edit : edits) {
    must(edit.begin <= edit.end && edit.end <= message.size());
    begin = std::min(begin, edit.begin);
    end = std::max(end, edit.end);
  }
  const std::string text = edited_text(message, std::move(edits));
  must(text.starts_with(message.substr(0, begin)) && text.ends_with(message.substr(end)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  const MessagePart top = read_message_parts(message);
  must(top.begin == 0 && top.end == size);
  check(message, top);
  const std::vector<const MessagePart*> leaves = leaves_of(top);
  must(!leaves.empty());
  for (const MessagePart* leaf : leaves) {
    if (std::optional<std::vector<Edit>> edits = drop_parts(top, {leaf})) check_edits(message, *edits);
    if (std::optional<std::vector<Edit>> edits = replace_part(message, *leaf, "a note\n")) {
      check_edits(message, *edits);
      const std::string text = edited_text(message, std::move(*edits));
      // Where the reading was sure, so it is of what came of it, and as many parts are there.
      if (leaf != &top && leaf->sure) must(leaves_of(read_message_parts(text)).size() == leaves.size());
    }
  }
  must(!drop_parts(top, leaves));
  if (std::optional<std::vector<Edit>> edits = prepend_subject(message, top, "[V]"))
    check_edits(message, std::move(*edits));
  return 0;
}
