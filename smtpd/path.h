// Paths of RFC 5321, 4.1.2: what stands between < and > in MAIL and RCPT.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern::smtpd {

constexpr size_t kPathLimitBytes = 256;    // RFC 5321, 4.5.3.1.3: with < and >
constexpr size_t kDomainLimitBytes = 255;  // 4.5.3.1.2

struct Path {
  std::string address;  // empty: the null path <>; a domain in lower case; a local-part alone where the
                        // client gave no domain
  size_t length = 0;    // bytes of the text that the path took, with < and >
  bool utf8 = false;    // it holds characters beyond ASCII: only with SMTPUTF8 (RFC 6531)
};

// A path at the beginning of `text`; what follows behind ">" is the caller's. A source route is checked and
// left out. A quoted local-part loses its quotes where it can do without and keeps them where it cannot, so
// that an address is always fit to be written between < and > again. Characters beyond ASCII must be UTF-8;
// a domain's become A-labels. Nothing when it is not a path.
std::optional<Path> parse_path(std::string_view text);
// What is no path, but stands between < and > and harms nobody: printable ASCII without blanks, taken as it
// is.
std::optional<Path> parse_malformed_path(std::string_view text);

// A host name (labels of letters, digits, - and _) or an address literal.
bool is_domain(std::string_view text);
bool is_address_literal(std::string_view text);

}  // namespace postern::smtpd
