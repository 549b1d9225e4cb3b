// Which of a gateway's addresses a connection comes from.
#pragma once

#include <string>
#include <vector>

#include "lib/altsrchost.h"
#include "lib/result.h"
#include "remote/set_aside.h"
#include "remote/smtp_session.h"

namespace postern {

// May the target be reached from this gateway: by one of its own family, by LMTP (a mailbox server of ours
// sees no gateway), or because there is none?
bool can_reach(const Gateway& gateway, const Target& target);

// The target with a source of the gateway, chosen by weight; those that stand aside, after the others. One
// that this host has not is set aside, logged, and the next one taken. The failure: none is left.
Result<Target> with_source(const Gateway& gateway, Target target, SetAside& set_aside);

}  // namespace postern
