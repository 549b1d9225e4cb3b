#include "lib/spf_names.h"

#include <algorithm>

#include "lib/dns_text.h"
#include "lib/text.h"

namespace postern {

namespace {

// The domain itself, or a name below it.
bool is_below(std::string_view name, std::string_view domain) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (domain.ends_with('.')) domain.remove_suffix(1);
  if (name.size() == domain.size()) return equal_ignoring_case(name, domain);
  return name.size() > domain.size() && name[name.size() - domain.size() - 1] == '.' &&
         equal_ignoring_case(name.substr(name.size() - domain.size()), domain);
}

}  // namespace

const std::vector<std::string>& SpfNames::all() {
  if (names_) return *names_;
  names_.emplace();
  const Result<DnsAnswer> answer = ask_({"ptr", address_});
  if (!answer) return *names_;
  outcome_ = answer->outcome;
  for (const DnsRrset& rrset : answer->rrsets) {
    for (const std::string& data : rrset.data) {
      if (names_->size() < kSpfNameLimit) names_->push_back(txt_bytes(data).value_or(""));
    }
  }
  return *names_;
}

DnsOutcome SpfNames::outcome() {
  all();
  return outcome_;
}

bool SpfNames::is_validated(const std::string& name) {
  const auto known = is_validated_.find(name);
  if (known != is_validated_.end()) return known->second;
  return is_validated_.emplace(name, leads_back_(name)).first->second;
}

bool SpfNames::has_one_of(std::string_view domain) {
  const std::vector<std::string>& names = all();
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return is_below(name, domain) && is_validated(name); });
}

const std::string& SpfNames::validated(const std::string& domain) {
  const auto known = validated_.find(domain);
  if (known != validated_.end()) return known->second;
  std::vector<std::string> names = all();
  const auto rank = [&](const std::string& name) {
    return !is_below(name, domain) ? 2 : name.size() == domain.size() ? 0 : 1;
  };
  std::stable_sort(names.begin(), names.end(),
                   [&](const std::string& a, const std::string& b) { return rank(a) < rank(b); });
  const auto found =
      std::find_if(names.begin(), names.end(), [&](const std::string& name) { return is_validated(name); });
  return validated_.emplace(domain, found == names.end() ? "unknown" : *found).first->second;
}

}  // namespace postern
