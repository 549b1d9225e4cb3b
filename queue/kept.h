// The variables that the queue keeps with a message (queue(8), ENVIRONMENT): what delivery, bounces and a
// later scan ask for.
#pragma once

#include "lib/environment.h"

namespace postern {

Environment kept_variables(const Environment& environment);

}  // namespace postern
