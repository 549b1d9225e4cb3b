// What an engine said of one piece, in the words of our verdicts.
#pragma once

#include <string>
#include <string_view>

#include "scanq/antivirus_verdict.h"

namespace postern {

struct ScanResult {
  AntivirusKind kind = AntivirusKind::clean;
  std::string what;    // the virus's name, or why it was not scanned to the end
  bool spent = false;  // nothing more of this message can be looked at
};

// Whether an engine that takes mail apart itself is to do so: not where all that is in it was taken out.
enum class MailParser { on, off };

// The one that counts when both are true of a message: a virus, else an error (trying again may still find
// one), else what was not looked at, else what nobody can look at.
const ScanResult& worse(const ScanResult& first, const ScanResult& second);

// libclamav reports what it could not look at as a virus, Heuristics.…; this takes them apart.
ScanResult judge_name(std::string_view virus);

// The format of a file that libclamav passes over in silence and that readers of mail open: "RAR" (Debian
// builds it without, for the licence), "ACE", "ZSTD", "LZ4", "LZMA", "ZIP" (a member packed in a way that it
// does not know); empty for all others.
std::string_view unreadable_format(std::string_view bytes);

// As settings, notes and logs name it: clean, infected, …
std::string_view kind_name(AntivirusKind kind);

}  // namespace postern
