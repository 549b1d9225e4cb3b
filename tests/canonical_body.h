// A body as DKIM canonicalises it, fed in pieces.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "sign/canonical.h"

namespace postern {

inline std::string canonical_body(std::string_view text, Canonical form, size_t step) {
  BodyCanonicaliser canonicaliser(form);
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min(step, text.size())))
    canonicaliser.take(text.substr(0, step), out);
  canonicaliser.finish(out);
  return out;
}

}  // namespace postern
