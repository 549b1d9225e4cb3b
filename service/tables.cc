#include "service/tables.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>

#include "lib/idn.h"
#include "lib/sender_exceptions.h"
#include "lib/text.h"

namespace postern {

namespace {

// What one line says: a record, or why it is none.
struct Entry {
  std::string key;
  std::string value;
  std::string problem;
};

bool is_label(std::string_view label) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), allowed);
}

// "example.org", or ".example.org" for all below it; in lower case, as A-labels.
Entry domain_entry(std::string_view line, size_t /*number*/) {
  Entry entry;
  const bool below = line.starts_with('.');
  const std::string_view name = below ? line.substr(1) : line;
  const Result<std::string> domain = a_labels(name);
  const std::vector<std::string_view> labels = split(domain ? *domain : std::string_view(), '.');
  if (!domain || domain->size() > 253 || !std::all_of(labels.begin(), labels.end(), is_label)) {
    entry.problem = "is not a domain; write one a line, \".example.org\" for all below it";
  } else {
    entry.key = (below ? "." : "") + *domain;
  }
  return entry;
}

// Who is refused is told nothing of it, but the log names the line.
Entry exception_entry(std::string_view line, size_t number) {
  const Result<SenderException> exception = parse_exception_line(line);
  if (!exception) return {.key = {}, .value = {}, .problem = exception.failure().text};
  return {.key = exception->entry, .value = exception_value(*exception, number), .problem = {}};
}

struct Table {
  const char* name;
  Entry (*entry)(std::string_view line, size_t number);
};
constexpr std::array kTables = {
    Table{"morercpthosts", domain_entry},
    Table{"senderexceptions", exception_entry},
};

}  // namespace

std::vector<std::string> compiled_tables() {
  std::vector<std::string> names;
  for (const Table& table : kTables) names.emplace_back(table.name);
  return names;
}

Result<CdbRecords> parse_table(std::string_view table, std::string_view text, std::string_view file) {
  const auto known =
      std::find_if(kTables.begin(), kTables.end(), [&](const Table& one) { return one.name == table; });
  if (known == kTables.end()) return permanent("there is no table \"" + printable(table, 60) + "\"");
  CdbRecords records;
  std::unordered_set<std::string> keys;
  for (const auto& [number, line] : numbered_lines(text)) {
    Entry entry = known->entry(line, number);
    if (!entry.problem.empty()) {
      return permanent(std::string(file) + ":" + std::to_string(number) + ": \"" + printable(line, 100) +
                       "\" " + entry.problem);
    }
    if (keys.insert(entry.key).second) records.emplace_back(std::move(entry.key), std::move(entry.value));
  }
  return records;
}

}  // namespace postern
