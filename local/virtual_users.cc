#include "local/virtual_users.h"

#include <algorithm>

#include "lib/envelope.h"
#include "lib/record.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr const char* kMaker = "postern-newv";
constexpr std::string_view kMark = "postern-mailboxes 1";  // under the empty key: whose table it is
constexpr std::string_view kQuota = "quota=";

bool is_maildir(std::string_view word) {
  return word.ends_with('/') && (word.starts_with("./") || word.starts_with('/')) &&
         word.find("/../") == std::string_view::npos;
}

// Adds what a word says to the user; returns what is wrong with it, empty: nothing.
std::string take_word(std::string_view word, VirtualUser& user) {
  if (word == "bounce" || word == "delete") {
    (word == "bounce" ? user.bounces : user.deletes) = true;
  } else if (word.starts_with('&')) {
    const std::string_view address = word.substr(1);
    if (address.size() > kAddressLimitBytes || address.find('@') == std::string_view::npos ||
        address.find_first_of("<>") != std::string_view::npos)
      return "is no address; write &USER@DOMAIN";
    user.forwards.emplace_back(address);
  } else if (word.starts_with(kQuota)) {
    const std::optional<Quota> quota = parse_quota(word.substr(kQuota.size()));
    if (!quota) return "is no quota; write quota=50M, quota=50M,1000C or quota=52428800S,1000C";
    user.quota = *quota;
  } else if (is_maildir(word)) {
    if (!user.maildir.empty()) return "is a second directory; an address has one";
    user.maildir = word;
  } else {
    return "is neither ./DIRECTORY/, &ADDRESS, quota=SIZE, bounce nor delete";
  }
  return "";
}

std::string fault_of(const VirtualUser& user) {
  const bool delivers = !user.maildir.empty() || !user.forwards.empty();
  if (!delivers && !user.bounces && !user.deletes) return "it says nothing of what to do; write ./NAME/";
  if ((delivers ? 1 : 0) + (user.bounces ? 1 : 0) + (user.deletes ? 1 : 0) > 1)
    return "bounce and delete stand alone";
  if (user.maildir.empty() && user.quota.limits()) return "a quota needs a directory";
  return "";
}

std::string data_of(const VirtualUser& user) {
  std::string data;
  append_record_if(data, 'm', user.maildir);
  for (const std::string& forward : user.forwards) append_record(data, 'f', forward);
  if (user.quota.limits()) append_record(data, 'q', quota_text(user.quota));
  if (user.bounces) append_record(data, 'b', {});
  if (user.deletes) append_record(data, 'd', {});
  return data;
}

std::optional<VirtualUser> user_of(std::string_view data) {
  VirtualUser user;
  while (const std::optional<std::string_view> record = cut_record(data)) {
    if (record->empty()) return std::nullopt;
    const std::string_view value = record->substr(1);
    switch (record->front()) {
      case 'm':
        user.maildir = value;
        break;
      case 'f':
        user.forwards.emplace_back(value);
        break;
      case 'q': {
        const std::optional<Quota> quota = parse_quota(value);
        if (!quota) return std::nullopt;
        user.quota = *quota;
        break;
      }
      case 'b':
        user.bounces = true;
        break;
      case 'd':
        user.deletes = true;
        break;
      default:
        return std::nullopt;  // of a newer program, and it may matter
    }
  }
  if (!data.empty() || !fault_of(user).empty()) return std::nullopt;
  return user;
}

}  // namespace

Result<VirtualTable> parse_virtual_table(std::string_view text, std::string_view name) {
  VirtualTable table;
  std::vector<size_t> line_numbers;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    const auto refuse = [&](const std::string& why) {
      return permanent(std::string(name) + ":" + std::to_string(number) + ": " + why);
    };
    if (line.find('\0') != std::string_view::npos) return refuse("it holds a NUL byte; remove it");
    const std::vector<std::string_view> parts = words(line);
    VirtualUser user;
    for (size_t i = 1; i < parts.size(); ++i) {
      const std::string fault = take_word(parts[i], user);
      if (!fault.empty()) return refuse("\"" + printable(parts[i], 100) + "\" " + fault);
    }
    if (const std::string fault = fault_of(user); !fault.empty()) return refuse(fault);
    table.records.emplace_back(lower(parts[0]), data_of(user));
    line_numbers.push_back(number);
  }
  table.doubts = double_keys(table.records, line_numbers, name);
  table.records.emplace_back("", kMark);
  return table;
}

Result<std::optional<VirtualUser>> find_virtual_user(const std::string& path, std::string_view name,
                                                     std::string_view domain, CdbOwner owner) {
  Result<std::optional<CdbTable>> opened = CdbTable::open(path, kMaker, owner);
  if (!opened) return opened.failure();
  if (!opened->has_value())
    return temporary("open " + printable(path) + ": it is not there; make it with " + kMaker, 0, "4.3.5");
  CdbTable& table = **opened;
  const auto broken = [&] {
    return temporary("read " + printable(path) + ": it is not of " + kMaker + "; make it anew", 0, "4.3.5");
  };
  Result<std::optional<std::string>> mark = table.find("");
  if (!mark) return mark.failure();
  if (*mark != std::string(kMark)) return broken();
  const std::string at_domain = "@" + lower(domain);
  const std::string user = lower(name);
  for (const std::string& key : {user + at_domain, user, "*" + at_domain, std::string("*")}) {
    if (key.empty()) continue;
    Result<std::optional<std::string>> data = table.find(key);
    if (!data) return data.failure();
    if (!data->has_value()) continue;
    std::optional<VirtualUser> found = user_of(**data);
    if (!found) return broken();
    return found;
  }
  return std::optional<VirtualUser>();
}

}  // namespace postern
