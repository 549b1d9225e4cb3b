#include "local/assign.h"

#include <limits>

#include "lib/cdb_table.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kFields = 7;  // local:user:uid:gid:homedir:dash:ext

// One line without its '=' or '+'. Returns what is wrong with it and how to put it right, or nothing.
std::optional<std::string> fault_of(const std::vector<std::string_view>& fields) {
  if (fields.size() != kFields + 1 || !fields.back().empty()) {
    return "it needs seven fields, each ended by a colon: =local:user:uid:gid:homedir:dash:ext:";
  }
  const std::string user = printable(fields[1], 40);
  if (fields[1].empty()) return "the user is empty; name one after the first colon";
  if (!parse_unprivileged_id(fields[2])) {
    return "uid \"" + printable(fields[2], 40) + "\" of " + user +
           " is not a decimal number above 0; mail is never delivered as root";
  }
  if (!parse_unprivileged_id(fields[3])) {
    return "gid \"" + printable(fields[3], 40) + "\" of " + user + " is not a decimal number above 0";
  }
  if (!fields[4].starts_with('/')) return "the home \"" + printable(fields[4], 80) + "\" must begin with /";
  return std::nullopt;
}

std::string data_of(const std::vector<std::string_view>& fields) {
  std::string data(fields[1]);
  for (size_t i = 2; i < kFields; ++i) (data += '\0').append(fields[i]);
  return data;
}

// Adds to `breaks` the byte that a wildcard ends with: only at such bytes need a lookup try.
void note_break(std::string& breaks, std::string_view key) {
  if (key.size() > 1 && breaks.find(key.back()) == std::string::npos) breaks += key.back();
}

Result<std::optional<MailboxUser>> user_of(std::string_view data, std::string_view rest) {
  const std::vector<std::string_view> fields = split(data, '\0');
  const bool whole = fields.size() == kFields - 1;
  const std::optional<uint32_t> uid = whole ? parse_unprivileged_id(fields[1]) : std::nullopt;
  const std::optional<uint32_t> gid = whole ? parse_unprivileged_id(fields[2]) : std::nullopt;
  if (!uid || !gid || !fields[3].starts_with('/')) {
    return temporary("use users/cdb: a record is broken or names root; make it anew with postern-newu", 0,
                     "4.3.5");
  }
  return std::optional<MailboxUser>(MailboxUser{std::string(fields[0]), *uid, *gid, std::string(fields[3]),
                                                std::string(fields[4]), std::string(fields[5]).append(rest)});
}

}  // namespace

std::optional<uint32_t> parse_unprivileged_id(std::string_view text) {
  const std::optional<uint64_t> number = parse_number(text);
  // 65535 and 2^32-1 are (uid_t)-1 in its two widths: chown and setuid take them for "leave it as it is".
  if (!number || *number == 0 || *number == 65535 || *number >= std::numeric_limits<uint32_t>::max())
    return std::nullopt;
  return static_cast<uint32_t>(*number);
}

Result<AssignTable> parse_assign(std::string_view text, std::string_view name) {
  AssignTable table;
  std::vector<size_t> line_numbers;
  std::string breaks;
  const auto refuse = [&](size_t line, const std::string& why) {
    return permanent(std::string(name) + ":" + std::to_string(line) + ": " + why);
  };
  for (size_t number = 1;; ++number) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (line.starts_with('.')) break;
    if (end == std::string_view::npos)
      return refuse(number, "the last line, a dot alone, is missing; is the file complete?");
    text.remove_prefix(end + 1);
    if (line.find('\0') != std::string_view::npos) return refuse(number, "it holds a NUL byte; remove it");
    if (!line.starts_with('=') && !line.starts_with('+')) {
      return refuse(number,
                    "it must begin with = (an address), + (the beginning of addresses) or . (the end)");
    }
    const std::vector<std::string_view> fields = split(line.substr(1), ':');
    if (const std::optional<std::string> fault = fault_of(fields)) return refuse(number, *fault);
    std::string key = "!" + lower(fields[0]);
    if (line.front() == '+') {
      note_break(breaks, key);
    } else {
      key += '\0';
    }
    table.records.emplace_back(std::move(key), data_of(fields));
    line_numbers.push_back(number);
  }
  table.doubts = double_keys(table.records, line_numbers, name);
  table.records.emplace_back("", std::move(breaks));
  return table;
}

Result<std::optional<MailboxUser>> find_assigned_user(const std::string& path, std::string_view local_part) {
  Result<std::optional<CdbTable>> opened = CdbTable::open(path, "postern-newu", CdbOwner::root_or_us);
  if (!opened) return opened.failure();
  if (!opened->has_value()) return std::optional<MailboxUser>();
  CdbTable& table = **opened;
  Result<std::optional<std::string>> breaks = table.find("");
  if (!breaks) return breaks.failure();
  if (!breaks->has_value()) return temporary("read " + path + ": it is not of postern-newu; make it anew");
  const std::string key = "!" + lower(local_part) + '\0';
  for (size_t length = key.size(); length > 0; --length) {
    const bool whole = length == key.size();
    if (!whole && length > 1 && (*breaks)->find(key[length - 1]) == std::string::npos) continue;
    Result<std::optional<std::string>> data = table.find(std::string_view(key).substr(0, length));
    if (!data) return data.failure();
    if (data->has_value()) return user_of(**data, whole ? std::string_view() : local_part.substr(length - 1));
  }
  return std::optional<MailboxUser>();
}

}  // namespace postern
