// S/MIME (RFC 8551): what of a CMS object can be looked at without a key.
#pragma once

#include <string>
#include <string_view>

namespace postern {

enum class CmsKind { none, signed_data, encrypted, compressed };
CmsKind cms_kind(std::string_view der);

// The content that a signed object carries, its chunks joined; empty when there is none.
std::string cms_signed_content(std::string_view der);

}  // namespace postern
