// One run of bytes in which entities stand: the message, or what was decoded out of it. It remembers what has
// been looked at, by place, so that nothing is walked or decoded twice in the same way.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "scanq/antivirus_mime.h"
#include "scanq/mime_header.h"
#include "scanq/mime_marks.h"

namespace postern {

struct Range {
  size_t begin = 0;
  size_t end = 0;
  auto operator<=>(const Range&) const = default;
};

// A place where `--BOUNDARY` stands.
struct Delimiter {
  size_t at = 0;      // of the first `-`
  size_t behind = 0;  // the next line
  bool starts_line = false;
  bool behind_cr = false;  // or rather behind a CR of its own
  bool whole = false;      // nothing but blanks follows it, or `--` and blanks
  bool close = false;      // `--` follows it
};

// One way to cut a body: its parts, in order.
using Cut = std::vector<Range>;

class MimeBuffer {
 public:
  explicit MimeBuffer(std::string_view all) : bytes(all) {}

  const std::string_view bytes;
  std::vector<Mark> marks;

  // True the first time.
  bool first_time(Range entity) { return entities_.insert(entity).second; }
  bool first_time(Range body, int decoding) {
    return bodies_.insert({body.begin, body.end, decoding}).second;
  }

  // The ways to cut what stands between `begin` and `end`, and on to the buffer's end where that has more of
  // the same delimiters. The standard's way first. Empty: none of the boundaries stands there. At most `most`
  // delimiters are noted; `over` says that there are more.
  std::vector<Cut> cuts(const std::vector<std::string>& boundaries, Range body, size_t most, bool& over);
  // Lines like delimiters with a header behind them: what a boundary may be that no header tells.
  [[nodiscard]] std::vector<std::string> guess_boundaries(Range body) const;
  // The next line behind `at` that begins with `--`, or the buffer's end.
  [[nodiscard]] size_t next_dashes(size_t at) const;
  void cover_marks(Range header);

  // Where a leaf stands in the tree, for what is found in it later; the first to claim its begin keeps it.
  void note_leaf(Range leaf, const MimePlace& place) { leaves_.try_emplace(leaf.begin, leaf.end, place); }
  // The place of the leaf around it; nothing when it stands between them.
  [[nodiscard]] const MimePlace* leaf_around(size_t at) const;

 private:
  const std::vector<Delimiter>& delimiters(const std::string& boundary, size_t most, bool& over);
  std::set<Range> entities_;
  std::set<std::tuple<size_t, size_t, int>> bodies_;
  std::map<std::string, std::vector<Delimiter>> delimiters_;
  std::map<size_t, std::pair<size_t, MimePlace>> leaves_;
};

}  // namespace postern
