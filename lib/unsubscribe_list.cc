#include "lib/unsubscribe_list.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "lib/control.h"
#include "lib/idn.h"
#include "lib/local_part.h"
#include "lib/log.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kProblemsLogged = 10;

// An address in the one form that inet_ntop gives it; an IPv4-mapped one as IPv4. Empty: it is none.
std::string host_address(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  const std::string name(text);
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> out{};
  int family = AF_INET;
  if (::inet_pton(AF_INET, name.c_str(), bytes.data()) != 1) {
    family = AF_INET6;
    if (::inet_pton(AF_INET6, name.c_str(), bytes.data()) != 1) return {};
    static constexpr std::array<unsigned char, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) {
      std::copy(bytes.begin() + 12, bytes.end(), bytes.begin());
      family = AF_INET;
    }
  }
  const char* made = ::inet_ntop(family, bytes.data(), out.data(), out.size());
  return made == nullptr ? std::string() : made;
}

std::string normal_domain(std::string_view domain) {
  Result<std::string> name = a_labels(domain);
  return name ? *name : lower(domain);
}

}  // namespace

UnsubscribeList UnsubscribeList::parse(std::string_view text, std::vector<std::string>& problems,
                                       Lines lines) {
  UnsubscribeList list;
  size_t number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = trim(text.substr(at, end - at));
    at = end + 1;
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    const size_t sign = line.rfind('@');
    const std::string host = host_address(line);
    if (!host.empty()) {
      list.hosts_.insert(host);
    } else if (lines == Lines::hosts) {
      continue;
    } else if (sign == std::string_view::npos || line == "@" || line == "@." ||
               line.find_first_of(" \t") != std::string_view::npos) {
      problems.push_back("line " + std::to_string(number) + ": \"" + printable(line, 80) +
                         "\" is none of user@domain, @domain, @.domain, user@ and an IP address");
    } else {
      list.addresses_.insert(lower(unquote_local_part(line.substr(0, sign))) + "@" +
                             normal_domain(line.substr(sign + 1)));
    }
  }
  return list;
}

std::optional<std::string> UnsubscribeList::match(std::string_view address) const {
  if (addresses_.empty()) return std::nullopt;
  const size_t sign = address.rfind('@');
  const std::string user = lower(unquote_local_part(address.substr(0, sign)));
  const std::string domain = sign == std::string_view::npos ? "" : normal_domain(address.substr(sign + 1));
  for (const std::string& form : {user + "@" + domain, "@" + domain, user + "@"}) {
    if (form.size() > 1 && addresses_.contains(form)) return form;
  }
  for (size_t dot = domain.find('.'); dot != std::string::npos; dot = domain.find('.', dot + 1)) {
    if (std::string form = "@" + domain.substr(dot); addresses_.contains(form)) return form;
  }
  return std::nullopt;
}

bool UnsubscribeList::has_host(std::string_view address) const {
  return !hosts_.empty() && hosts_.contains(host_address(address));
}

UnsubscribeFile::UnsubscribeFile(UnsubscribeList::Lines lines)
    : lines_(lines), file_(home_path("control/globalunsubscribe")) {}

const UnsubscribeList& UnsubscribeFile::list() {
  if (!file_.changed()) return list_;
  Result<std::optional<std::string>> text = control_text("globalunsubscribe");
  if (!text) {
    log_warning("read the global unsubscribe list, keeping the old one", text.failure());
    return list_;
  }
  std::vector<std::string> problems;
  list_ = UnsubscribeList::parse(text->value_or(std::string()), problems, lines_);
  for (size_t i = 0; i < std::min(problems.size(), kProblemsLogged); ++i)
    log_warning("read control/globalunsubscribe", problems[i]);
  return list_;
}

}  // namespace postern
