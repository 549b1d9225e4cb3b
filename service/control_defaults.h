// The default control files of conf-files/, built in.
#pragma once

#include <span>
#include <string_view>

namespace postern {

struct ControlDefault {
  std::string_view name;
  std::string_view content;
};
std::span<const ControlDefault> control_defaults();

}  // namespace postern
