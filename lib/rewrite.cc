#include "lib/rewrite.h"

#include "lib/text.h"

namespace postern {

namespace {

// Calls `found` for the domain and for each of its suffixes that begin with a dot, the longest first, until
// it says true.
template <typename Found>
bool any_suffix(std::string_view domain, const Found& found) {
  if (found(domain)) return true;
  for (size_t dot = domain.find('.'); dot != std::string_view::npos; dot = domain.find('.', dot + 1)) {
    if (found(domain.substr(dot))) return true;
  }
  return false;
}

}  // namespace

Result<Rewriting> Rewriting::make(std::string me, const std::vector<std::string>& locals,
                                  const std::vector<std::string>& virtual_domains) {
  Rewriting rewriting;
  rewriting.me_ = std::move(me);
  for (const std::string& domain : locals) {
    rewriting.locals_.insert(lower(domain));
    if (rewriting.a_local_domain_.empty() && !domain.starts_with('.'))
      rewriting.a_local_domain_ = lower(domain);
  }
  for (const std::string& line : virtual_domains) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) {
      return temporary("read control/virtualdomains: \"" + printable(line, 100) +
                       "\" has no colon; write DOMAIN:PREFIX, or DOMAIN: where it is not virtual");
    }
    // As with qmail's tables the first line of a name counts.
    rewriting.virtual_.try_emplace(lower(trim(std::string_view(line).substr(0, colon))),
                                   trim(std::string_view(line).substr(colon + 1)));
  }
  return rewriting;
}

Rewritten Rewriting::of(std::string_view recipient) const {
  Rewritten to{.local = false, .address = std::string(recipient), .domain = {}};
  if (recipient.find('@') == std::string_view::npos) to.address.append("@").append(me_);
  to.domain = domain_of(to.address);
  to.local = is_local(to.domain);
  if (to.local || virtual_.empty()) return to;
  const std::string* prefix = prefix_of(lower(to.address), to.domain);
  if (prefix == nullptr || prefix->empty()) return to;
  to.local = true;
  to.address.insert(0, *prefix + "-");
  return to;
}

bool Rewriting::is_local(std::string_view domain) const {
  return any_suffix(domain, [&](std::string_view name) { return locals_.contains(name); });
}

const std::string* Rewriting::prefix_of(std::string_view address, std::string_view domain) const {
  const std::string* prefix = nullptr;
  const auto find = [&](std::string_view name) {
    const auto found = virtual_.find(name);
    if (found != virtual_.end()) prefix = &found->second;
    return prefix != nullptr;
  };
  if (!find(address) && !any_suffix(domain, find)) find({});
  return prefix;
}

}  // namespace postern
