#include "scanq/antivirus_scan.h"

#include <algorithm>

#include "scanq/antivirus_outline.h"
#include "scanq/verdict.h"

// libclamav unpacks mail too, and finds most by itself; what it does not are files that it takes for
// something else when they stand in a mail. GMime's parts are scanned as the files that a mail reader would
// write. libclamav's cache of clean files, which would spare what it sees twice, trusts MD5 and is off; the
// outline spares what is dear.

namespace postern {

namespace {

class Worst {
 public:
  // True: it is worth going on.
  bool note(const ScanResult& next) {
    worst_ = worse(worst_, next);
    return worst_.kind != AntivirusKind::infected;
  }
  [[nodiscard]] AntivirusVerdict verdict() const { return {worst_.kind, worst_.what, {}}; }

 private:
  ScanResult worst_;
};

// `Name:` or mbox's `From `, as a message begins.
bool begins_like_mail(std::string_view bytes) {
  if (bytes.starts_with("From ")) return true;
  const std::string_view line = bytes.substr(0, std::min<size_t>(bytes.find('\n'), 998));
  const size_t colon = line.find(':');
  return colon != 0 && colon != std::string_view::npos &&
         std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon),
                     [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

AntivirusVerdict scan_message(std::string_view message, const MimeLimits& limits, const Scanner& scan) {
  Worst worst;
  if (is_plain_message(message)) {
    if (worst.note(scan(message))) worst.note(scan(body_of(message)));
    return worst.verdict();
  }
  Outline outline(message);
  bool has_part = false;
  bool goes_on = true;
  const Result<void> walked = walk_mime(message, limits, [&](std::string_view content) {
    has_part = true;
    outline.leave_out(content);
    return goes_on = worst.note(scan(content));
  });
  if (!goes_on) return worst.verdict();
  if (!walked) worst.note({AntivirusKind::limit, walked.failure().text});
  // A header that promises parts which are not there: some readers show what stands there as it is.
  if (!has_part && !worst.note(scan(body_of(message)))) return worst.verdict();
  worst.note(scan(outline.rest()));
  return worst.verdict();
}

AntivirusVerdict scan_file(std::string_view bytes, const MimeLimits& limits, const Scanner& scan) {
  if (begins_like_mail(bytes)) return scan_message(bytes, limits, scan);
  const ScanResult result = scan(bytes);
  return {result.kind, result.what, {}};
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
