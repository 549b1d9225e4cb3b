#include "scanq/mime_buffer.h"

#include <algorithm>

namespace postern {

namespace {

constexpr size_t kMostGuesses = 8;

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// `line_end` is the end of the line that was asked for last, so that many in one long line cost no more than
// one.
Delimiter delimiter_at(std::string_view bytes, size_t at, size_t length, size_t& line_end) {
  Delimiter found;
  found.at = at;
  const size_t behind = at + length;
  if (line_end < behind) line_end = bytes.find_first_of("\r\n", behind);
  const size_t end = line_end;
  std::string_view rest = bytes.substr(behind, end - behind);
  found.behind =
      end == std::string_view::npos ? bytes.size() : end + (bytes.substr(end).starts_with("\r\n") ? 2 : 1);
  // Blanks before a CR of its own may be followed by more of the line.
  if (end != std::string_view::npos && bytes[end] == '\r' && found.behind == end + 1) {
    const size_t line = next_line(bytes, behind);
    if (is_blank(bytes.substr(behind, line - behind))) found.behind = line;
  }
  found.starts_line = at == 0 || bytes[at - 1] == '\n';
  found.behind_cr = at > 0 && bytes[at - 1] == '\r';
  found.close = rest.starts_with("--");
  if (found.close) rest.remove_prefix(2);
  found.whole = is_blank(rest);
  return found;
}

// What belongs to a delimiter is the line end before it, too.
size_t without_line_end(std::string_view bytes, size_t begin, size_t end) {
  if (end > begin && bytes[end - 1] == '\n') --end;
  if (end > begin && bytes[end - 1] == '\r') --end;
  return end;
}

// The parts between chosen delimiters. Behind the closing one there is another part only where delimiters
// follow.
Cut cut_at(std::string_view bytes, const std::vector<const Delimiter*>& chosen, size_t end) {
  Cut cut;
  for (size_t i = 0; i < chosen.size(); ++i) {
    const bool last = i + 1 == chosen.size();
    if (last && chosen[i]->close) break;
    const size_t begin = std::min(chosen[i]->behind, end);
    const size_t stop = last ? end : without_line_end(bytes, begin, std::max(begin, chosen[i + 1]->at));
    cut.push_back({begin, stop});
  }
  return cut;
}

void add_cut(std::vector<Cut>& cuts, Cut cut) {
  if (!cut.empty() && std::find(cuts.begin(), cuts.end(), cut) == cuts.end()) cuts.push_back(std::move(cut));
}

// What a reader may take for a delimiter, from the standard's to one that looks for the bytes alone.
bool takes(const Delimiter& one, int way) {
  switch (way) {
    case 0:
      return one.starts_line && one.whole;
    case 1:
      return one.starts_line;
    case 2:
      return (one.starts_line || one.behind_cr) && one.whole;
    case 3:
      return one.starts_line || one.behind_cr;
    case 4:
      return one.starts_line && one.whole && !one.close;
    default:
      return true;
  }
}
constexpr int kWays = 6;
constexpr int kWithoutClose = 4;

}  // namespace

const std::vector<Delimiter>& MimeBuffer::delimiters(const std::string& boundary, size_t most, bool& over) {
  const auto [place, is_new] = delimiters_.try_emplace(boundary);
  std::vector<Delimiter>& all = place->second;
  if (is_new) {
    const std::string text = "--" + boundary;
    size_t line_end = 0;
    for (size_t at = bytes.find(text); at != std::string_view::npos;
         at = bytes.find(text, at + text.size())) {
      if (all.size() >= most) {
        over = true;
        break;
      }
      const Delimiter found = delimiter_at(bytes, at, text.size(), line_end);
      // An empty boundary is no text to look for inside of lines.
      if (!boundary.empty() || (found.starts_line && found.whole)) all.push_back(found);
    }
  }
  return all;
}

std::vector<Cut> MimeBuffer::cuts(const std::vector<std::string>& boundaries, Range body, size_t most,
                                  bool& over) {
  std::vector<Cut> cuts;
  for (const std::string& boundary : boundaries) {
    const std::vector<Delimiter>& all = delimiters(boundary, most, over);
    const auto before = [](const Delimiter& one, size_t at) { return one.at < at; };
    const auto first = std::lower_bound(all.begin(), all.end(), body.begin, before);
    const auto stop = std::lower_bound(first, all.end(), body.end, before);
    for (const bool beyond : {false, true}) {
      if (beyond ? stop == all.end() : first == stop) continue;
      bool closed_early = false;
      for (int way = 0; way < kWays; ++way) {
        if (way == kWithoutClose && !closed_early) continue;
        std::vector<const Delimiter*> chosen;
        for (auto one = first; one != (beyond ? all.end() : stop); ++one) {
          if (!takes(*one, way)) continue;
          if (way == 0 && !chosen.empty() && chosen.back()->close) closed_early = true;
          chosen.push_back(&*one);
        }
        add_cut(cuts, cut_at(bytes, chosen, beyond ? bytes.size() : body.end));
      }
    }
  }
  return cuts;
}

std::vector<std::string> MimeBuffer::guess_boundaries(Range body) const {
  std::vector<std::string> guesses;
  for (size_t at = body.begin; at < body.end && guesses.size() < kMostGuesses; at = next_line(bytes, at)) {
    if (!bytes.substr(at, 2).starts_with("--")) continue;
    const size_t next = next_line(bytes, at);
    std::string_view line = bytes.substr(at + 2, next - at - 2);
    line = line.substr(0, line.find_last_not_of(" \t\r\n") + 1);
    const std::string_view following = bytes.substr(next, 8);
    const bool has_header = following.starts_with("\n") || following.starts_with("\r\n") ||
                            (following.size() == 8 && (following[0] | 0x20) == 'c' && following[7] == '-');
    if (has_header && std::find(guesses.begin(), guesses.end(), line) == guesses.end())
      guesses.emplace_back(line);
  }
  return guesses;
}

size_t MimeBuffer::next_dashes(size_t at) const {
  for (; at < bytes.size(); at = next_line(bytes, at))
    if (bytes.substr(at, 2) == "--") return at;
  return bytes.size();
}

const MimePlace* MimeBuffer::leaf_around(size_t at) const {
  auto leaf = leaves_.upper_bound(at);
  if (leaf == leaves_.begin()) return nullptr;
  --leaf;
  return at < leaf->second.first ? &leaf->second.second : nullptr;
}

void MimeBuffer::cover_marks(Range header) {
  const auto first = std::lower_bound(marks.begin(), marks.end(), header.begin,
                                      [](const Mark& mark, size_t at) { return mark.at < at; });
  for (auto mark = first; mark != marks.end() && mark->at < header.end; ++mark) mark->covered = true;
}

}  // namespace postern
