// Changes to a message that leave every byte outside of them as it is: parts dropped or replaced by a note,
// text in front of the subject.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scanq/message_parts.h"

namespace postern {

struct Edit {
  size_t begin;
  size_t end;
  std::string with;
};
// The message after edits that do not overlap.
std::string edited_text(std::string_view message, std::vector<Edit> edits);

// Takes the parts out; a multipart or inner message that would be left without any goes too. Nothing where
// the message would be left without any.
std::optional<std::vector<Edit>> drop_parts(const MessagePart& top,
                                            const std::vector<const MessagePart*>& parts);
// Puts plain text (UTF-8, lines ended by LF) in the place of one part. Nothing where its header forbids it.
std::optional<std::vector<Edit>> replace_part(std::string_view message, const MessagePart& part,
                                              std::string_view text);
// Puts text in front of the subject, of each field where it stands twice; makes the field where there is
// none.
std::optional<std::vector<Edit>> prepend_subject(std::string_view message, const MessagePart& top,
                                                 std::string_view text);

}  // namespace postern
