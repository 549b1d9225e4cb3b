// One connection of a client that speaks clamd's protocol.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace postern {

// How the answers are come by.
struct ClamdAnswers {
  // The content of a descriptor: "OK", "NAME FOUND" or "WHY ERROR".
  std::function<std::string(int fd)> scan;
  std::function<std::string()> version;
  std::function<bool()> reload;
  std::function<std::string()> stats;  // lines, each ended by LF
};

struct ClamdLimits {
  size_t stream_bytes = size_t{100} * 1024 * 1024;  // of INSTREAM: control/clamdmaxstream
  int idle_seconds = 30;                            // for the next bytes of the client
  size_t files = 100000;                            // below one path
  size_t depth = 20;                                // of directories
  unsigned scan_seconds = 300;                      // for one file
};

// Until the client ends it, says END, goes wrong or says nothing for long. `connection` stays open.
void converse_clamd(int connection, const ClamdLimits& limits, const ClamdAnswers& answers);

}  // namespace postern
