// control/antivirus: what is done about each verdict of the looking for viruses, in each direction.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"
#include "scanq/antivirus_verdict.h"

namespace postern {

enum class AntivirusDo {
  repair,      // drop the parts
  replace,     // put a note in the place of each part
  subject,     // TEXT
  header,      // NAME VALUE
  redirect,    // ADDRESS
  route,       // HOST[:PORT]
  archive,     // NAME
  notify,      // sender, recipients, admin or ADDRESS; TEMPLATE
  stop,        // no further stage
  pass,        // from here on: what becomes of the message, one for each verdict
  quarantine,  // NAME
  reject,      // CODE TEXT
  defer,       // [TEXT]; without one the stage ends with a temporary failure
  drop
};

struct AntivirusAction {
  AntivirusDo what = AntivirusDo::pass;
  std::string first;
  std::string second;
  bool operator==(const AntivirusAction&) const = default;
};

// Decides what becomes of the message?
inline bool is_final(AntivirusDo what) {
  return what >= AntivirusDo::pass;
}

// Verdicts as settings name them: those of AntivirusKind, and `rar`, an unscannable one whose reason begins
// with "RAR".
inline constexpr size_t kAntivirusVerdicts = 7;
inline constexpr size_t kDirections = 3;

struct AntivirusPolicy {
  // By verdict and direction; never without what becomes of the message, unless it is edited or sent
  // elsewhere.
  std::array<std::array<std::vector<AntivirusAction>, kDirections>, kAntivirusVerdicts> actions;
  std::string note;   // the text that takes the place of an attachment
  std::string host;   // control/me
  std::string admin;  // whom `notify admin` means

  // For any other direction those of `in`.
  [[nodiscard]] const std::vector<AntivirusAction>& of(const AntivirusVerdict& verdict,
                                                       std::string_view direction) const;
  // Of all `header` actions, each once.
  [[nodiscard]] std::vector<std::string> header_names() const;
};

// A failure names the line and the remedy. Empty: the defaults.
Result<AntivirusPolicy> parse_antivirus_policy(std::string_view text);
// control/antivirus, control/templates/antivirus-note, control/me, control/doublebounceto and
// control/doublebouncehost; each may be missing.
Result<AntivirusPolicy> read_antivirus_policy();

// What `$Name` stands for in settings and in the note's template.
struct AntivirusVariables {
  std::string verdict;      // $Verdict
  std::string virus;        // $VirusName: the virus, or the reason
  std::string finding;      // $Finding: a sentence's worth of both
  std::string file_name{};  // $FileName, in the note alone
  std::string mid;          // $MID
  std::string host;         // $Host
  std::string date;         // $Date
};
// `$$` is a dollar sign, and a dollar sign in front of no letter is one too.
std::string expand_antivirus_text(std::string_view text, const AntivirusVariables& variables);

}  // namespace postern
