#include "scanq/clamd_protocol.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lib/text.h"

namespace postern {

namespace {

struct Name {
  std::string_view name;
  ClamdVerb verb;
};

constexpr std::array kNames = {Name{"PING", ClamdVerb::ping},
                               Name{"VERSION", ClamdVerb::version},
                               Name{"VERSIONCOMMANDS", ClamdVerb::version_commands},
                               Name{"STATS", ClamdVerb::stats},
                               Name{"RELOAD", ClamdVerb::reload},
                               Name{"SCAN", ClamdVerb::scan},
                               Name{"CONTSCAN", ClamdVerb::contscan},
                               Name{"MULTISCAN", ClamdVerb::multiscan},
                               Name{"ALLMATCHSCAN", ClamdVerb::allmatchscan},
                               Name{"INSTREAM", ClamdVerb::instream},
                               Name{"FILDES", ClamdVerb::fildes},
                               Name{"IDSESSION", ClamdVerb::idsession},
                               Name{"END", ClamdVerb::end}};

bool takes_path(ClamdVerb verb) {
  return verb == ClamdVerb::scan || verb == ClamdVerb::contscan || verb == ClamdVerb::multiscan ||
         verb == ClamdVerb::allmatchscan;
}

ClamdCommand parse(std::string_view text, char terminator, bool prefixed) {
  ClamdCommand command{.argument = {}, .terminator = terminator, .prefixed = prefixed};
  if (terminator == '\n' && text.ends_with('\r')) text.remove_suffix(1);
  const size_t space = text.find(' ');
  const std::string_view name = text.substr(0, space);
  const auto* found =
      std::find_if(kNames.begin(), kNames.end(), [&](const Name& known) { return known.name == name; });
  if (found == kNames.end()) return command;
  const std::string_view argument = space == std::string_view::npos ? "" : text.substr(space + 1);
  if (takes_path(found->verb) == argument.empty() || argument.find('\0') != std::string_view::npos)
    return command;
  command.verb = found->verb;
  command.argument = argument;
  return command;
}

}  // namespace

std::optional<TakenCommand> take_clamd_command(std::string_view bytes, bool whole) {
  if (bytes.empty()) return std::nullopt;
  const bool prefixed = bytes.front() == 'n' || bytes.front() == 'z';
  const char terminator = bytes.front() == 'z' ? '\0' : '\n';
  const size_t begin = prefixed ? 1 : 0;
  const size_t end = bytes.find(terminator, begin);
  if (std::min(end, bytes.size()) > kClamdCommandLimitBytes)
    return TakenCommand{{.argument = {}, .terminator = terminator, .prefixed = prefixed}, bytes.size()};
  if (end != std::string_view::npos)
    return TakenCommand{parse(bytes.substr(begin, end - begin), terminator, prefixed), end + 1};
  if (prefixed || !whole) return std::nullopt;
  return TakenCommand{parse(bytes, terminator, false), bytes.size()};
}

std::string_view clamd_command_names() {
  return "COMMANDS: SCAN RELOAD PING CONTSCAN VERSIONCOMMANDS VERSION END MULTISCAN FILDES STATS IDSESSION "
         "INSTREAM ALLMATCHSCAN";
}

std::string_view ClamdStream::take(std::string_view& bytes) {
  while (!ended_ && left_ == 0 && !bytes.empty()) {
    length_ = length_ << 8U | static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    if (++length_bytes_ < 4) continue;
    left_ = std::exchange(length_, 0);
    length_bytes_ = 0;
    ended_ = left_ == 0;
  }
  const std::string_view content = bytes.substr(0, ended_ ? 0 : left_);
  bytes.remove_prefix(content.size());
  left_ -= static_cast<uint32_t>(content.size());
  return content;
}

ClamdAnswer parse_clamd_answer(std::string_view line) {
  static constexpr std::string_view kFound = " FOUND";
  line = trim(line);
  if (line.ends_with(": OK")) return {ClamdAnswer::Kind::ok, {}};
  if (line.ends_with(kFound)) {
    // No virus has a name with a blank in it.
    std::string_view name = line.substr(0, line.size() - kFound.size());
    const size_t colon = name.rfind(": ");
    if (colon != std::string_view::npos) name.remove_prefix(colon + 2);
    if (!name.empty()) return {ClamdAnswer::Kind::found, printable(name, 200)};
  }
  return {ClamdAnswer::Kind::error, printable(line, 200)};
}

}  // namespace postern
