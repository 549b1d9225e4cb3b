// Which files of control/ are tables of recipients, and how each is compiled.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/cdb_table.h"
#include "lib/result.h"

namespace postern {

// "rat", "rat.inbound", "domainmap", "domainmap.inbound", "aliases".
bool is_recipient_table(std::string_view file);
// Those that control/ has, by name; a failure where it cannot be read.
Result<std::vector<std::string>> recipient_tables();

// Tables of control/ that are compiled and are there no longer as text, sorted: they count until they are
// removed.
Result<std::vector<std::string>> recipient_tables_without_text();
// Those compiled tables go. The names of their files are added to `removed`.
Result<void> remove_tables_without_text(std::vector<std::string>& removed);

// As the parsers of each; `shown` names the file in what they say.
Result<CdbRecords> parse_any_recipient_table(std::string_view file, std::string_view text,
                                             std::string_view shown, std::vector<std::string>& doubts);
// control/FILE to control/FILE.cdb in one step. Nothing is changed where a line is wrong.
Result<void> compile_recipient_table(const std::string& file, std::vector<std::string>& doubts);

// What is wrong with control/FILE, a problem each: lines, and a compiled table that is missing or older, or
// there without its text.
std::vector<std::string> problems_of_recipient_table(const std::string& file);

}  // namespace postern
