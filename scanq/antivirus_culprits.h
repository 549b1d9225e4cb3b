// Which parts of a message a verdict is about, and the message without them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scanq/antivirus_actions.h"
#include "scanq/antivirus_verdict.h"
#include "scanq/message_parts.h"

namespace postern {

// A part that is to go, and why. The part belongs to the tree that it was found in.
struct Culprit {
  const MessagePart* part;
  AntivirusVerdict verdict;
};

// The parts at the places that the verdict names; none where one of them is not to be found.
std::vector<Culprit> named_culprits(const MessagePart& top, const AntivirusVerdict& verdict);
// Every part that is not clean by itself, of the first 500.
std::vector<Culprit> unclean_parts(const MessagePart& top, std::string_view text, const Rescan& rescan);

// The message without these parts, or with a note in the place of each; nothing where that cannot be done
// with certainty.
std::optional<std::string> text_without(std::string_view text, const MessagePart& top,
                                        const std::vector<Culprit>& bad);
std::optional<std::string> text_with_notes(std::string_view text, const MessagePart& top,
                                           const std::vector<Culprit>& bad,
                                           const std::function<std::string(const Culprit&)>& note_of);

}  // namespace postern
