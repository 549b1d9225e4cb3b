// The same as lib/precompiled.h, for tests.
#include "lib/precompiled.h"

#include <doctest/doctest.h>
