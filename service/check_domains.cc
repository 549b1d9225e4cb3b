#include "service/check_domains.h"

#include <optional>

#include "lib/cdb_table.h"
#include "lib/control.h"
#include "lib/idn.h"
#include "lib/text.h"
#include "receipt/recipient_table.h"

namespace postern {

namespace {

// Without the file, or with one that cannot be read (which is reported elsewhere), there is nothing to
// compare.
std::optional<std::vector<std::string>> list(const char* name) {
  Result<std::optional<std::vector<std::string>>> lines = control_list(name);
  if (!lines || !lines->has_value()) return std::nullopt;
  return std::move(**lines);
}

// "user@dom:prepend", "dom:prepend", ".dom:prepend"; nothing for ":prepend", which is all the rest.
std::string domain_of_virtual(std::string_view line) {
  const std::string_view key = line.substr(0, line.find(':'));
  const size_t at = key.rfind('@');
  return std::string(at == std::string_view::npos ? key : key.substr(at + 1));
}

class Accepted {
 public:
  Accepted() : listed_(list("rcpthosts").value_or(std::vector<std::string>{})) {
    Result<std::optional<LineTable>> table = LineTable::open("rat", "");
    if (table) table_ = std::move(*table);
    Result<std::optional<CdbTable>> more =
        CdbTable::open(home_path("control/morercpthosts.cdb"), "postern-cdbmake");
    if (more) more_ = std::move(*more);
  }
  bool has(std::string_view domain) {
    const Result<std::string> name = a_labels(domain);
    const std::string key = name ? *name : lower(domain);
    if (table_) return table_accepts("postmaster@" + key);
    if (domain_listed(domain, listed_) || domain_listed(key, listed_)) return true;
    for (size_t at = 0; more_ && at != std::string::npos; at = key.find('.', at + 1)) {
      Result<std::optional<std::string>> found = more_->find(std::string_view(key).substr(at));
      if (found && found->has_value()) return true;
    }
    return false;
  }

  // control/rat.cdb stands in the place of the lists.
  [[nodiscard]] bool has_table() const { return table_.has_value(); }

 private:
  bool table_accepts(const std::string& address) {
    Result<std::optional<LineMatch>> match = table_->find(address);
    if (!match) return true;  // said elsewhere
    const std::optional<RecipientEntry> entry =
        match->has_value() ? recipient_entry_of(**match) : std::nullopt;
    return entry && entry->accepts;
  }

  std::optional<LineTable> table_;
  std::vector<std::string> listed_;
  std::optional<CdbTable> more_;
};

}  // namespace

std::vector<std::string> unreachable_domains() {
  std::vector<std::string> problems;
  Accepted accepted;
  const char* table_of_recipients = accepted.has_table() ? "rat" : "rcpthosts";
  const auto check = [&](const char* table, const std::string& domain) {
    const bool no_domain =
        domain.empty() || domain.find_first_of(" \t@:/") != std::string::npos;  // said elsewhere
    if (no_domain || accepted.has(domain)) return;
    problems.push_back(home_path(std::string("control/") + table) + ": mail from outside for \"" +
                       printable(domain, 100) + "\" is refused; add the domain to control/" +
                       table_of_recipients);
  };
  // Without either locals stands in for it.
  if (!accepted.has_table() && !list("rcpthosts").has_value()) return problems;
  for (const std::string& domain : list("locals").value_or(std::vector<std::string>{}))
    check("locals", domain);
  for (const std::string& line : list("virtualdomains").value_or(std::vector<std::string>{}))
    check("virtualdomains", domain_of_virtual(line));
  return problems;
}

}  // namespace postern
