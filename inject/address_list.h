// The address lists of RFC 5322, 3.4, as they stand in header fields and on command lines: mailboxes, groups,
// routes, comments, quoted strings, folded lines, and the obsolete forms that are still sent.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::inject {

// One address, and where it stands in the text, so that it can be completed and all else stays as written.
struct Mailbox {
  std::string local_part;   // as in an envelope: quoted only where it cannot do without
  std::string domain;       // without white space and comments; empty: there is none
  size_t local_end = 0;     // behind the last byte of the local-part
  size_t domain_begin = 0;  // where there is a domain: its first byte, and behind its last
  size_t domain_end = 0;
  [[nodiscard]] bool null() const { return local_part.empty() && domain.empty(); }  // <>
};

// Nothing when any of it is not an address list. An empty text is an empty list.
std::optional<std::vector<Mailbox>> parse_address_list(std::string_view text);

// What completes an address that has no host, a host without a dot, or one that ends with "+".
struct Completion {
  std::string default_host;
  std::string default_domain;
  std::string plus_domain;
};

// "localhost" is the default host too: programs write it to mean this host.
std::string complete_domain(std::string_view domain, const Completion& completion);
// local-part@domain for an envelope; the domain in lower case.
std::string envelope_address(const Mailbox& mailbox, const Completion& completion);
// The text with its addresses completed and every other byte as it was.
std::string complete_text(std::string_view text, const std::vector<Mailbox>& mailboxes,
                          const Completion& completion);

}  // namespace postern::inject
