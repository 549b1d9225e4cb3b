// The verbs of Joint 4, and of what kind their arguments are.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace postern::stagetest {

// The kind of an argument; stagetest_arguments.cc says what each may be.
enum class ArgumentKind : char {
  text,
  reason,          // text that travels on: at most 2048 bytes
  reply_code,      // 4yz or 5yz
  reply_text,      // behind a reply code: text, perhaps with an enhanced status of the code's class
  field_name,      // RFC 5322 2.2
  field_value,     // any text of a bounded length
  sender,          // an address, or nothing: the null reverse-path
  address,         //
  named,           // one of our recipients
  quarantine,      // the name of one, or of an archive
  name,            // of a template, a profile, a part, a stage
  symbol,          // of a score
  tag,             // A-Z, 0-9 and _
  until,           // seconds since 1970, or +SECONDS
  points,          // a decimal number, perhaps with a sign and a fraction
  host,            // HOST[:PORT]
  source_address,  // an IP address
};

struct StageVerb {
  std::string_view verb;
  size_t least;  // arguments
  size_t most;
  std::array<ArgumentKind, 3> kinds{};  // the last one that counts holds for all behind it
};

inline constexpr size_t kAnyNumber = 65536;

inline constexpr std::array kStageVerbs = {
    StageVerb{"stop", 0, 0},
    StageVerb{"drop", 1, 1, {ArgumentKind::text}},
    StageVerb{"reject", 2, 2, {ArgumentKind::reply_code, ArgumentKind::reply_text}},
    StageVerb{"bounce", 1, 1, {ArgumentKind::reason}},
    StageVerb{"defer", 1, 1, {ArgumentKind::text}},
    StageVerb{"quarantine", 2, 2, {ArgumentKind::quarantine, ArgumentKind::reason}},
    StageVerb{"copy-quarantine", 2, 2, {ArgumentKind::quarantine, ArgumentKind::reason}},
    StageVerb{"hold", 2, 2, {ArgumentKind::until, ArgumentKind::reason}},
    StageVerb{"header-add", 2, 2, {ArgumentKind::field_name, ArgumentKind::field_value}},
    StageVerb{"header-remove", 1, 1, {ArgumentKind::field_name}},
    StageVerb{"sender", 1, 1, {ArgumentKind::sender}},
    StageVerb{"recipient-add", 1, 1, {ArgumentKind::address}},
    StageVerb{"recipient-remove", 1, 1, {ArgumentKind::address}},
    StageVerb{"recipient-replace", 2, 2, {ArgumentKind::address, ArgumentKind::address}},
    StageVerb{"split", 2, kAnyNumber, {ArgumentKind::name, ArgumentKind::named, ArgumentKind::named}},
    StageVerb{"route", 1, kAnyNumber, {ArgumentKind::host, ArgumentKind::named, ArgumentKind::named}},
    StageVerb{"source", 1, 1, {ArgumentKind::source_address}},
    StageVerb{"bounce-profile", 1, 1, {ArgumentKind::name}},
    StageVerb{"bcc", 1, 1, {ArgumentKind::address}},
    StageVerb{"notify", 2, 2, {ArgumentKind::name, ArgumentKind::address}},
    StageVerb{"score", 3, 3, {ArgumentKind::points, ArgumentKind::symbol, ArgumentKind::text}},
    StageVerb{"tag", 2, 2, {ArgumentKind::tag, ArgumentKind::text}},
    StageVerb{"skip", 1, 1, {ArgumentKind::name}},
    StageVerb{"archive", 1, 1, {ArgumentKind::quarantine}},
    StageVerb{"message", 0, 0},
    StageVerb{"log", 1, 1, {ArgumentKind::text}},
};

}  // namespace postern::stagetest
