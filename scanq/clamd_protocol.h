// What a client of clamd sends (clamd(8), COMMANDS), cut into commands and stream chunks. Pure parsing of
// hostile bytes: nothing here reads or writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

enum class ClamdVerb {
  ping,
  version,
  version_commands,
  stats,
  reload,
  scan,
  contscan,
  multiscan,
  allmatchscan,
  instream,
  fildes,
  idsession,
  end,
  unknown
};

struct ClamdCommand {
  ClamdVerb verb = ClamdVerb::unknown;
  std::string argument;    // a path
  char terminator = '\n';  // of the replies, as it was of the command
  bool prefixed = false;   // `n` or `z` stood before it
};

constexpr size_t kClamdCommandLimitBytes = 8192;  // a path of PATH_MAX and more

// The first command in `bytes`, and how many of these it took; nothing when more has to come first.
// `nCOMMAND` ends at LF, `zCOMMAND` at NUL; one without prefix at LF or, `whole`, with what has arrived at
// once. What is longer than the limit is `unknown` and takes all.
struct TakenCommand {
  ClamdCommand command;
  size_t bytes = 0;
};
std::optional<TakenCommand> take_clamd_command(std::string_view bytes, bool whole);

// `COMMANDS: …`, without those that answer by other means.
std::string_view clamd_command_names();

// The chunks behind INSTREAM: four bytes of length, high first, then the bytes; length 0 ends it.
class ClamdStream {
 public:
  // Takes from the front of `bytes` and returns the content that came first; empty when there is none before
  // more arrives or when the stream has ended.
  std::string_view take(std::string_view& bytes);
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  uint32_t length_ = 0;
  unsigned length_bytes_ = 0;  // of the length, that have come
  uint32_t left_ = 0;          // of the chunk
  bool ended_ = false;
};

// What a clamd answered about one scan: `stream: OK`, `stream: NAME FOUND`; anything else is an error.
struct ClamdAnswer {
  enum class Kind { ok, found, error } kind = Kind::error;
  std::string text;  // the name, or the line
};
ClamdAnswer parse_clamd_answer(std::string_view line);

}  // namespace postern
