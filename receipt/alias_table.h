// The alias table, control/aliases (postern-aliases(5)): recipients that are taken as others, one or several.
//
//   user@domain[, user…]: recipient[, recipient…]        before the first context: of no domain, of any
//   domain [example.com, .example.org]                          the context of the lines that follow alias[,
//   alias…]: user@domain, another-alias          what has no @ is looked up again, in its context nobody:
//   /dev/null                                    taken and dropped
//
// Chains are followed when the table is compiled, so that a recipient costs the few look-ups of one line, and
// a loop or an end that leads nowhere is the compiler's to find.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "receipt/line_table.h"

namespace postern {

constexpr size_t kAliasRecipients = 1000;  // of one alias, its chains followed
constexpr size_t kAliasChainLimit = 50;    // steps
constexpr std::string_view kDropped = "/dev/null";

// The failure (permanent) names file, line and remedy. Aliases that can never count are told in `doubts`.
Result<CdbRecords> parse_alias_table(std::string_view text, std::string_view file,
                                     std::vector<std::string>& doubts);
// The recipients of a line; kDropped alone where they are thrown away. Empty: what is stored is broken.
std::vector<std::string> alias_recipients_of(std::string_view value);

}  // namespace postern
