// One message, looked at in every way that an engine finds a virus in it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "scanq/antivirus_finding.h"
#include "scanq/antivirus_mime.h"
#include "scanq/antivirus_verdict.h"

namespace postern {

using Scanner = std::function<ScanResult(std::string_view bytes, MailParser parser)>;

// A plain message as it stands, and its body; of others each decoded MIME part, then the whole without those
// large attachments that were among the parts. A virus ends it, and a result that is `spent`; else the worst
// of all results counts. The virus of the name `exempt` does not count: the pieces behind it are looked at.
AntivirusVerdict scan_message(std::string_view message, const MimeLimits& limits, const Scanner& scan,
                              const std::string& exempt = {});

// The same for a file that may be a message: where its first line is no header field it is scanned as it is.
AntivirusVerdict scan_file(std::string_view bytes, const MimeLimits& limits, const Scanner& scan);

// Gives `look` the content of a descriptor, as it cannot change any more; none for an empty one. What cannot
// be read is an error.
AntivirusVerdict look_at_file(int fd, const std::function<AntivirusVerdict(std::string_view bytes)>& look);

}  // namespace postern
