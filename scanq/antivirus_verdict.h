// What the looking for viruses came to for one message: what the settings of control/antivirus act on.
#pragma once

#include <string>
#include <vector>

namespace postern {

enum class AntivirusKind {
  clean,
  infected,     // `name` is the virus
  encrypted,    // nobody without the password can look into it
  unscannable,  // broken, ambiguous or of a format that the engine cannot read
  limit,        // larger, deeper or slower than the settings allow
  error         // the scanner itself failed; trying again may help
};

struct AntivirusVerdict {
  AntivirusKind kind = AntivirusKind::clean;
  std::string name;  // of the virus, or the reason
  // The MIME parts that it is about, each a path of positions from the top (0 is the first child); empty when
  // it is about the whole message.
  std::vector<std::vector<unsigned>> where{};
  bool passed_over = false;  // it has the virus that a release exempts, which does not count
};

}  // namespace postern
