// parts: lib
//
// Up to the first NUL control/ldap, behind it what is asked about: no value that is put into a filter changes
// its form, whatever bytes it has; and every failure says its line.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lib/ldap_filter.h"
#include "lib/ldap_settings.h"

using namespace postern;

namespace {

ptrdiff_t brackets(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return c == '(' || c == ')' || c == '*'; });
}

void check_filter(const LdapFilter& filter, const LdapValues& values) {
  const std::optional<std::string> text = filter.expand(values);
  if (!text) return;
  if (brackets(*text) != brackets(filter.text())) std::abort();
  const bool plain = std::all_of(text->begin(), text->end(), [](char c) { return c != '\0'; });
  if (!plain) std::abort();
  // Longer than a filter may be when it is read is no fault of its form.
  const Result<LdapFilter> again = LdapFilter::parse(*text);
  if (!again && text->size() <= 4096) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(all.find('\0'), all.size());
  const std::string value(all.substr(std::min(end + 1, all.size())));
  const LdapValues values{.address = value, .dn = value, .group = value, .sender = value};
  if (const Result<LdapFilter> filter = LdapFilter::parse(all.substr(0, end))) check_filter(*filter, values);
  const Result<LdapSettings> settings = LdapSettings::parse(all.substr(0, end), "control/ldap");
  if (!settings) {
    if (!settings.failure().text.starts_with("read control/ldap line ")) std::abort();
    return 0;
  }
  for (const auto& [name, query] : settings->queries) {
    check_filter(query.filter, values);
    if (query.dn_filter) check_filter(*query.dn_filter, values);
    if (!settings->servers.contains(query.server)) std::abort();
  }
  for (const auto& [name, domains] : settings->domains) {
    const std::string& next = domains.query_for(value);
    if (next != "yes" && next != "no" && !settings->kind_of(next)) std::abort();
  }
  return 0;
}
