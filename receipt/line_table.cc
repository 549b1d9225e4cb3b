#include "receipt/line_table.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "lib/control.h"
#include "lib/idn.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr const char* kMaker = "postern-rcpt compile";
constexpr size_t kDomainLimitBytes = 253;
constexpr std::string_view kNeverInAnAddress{" \t\r\n\0<>,\\", 9};

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && std::all_of(label.begin(), label.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

bool is_file_name_part(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_' || c == '.';
         });
}

// "12" NUL "value"; nothing where it is none.
std::optional<LineMatch> match_of(std::string_view data) {
  const size_t end = data.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  const std::optional<uint64_t> line = parse_number(data.substr(0, end));
  if (!line || *line == 0) return std::nullopt;
  return LineMatch{*line, std::string(data.substr(end + 1))};
}

}  // namespace

Result<std::string> table_domain(std::string_view text) {
  const Failure wrong = permanent("\"" + printable(text, 100) + "\" is no domain");
  if (text.starts_with('[') && text.ends_with(']') && text.size() > 2 &&
      text.find_first_of(kNeverInAnAddress) == std::string_view::npos)
    return lower(text);
  const bool below = text.starts_with('.');
  Result<std::string> name = a_labels(below ? text.substr(1) : text);
  if (!name || name->size() > kDomainLimitBytes) return wrong;
  for (const std::string_view label : split(*name, '.')) {
    if (!is_label(label)) return wrong;
  }
  return (below ? "." : "") + *name;
}

Result<std::string> table_address(std::string_view text) {
  const size_t at = text.rfind('@');
  if (at == std::string_view::npos)
    return permanent("\"" + printable(text, 100) + "\" is no address: it has no @");
  const std::string_view user = text.substr(0, at);
  if (user.find_first_of(kNeverInAnAddress) != std::string_view::npos)
    return permanent("\"" + printable(text, 100) + "\" is no address that a table may hold");
  Result<std::string> domain = table_domain(text.substr(at + 1));
  if (!domain) return domain;
  return lower(user) + "@" + *domain;
}

bool LineTableMaker::add(const std::string& key, size_t line, std::string_view value) {
  if (!lines_.try_emplace(key, line).second) return false;
  std::string data = std::to_string(line);
  data += '\0';
  data += value;
  records_.emplace_back(key, std::move(data));
  return true;
}

size_t LineTableMaker::line_of(const std::string& key) const {
  const auto found = lines_.find(key);
  return found == lines_.end() ? 0 : found->second;
}

Result<std::optional<LineTable>> LineTable::open_file(const std::string& path, std::string_view shown_name) {
  Result<std::optional<CdbTable>> table = CdbTable::open(path, kMaker);
  if (!table) return table.failure();
  if (!table->has_value()) return std::optional<LineTable>();
  return std::optional<LineTable>(LineTable(std::move(**table), shown_name));
}

Result<std::optional<LineTable>> LineTable::open_compiled(const std::string& text) {
  const std::string path = home_path(text);
  Result<std::optional<LineTable>> table = open_file(path + ".cdb", text);
  if (!table || table->has_value() || ::access(path.c_str(), F_OK) < 0) return table;
  return temporary(path + " is not compiled; run " + kMaker, 55, "4.3.5");
}

Result<std::optional<LineTable>> LineTable::open(std::string_view name, std::string_view listener) {
  const std::string general = "control/" + std::string(name);
  if (is_file_name_part(listener)) {
    const std::string own = general + "." + std::string(listener);
    Result<std::optional<LineTable>> table = open_compiled(own);
    if (!table || table->has_value()) return table;
  }
  return open_compiled(general);
}

Result<std::optional<LineMatch>> LineTable::find(std::string_view address) {
  const std::string domain = domain_of(address);
  const std::string user = lower(local_part_of(address));
  std::optional<LineMatch> first;
  const auto look = [&](const std::string& key) -> Result<void> {
    Result<std::optional<std::string>> data = table_.find(key);
    if (!data) return data.failure();
    if (!data->has_value()) return {};
    std::optional<LineMatch> match = match_of(**data);
    if (!match)
      return temporary("read " + name_ + ".cdb: it is not of postern-rcpt; make it anew with " + kMaker, 55,
                       "4.3.5");
    if (!first || match->line < first->line) first = std::move(match);
    return {};
  };
  const auto look_both = [&](const std::string& where) -> Result<void> {
    if (Result<void> looked = look(user + "@" + where); !looked || user.empty()) return looked;
    return look("@" + where);
  };
  if (Result<void> looked = look_both(domain); !looked) return looked.failure();
  // An address literal has nothing below it.
  for (size_t dot = domain.starts_with('[') ? std::string::npos : domain.find('.'); dot != std::string::npos;
       dot = domain.find('.', dot + 1)) {
    if (Result<void> looked = look_both(domain.substr(dot)); !looked) return looked.failure();
  }
  for (const std::string& key : {user + "@", std::string("*")}) {
    if (Result<void> looked = look(key); !looked) return looked.failure();
  }
  return first;
}

std::string LineTable::place(size_t line) const {
  return name_ + " line " + std::to_string(line);
}

}  // namespace postern
