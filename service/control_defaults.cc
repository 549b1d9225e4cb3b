#include "service/control_defaults.h"

namespace postern {

namespace {

constexpr ControlDefault kDefaults[] = {
#include "control_defaults.inc"
};

}  // namespace

std::span<const ControlDefault> control_defaults() {
  return kDefaults;
}

}  // namespace postern
