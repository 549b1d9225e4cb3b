// The users and the group of the privilege split; made once, as root, where they are missing.
#pragma once

#include "lib/result.h"

namespace postern {

Result<void> make_service_accounts();

}  // namespace postern
