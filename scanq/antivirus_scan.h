// One message, looked at in every way that an engine finds a virus in it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "lib/environment.h"
#include "scanq/antivirus_finding.h"
#include "scanq/antivirus_mime.h"
#include "scanq/antivirus_verdict.h"

namespace postern {

using Scanner = std::function<ScanResult(std::string_view bytes)>;

// The body (of a plain message) or each decoded MIME part, then the whole message without those large
// attachments that were among the parts. A virus ends it; else the worst of all results counts.
AntivirusVerdict scan_message(std::string_view message, const MimeLimits& limits, const Scanner& scan);

// The same for a file that may be a message: where its first line is no header field it is scanned as it is.
AntivirusVerdict scan_file(std::string_view bytes, const MimeLimits& limits, const Scanner& scan);

// Gives `look` the content of a descriptor, as it cannot change any more; none for an empty one. What cannot
// be read is an error.
AntivirusVerdict look_at_file(int fd, const std::function<AntivirusVerdict(std::string_view bytes)>& look);

// What the stage prints on descriptor 1 for an infected message (design, Joint 4): inbound mail is put away,
// mail of our own users is refused while they wait.
std::string infected_verdict(const std::string& virus, const Environment& environment);

}  // namespace postern
