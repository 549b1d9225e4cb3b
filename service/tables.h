// The tables of control/ that are compiled to constant databases: which there are, and what a line may be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/cdb_table.h"
#include "lib/result.h"

namespace postern {

// The names of the tables that can be compiled.
std::vector<std::string> compiled_tables();

// The records of the table's text; each key once. The failure names `file`, the line and the remedy.
Result<CdbRecords> parse_table(std::string_view table, std::string_view text, std::string_view file);

}  // namespace postern
