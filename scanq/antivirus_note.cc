#include "scanq/antivirus_note.h"

#include <string_view>
#include <utility>

#include "lib/mid.h"
#include "lib/text.h"
#include "lib/utf8.h"
#include "scanq/antivirus_finding.h"
#include "scanq/mime_parameters.h"

namespace postern {

namespace {

constexpr size_t kNameCharacters = 120;
constexpr size_t kFieldBytes = 8192;  // of a field that names a file
constexpr size_t kNames = 16;         // readings of one field
constexpr size_t kVirusBytes = 200;

// Quotes would end the name in the note; the rest can make a line look like what it is not.
bool may_be_shown(uint32_t c) {
  const bool control = c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
  const bool turns = c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
                     (c >= 0x2066 && c <= 0x2069);
  return !control && !turns && c != '"';
}

std::string shown(std::string_view name) {
  std::string text;
  size_t characters = 0;
  for (; !name.empty() && characters < kNameCharacters; ++characters) {
    const CodePoint first = first_code_point(name).value_or(CodePoint{0, 1});
    text += may_be_shown(first.value) ? std::string(name.substr(0, first.bytes)) : "?";
    name.remove_prefix(first.bytes);
  }
  return name.empty() ? text : text + "...";
}

std::string finding_of(const AntivirusVerdict& verdict, const std::string& name) {
  const std::string behind = name.empty() ? "" : " (" + name + ")";
  switch (verdict.kind) {
    case AntivirusKind::clean:
      return "nothing";
    case AntivirusKind::infected:
      return "a virus, " + name;
    case AntivirusKind::encrypted:
      return "encrypted, so nobody could look into it" + behind;
    case AntivirusKind::unscannable:
      return "it could not be looked into" + behind;
    case AntivirusKind::limit:
      return "over a limit of the scanner" + behind;
    case AntivirusKind::error:
      return "the scanner failed" + behind;
  }
  return name;
}

}  // namespace

AntivirusVariables antivirus_variables(const AntivirusVerdict& verdict, const AntivirusPolicy& policy,
                                       const Environment& environment) {
  AntivirusVariables variables;
  variables.verdict = kind_name(verdict.kind);
  variables.virus = printable(verdict.name, kVirusBytes);
  variables.finding = finding_of(verdict, variables.virus);
  variables.mid = std::to_string(parse_mid(environment.get_or("POSTERN_MID", "")).value_or(0));
  variables.host = policy.host;
  variables.date = rfc5322_date(now_microseconds() / 1000000);
  return variables;
}

std::string shown_file_name(std::string_view message, const MessagePart& part) {
  for (const auto& [field, attribute] :
       {std::pair{"content-disposition", "filename"}, std::pair{"content-type", "name"}}) {
    const std::string value = header_value(message, part, field).substr(0, kFieldBytes);
    for (const std::string& name : parameter_values({value}, attribute, kNames)) {
      if (!name.empty()) return shown(decode_words(name, false));
    }
  }
  return "(no name)";
}

}  // namespace postern
