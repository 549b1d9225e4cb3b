// The notices that `notify` sends: control/templates/NAME, a message with variables in it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/result.h"

namespace postern {

using Variables = std::vector<std::pair<std::string_view, std::string>>;  // name without the $, value

// `template_text` has header fields, an empty line, and text. Every $NAME of `variables` is replaced by its
// value, made printable on one line, so that no value makes a field or a line of its own; other $ stay.
// Fields that it does not have are added: From, To, Subject, Date, Message-ID, Auto-Submitted (RFC 3834). A
// failure when it has no header.
struct NoticeHead {
  std::string from;
  std::string to;
  std::string message_id;
  std::string date;
};
Result<std::string> make_notice(std::string_view template_text, const Variables& variables,
                                const NoticeHead& head);

// The text of control/templates/NAME; at most 64 KiB.
Result<std::string> read_template(std::string_view name);

}  // namespace postern
