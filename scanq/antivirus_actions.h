// What is done about a verdict: the settings of control/antivirus carried out on one message, as lines of a
// stage's verdict (Joint 4) and, where parts of it are taken out, the whole message anew.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/envelope.h"
#include "lib/environment.h"
#include "scanq/antivirus_policy.h"
#include "scanq/antivirus_verdict.h"
#include "scanq/verdict.h"

namespace postern {

// Looks at a whole message, as for the verdict on it; also asked about one part, header and body of which are
// a message of their own. What a release exempts it passes over.
using Rescan = std::function<AntivirusVerdict(std::string_view message)>;

struct AntivirusRequest {
  std::string_view message;
  const Environment& environment;
  std::function<std::optional<Envelope>()> envelope;  // asked only where the settings need it
  bool can_rewrite = true;                            // descriptor 4 is there
  Rescan rescan;
};

struct AntivirusAnswer {
  std::vector<VerdictLine> lines;
  std::optional<std::string> message;  // the whole new one; `lines` say "message" then
  bool failed = false;                 // exit 111, with `why`
  std::string why;
};

// Carries out the policy. What is edited is looked at again before it may pass; where a part cannot be taken
// out with certainty, or something is left, what the settings say for that holds (a quarantine unless they
// say so otherwise).
AntivirusAnswer act(const AntivirusVerdict& verdict, const AntivirusPolicy& policy,
                    const AntivirusRequest& request);

// The virus that a release lets this message have (POSTERN_EXEMPT with POSTERN_RELEASED); empty: none.
std::string exempt_virus(const Environment& environment);

}  // namespace postern
