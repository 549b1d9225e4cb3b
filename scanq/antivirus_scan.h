// One message, looked at in every way that an engine finds a virus in it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "lib/environment.h"
#include "scanq/antivirus_engine.h"
#include "scanq/antivirus_mime.h"

namespace postern {

using Scanner = std::function<ScanResult(std::string_view bytes)>;

// The whole message, then its body (of a plain message) or each decoded MIME part. The first virus ends it; a
// part that could not be scanned makes the message unscannable only when no virus is found in the others.
ScanResult scan_message(std::string_view message, const MimeLimits& limits, const Scanner& scan);

// What the stage prints on descriptor 1 for an infected message (design, Joint 4): inbound mail is put away,
// mail of our own users is refused while they wait.
std::string infected_verdict(const std::string& virus, const Environment& environment);

}  // namespace postern
