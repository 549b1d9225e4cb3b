#include "receipt/rcpthosts.h"

#include "lib/control.h"
#include "lib/idn.h"
#include "lib/text.h"
#include "lib/utf8.h"

namespace postern {

namespace {

// A list may name domains as people write them; what a client sends has become A-labels before it is
// compared.
void turn_into_a_labels(std::vector<std::string>& domains) {
  for (std::string& domain : domains) {
    if (!has_8bit_byte(domain)) continue;
    if (Result<std::string> name = a_labels(domain)) domain = std::move(*name);
  }
}

Result<std::vector<std::string>> read_our_domains(const std::string& me) {
  for (const char* name : {"rcpthosts", "locals"}) {
    Result<std::optional<std::vector<std::string>>> list = control_list(name);
    if (!list) return list.failure();
    if (!list->has_value()) continue;
    turn_into_a_labels(**list);
    return std::move(**list);
  }
  return std::vector<std::string>{me};
}

}  // namespace

Result<RecipientHosts> RecipientHosts::read(const std::string& me) {
  RecipientHosts hosts;
  Result<std::vector<std::string>> domains = read_our_domains(me);
  if (!domains) return domains.failure();
  hosts.our_domains = std::move(*domains);
  Result<std::optional<CdbTable>> more =
      CdbTable::open(home_path("control/morercpthosts.cdb"), "postern-cdbmake");
  if (!more) return more.failure();
  hosts.more_domains = std::move(*more);
  return hosts;
}

// The domain itself, then ".b.c" and ".c" of "a.b.c", as qmail looks them up.
Result<bool> RecipientHosts::is_ours(std::string_view domain) {
  if (domain_listed(domain, our_domains)) return true;
  if (!more_domains) return false;
  const std::string key = lower(domain);
  for (size_t at = 0; at != std::string::npos; at = key.find('.', at + 1)) {
    Result<std::optional<std::string>> found = more_domains->find(std::string_view(key).substr(at));
    if (!found) return found.failure();
    if (found->has_value()) return true;
  }
  return false;
}

}  // namespace postern
