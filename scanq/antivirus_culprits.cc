#include "scanq/antivirus_culprits.h"

#include <algorithm>
#include <utility>

#include "scanq/message_edits.h"

namespace postern {

namespace {

constexpr size_t kPartScans = 500;  // of one message, to find which parts a verdict is about

}  // namespace

std::vector<Culprit> named_culprits(const MessagePart& top, const AntivirusVerdict& verdict) {
  std::vector<Culprit> found;
  for (const std::vector<unsigned>& path : verdict.where) {
    const MessagePart* part = part_at(top, path);
    if (part == nullptr) return {};
    found.push_back({part, verdict});
  }
  if (verdict.where.empty() && part_at(top, {}) != nullptr) found.push_back({&top, verdict});
  return found;
}

std::vector<Culprit> unclean_parts(const MessagePart& top, std::string_view text, const Rescan& rescan) {
  std::vector<Culprit> found;
  if (!rescan) return found;
  const std::vector<const MessagePart*> leaves = leaves_of(top);
  for (size_t i = 0; i < leaves.size() && i < kPartScans; ++i) {
    const MessagePart& part = *leaves[i];
    AntivirusVerdict verdict = rescan(text.substr(part.begin, part.end - part.begin));
    verdict.where = {};  // its places are those of the part
    if (verdict.kind != AntivirusKind::clean) found.push_back({&part, std::move(verdict)});
  }
  return found;
}

std::optional<std::string> text_without(std::string_view text, const MessagePart& top,
                                        const std::vector<Culprit>& bad) {
  std::vector<const MessagePart*> parts;
  for (const Culprit& culprit : bad) parts.push_back(culprit.part);
  std::optional<std::vector<Edit>> edits = drop_parts(top, parts);
  return edits ? std::optional(edited_text(text, std::move(*edits))) : std::nullopt;
}

std::optional<std::string> text_with_notes(std::string_view text, const MessagePart& top,
                                           const std::vector<Culprit>& bad,
                                           const std::function<std::string(const Culprit&)>& note_of) {
  std::vector<Edit> edits;
  for (const Culprit& culprit : bad) {
    const MessagePart* part = culprit.part;
    const std::string note = note_of(culprit);
    std::optional<std::vector<Edit>> edit = replace_part(text, *part, note);
    if (!edit && part != &top) {
      // The message in a message/rfc822, whose header is not sound: that whole part.
      part = parent_of(top, *part);
      if (part != nullptr && part != &top) edit = replace_part(text, *part, note);
    }
    if (!edit) return std::nullopt;
    // One edit inside another would tear the message.
    for (const Edit& one : *edit) {
      const bool overlaps = std::any_of(edits.begin(), edits.end(), [&](const Edit& other) {
        return one.begin < other.end && other.begin < one.end;
      });
      if (overlaps) return std::nullopt;
    }
    edits.insert(edits.end(), edit->begin(), edit->end());
  }
  return edited_text(text, std::move(edits));
}

}  // namespace postern
