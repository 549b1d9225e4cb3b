// A message without those attachments that were scanned as files already. Most of a large message is base64,
// and an engine that reads mail by itself decodes and scans all of it once more. Where a run of lines is
// base64 in the strict form that leaves nothing to interpret, and decodes to a piece that was scanned, it is
// left out of what the engine gets as the whole message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postern {

class Outline {
 public:
  // Looks for the runs: behind an empty line, full lines of one length, then a shorter one at most, then the
  // end of the message, an empty line or a delimiter. The message must outlive the outline.
  explicit Outline(std::string_view message);

  // `content` was scanned. Runs that decode to exactly these bytes are left out from now on. All calls
  // together read the message a few times at most; behind that, what is not left out yet stays.
  void leave_out(std::string_view content);

  // The whole message when no run is left out; the view lives as long as both.
  [[nodiscard]] std::string_view rest();

 private:
  struct Run {
    size_t begin = 0;
    size_t end = 0;
    size_t decoded_bytes = 0;
    bool left_out = false;
  };
  std::string_view message_;
  std::vector<Run> runs_;
  size_t compared_in_vain_ = 0;  // bytes of runs that turned out to be something else
  std::string rest_;
};

}  // namespace postern
