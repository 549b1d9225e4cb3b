#include "service/check_domains.h"

#include <optional>

#include "lib/cdb_table.h"
#include "lib/control.h"
#include "lib/idn.h"
#include "lib/text.h"

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
  Accepted() : listed_(*list("rcpthosts")) {
    Result<std::optional<CdbTable>> more =
        CdbTable::open(home_path("control/morercpthosts.cdb"), "postern-cdbmake");
    if (more) more_ = std::move(*more);
  }
  bool has(std::string_view domain) {
    const Result<std::string> name = a_labels(domain);
    const std::string key = name ? *name : lower(domain);
    if (domain_listed(domain, listed_) || domain_listed(key, listed_)) return true;
    for (size_t at = 0; more_ && at != std::string::npos; at = key.find('.', at + 1)) {
      Result<std::optional<std::string>> found = more_->find(std::string_view(key).substr(at));
      if (found && found->has_value()) return true;
    }
    return false;
  }

 private:
  std::vector<std::string> listed_;
  std::optional<CdbTable> more_;
};

}  // namespace

std::vector<std::string> unreachable_domains() {
  std::vector<std::string> problems;
  const bool listed = list("rcpthosts").has_value();
  const auto check = [&](Accepted& accepted, const char* table, const std::string& domain) {
    const bool no_domain =
        domain.empty() || domain.find_first_of(" \t@:/") != std::string::npos;  // said elsewhere
    if (no_domain || accepted.has(domain)) return;
    problems.push_back(home_path(std::string("control/") + table) + ": mail from outside for \"" +
                       printable(domain, 100) + "\" is refused; add the domain to control/rcpthosts");
  };
  if (!listed) return problems;  // then locals stands in for it
  Accepted accepted;
  for (const std::string& domain : list("locals").value_or(std::vector<std::string>{}))
    check(accepted, "locals", domain);
  for (const std::string& line : list("virtualdomains").value_or(std::vector<std::string>{}))
    check(accepted, "virtualdomains", domain_of_virtual(line));
  return problems;
}

}  // namespace postern
