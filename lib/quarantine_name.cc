#include "lib/quarantine_name.h"

#include <algorithm>

namespace postern {

bool is_quarantine_name(std::string_view name) {
  if (name.empty() || name.size() > kQuarantineNameLimitBytes) return false;
  if (name.front() == '-' || name.front() == ' ' || name.back() == ' ') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' ||
           c == '-' || c == '_';
  });
}

}  // namespace postern
