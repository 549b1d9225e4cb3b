#include "scanq/antivirus_scan.h"

#include "scanq/verdict.h"

// libclamav unpacks mail too, and finds most by itself; what it does not are files that it takes for
// something else when they stand in a mail. GMime's parts are scanned as the files that a mail reader would
// write. Where both decode a part to the same bytes it is looked at twice: libclamav's cache of clean files,
// which would spare that, trusts MD5 and is off.

namespace postern {

namespace {

// Keeps the worst so far: a virus, else what could not be scanned first. True: it is worth going on.
bool note(ScanResult& worst, ScanResult next) {
  if (worst.finding == Finding::clean || next.finding == Finding::infected) worst = std::move(next);
  return worst.finding != Finding::infected;
}

}  // namespace

ScanResult scan_message(std::string_view message, const MimeLimits& limits, const Scanner& scan) {
  ScanResult worst;
  if (!note(worst, scan(message))) return worst;
  if (is_plain_message(message)) {
    note(worst, scan(body_of(message)));
    return worst;
  }
  bool has_part = false;
  const Result<void> walked = walk_mime(message, limits, [&](std::string_view content) {
    has_part = true;
    return note(worst, scan(content));
  });
  if (!walked) note(worst, {Finding::unscannable, walked.failure().text});
  // A header that promises parts which are not there: some readers show what stands there as it is.
  if (!has_part) note(worst, scan(body_of(message)));
  return worst;
}

std::string infected_verdict(const std::string& virus, const Environment& environment) {
  const std::string direction = environment.get_or("POSTERN_DIRECTION", "in");
  if (direction == "local" || direction == "out") {
    return format_verdict_line({.verb = "reject",
                                .arguments = {"554", "5.7.1 message contains a virus (" + virus + ")"},
                                .may_ignore = false});
  }
  return format_verdict_line({.verb = "quarantine", .arguments = {"Virus", virus}, .may_ignore = false}) +
         format_verdict_line({.verb = "stop", .arguments = {}, .may_ignore = false});
}

}  // namespace postern
