#include "smtpd/tcp_rules.h"

#include <cdb.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "lib/fd.h"

namespace postern::smtpd {

namespace {

Failure broken(const std::string& path) {
  return temporary("read " + path + ": it is damaged; make it anew with tcprules");
}

Result<std::optional<std::string>> find_record(struct cdb& database, const std::string& path,
                                               std::string_view key) {
  const int found = ::cdb_find(&database, key.data(), static_cast<unsigned>(key.size()));
  if (found == 0) return std::optional<std::string>();
  const void* data = found < 0 ? nullptr : cdb_getdata(&database);
  if (data == nullptr) return broken(path);
  return std::optional<std::string>(std::string(static_cast<const char*>(data), cdb_datalen(&database)));
}

Result<TcpRule> look_up(struct cdb& database, const std::string& path, std::string_view address) {
  for (std::string_view key = address;;) {
    Result<std::optional<std::string>> record = find_record(database, path, key);
    if (!record) return record.failure();
    if (*record) return parse_tcp_rule(**record);
    if (key.empty()) return TcpRule{};
    // "192.0.2.1" → "192.0.2." → "192.0." → "192." → ""
    key = key.substr(0, key.size() - 1);
    key = key.substr(0, key.rfind('.') + 1);  // npos + 1 is 0
  }
}

}  // namespace

Result<TcpRule> parse_tcp_rule(std::string_view instructions) {
  TcpRule rule;
  while (!instructions.empty()) {
    const size_t end = instructions.find('\0');
    if (end == std::string_view::npos) return temporary("a rule of tcprules does not end");
    const std::string_view one = instructions.substr(0, end);
    instructions.remove_prefix(end + 1);
    if (one.starts_with('D')) {
      rule.deny = true;
    } else if (const size_t equals = one.find('=');
               one.starts_with('+') && equals != std::string_view::npos) {
      rule.variables.emplace_back(one.substr(1, equals - 1), one.substr(equals + 1));
    }
  }
  return rule;
}

Result<TcpRule> find_tcp_rule(const std::string& cdb_path, std::string_view address) {
  const Fd file{::open(cdb_path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) return os_failure("open " + cdb_path, errno);
  struct cdb database {};
  if (::cdb_init(&database, file.get()) != 0) return broken(cdb_path);
  Result<TcpRule> rule = look_up(database, cdb_path, address);
  ::cdb_free(&database);
  return rule;
}

}  // namespace postern::smtpd
