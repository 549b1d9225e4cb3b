#include "lib/dkim_table.h"

#include <algorithm>
#include <array>

#include "lib/idn.h"
#include "lib/parameters.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kMostSignatures = 8;  // of one message
constexpr std::string_view kDkimLine =
    "DOMAIN SELECTOR KEYFILE [rsa-sha256|ed25519-sha256] [domain=D] [identity=I] [canonical=H/B], or DOMAIN "
    "none";

Failure wrong(std::string_view file, size_t number, const std::string& why) {
  return temporary("read " + std::string(file) + " line " + std::to_string(number) + ": " + why, 55, "4.3.5");
}

bool is_label(std::string_view label) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !label.empty() && label.size() <= 63 && std::all_of(label.begin(), label.end(), good);
}

bool is_name(std::string_view name) {
  const std::vector<std::string_view> labels = split(name, '.');
  return name.size() <= 253 && std::all_of(labels.begin(), labels.end(), is_label);
}

// What is wrong, empty when nothing is.
std::string take_canonical(std::string_view value, DkimLine& line) {
  const std::vector<std::string_view> forms = split(value, '/');
  const auto known = [](std::string_view word) { return word == "relaxed" || word == "simple"; };
  if (forms.size() != 2 || !known(forms[0]) || !known(forms[1]))
    return "canonical= is two words of relaxed and simple, as relaxed/relaxed";
  line.header = forms[0] == "simple" ? Canonical::simple : Canonical::relaxed;
  line.body = forms[1] == "simple" ? Canonical::simple : Canonical::relaxed;
  return {};
}

std::string take_option(std::string_view word, DkimLine& line) {
  if (word == "rsa-sha256" || word == "ed25519-sha256") {
    line.algorithm = word;
    return {};
  }
  const size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? "" : word.substr(equals + 1);
  if (name == "canonical") return take_canonical(value, line);
  if (name == "domain") {
    line.domain = lower(value);
    return is_name(line.domain) ? "" : "domain= is a domain name";
  }
  if (name == "identity") {
    line.identity = value;
    // It goes into the header as it is (RFC 6376 3.5 would have it quoted).
    const bool plain = std::all_of(value.begin(), value.end(), [](char c) {
      return c > ' ' && c < 0x7f && c != ';' && c != '=' && c != '"' && c != '\\';
    });
    return plain && value.find('@') != std::string_view::npos ? "" : "identity= is user@domain or @domain";
  }
  return "\"" + printable(word, 80) + "\" is not known; a line is " + std::string(kDkimLine);
}

std::string take_line(const std::vector<std::string_view>& all, DkimLine& line) {
  if (all.size() == 2 && all[1] == "none") return {};
  if (all.size() < 3) return "it is too short; a line is " + std::string(kDkimLine);
  line.selector = lower(all[1]);
  line.key_file = all[2];
  if (!is_name(line.selector)) return "\"" + printable(all[1], 80) + "\" is no selector";
  for (size_t i = 3; i < all.size(); ++i) {
    if (const std::string why = take_option(all[i], line); !why.empty()) return why;
  }
  return {};
}

// i= must be of d= or below it (RFC 6376 3.5): a verifier ignores the signature otherwise.
bool identity_fits(const DkimLine& line, std::string_view domain) {
  const std::string of = domain_of(line.identity);
  return line.identity.empty() || of == domain || of.ends_with("." + std::string(domain));
}

}  // namespace

std::string_view algorithm_name(DkimAlgorithm algorithm) {
  return algorithm == DkimAlgorithm::rsa_sha256 ? "rsa-sha256" : "ed25519-sha256";
}

Result<DkimTable> DkimTable::parse(std::string_view text, std::string_view file_name) {
  DkimTable table;
  for (const auto& [number, all] : parameter_lines(text)) {
    DkimLine line;
    line.number = number;
    std::string key = "*";
    if (all.front() != "*") {
      Result<std::string> name = a_labels(all.front());
      if (!name || !is_name(name->starts_with('.') ? std::string_view(*name).substr(1) : *name))
        return wrong(file_name, number,
                     "\"" + printable(all.front(), 80) + "\" is neither DOMAIN, .DOMAIN nor *");
      key = std::move(*name);
    }
    if (const std::string why = take_line(all, line); !why.empty()) return wrong(file_name, number, why);
    if (line.domain.empty() && key != "*") line.domain = key.substr(key.starts_with('.') ? 1 : 0);
    if (!line.domain.empty() && !identity_fits(line, line.domain))
      return wrong(file_name, number, "identity= must be of " + line.domain + " or of a domain below it");
    std::vector<DkimLine>& lines = table.lines_[key];
    if (lines.size() == kMostSignatures)
      return wrong(file_name, number,
                   "there are " + std::to_string(kMostSignatures) + " lines for it before");
    lines.push_back(std::move(line));
  }
  return table;
}

std::vector<DkimLine> DkimTable::find(const std::string& domain, bool ours) const {
  auto found = lines_.find(domain);
  for (size_t dot = domain.find('.'); found == lines_.end() && dot != std::string::npos;
       dot = domain.find('.', dot + 1)) {
    found = lines_.find(domain.substr(dot));
  }
  if (found == lines_.end()) found = lines_.find("*");
  std::vector<DkimLine> chosen;
  if (found == lines_.end()) return chosen;
  for (DkimLine line : found->second) {
    if (line.selector.empty() || (line.domain.empty() && !ours)) continue;
    if (line.domain.empty()) line.domain = domain;
    if (!identity_fits(line, line.domain)) line.identity.clear();
    chosen.push_back(std::move(line));
  }
  return chosen;
}

std::vector<DkimLine> DkimTable::all() const {
  std::vector<DkimLine> every;
  for (const auto& [domain, lines] : lines_) {
    for (const DkimLine& line : lines) {
      if (!line.selector.empty()) every.push_back(line);
    }
  }
  return every;
}

Result<std::vector<SignedHeader>> parse_signed_headers(std::string_view text, std::string_view file_name) {
  std::vector<SignedHeader> headers;
  for (auto [number, name] : numbered_lines(text)) {
    const bool oversigned = name.starts_with('+');
    if (oversigned) name.remove_prefix(1);
    // A semicolon or colon would end a name in h=.
    const bool good = !name.empty() && name.size() <= 77 && std::all_of(name.begin(), name.end(), [](char c) {
      return c > ' ' && c < 0x7f && c != ':' && c != ';';
    });
    if (!good) return wrong(file_name, number, "\"" + printable(name, 80) + "\" is no header field's name");
    headers.push_back({lower(name), oversigned});
  }
  const bool has_from =
      std::any_of(headers.begin(), headers.end(), [](const SignedHeader& h) { return h.name == "from"; });
  if (!has_from) headers.insert(headers.begin(), {"from", true});  // RFC 6376 5.4: it must be
  return headers;
}

const std::vector<SignedHeader>& default_signed_headers() {
  static const std::vector<SignedHeader> kHeaders = {{"from", true},
                                                     {"to", true},
                                                     {"cc", true},
                                                     {"subject", true},
                                                     {"date", true},
                                                     {"message-id", true},
                                                     {"reply-to", true},
                                                     {"mime-version", true},
                                                     {"content-type", true},
                                                     {"sender", false},
                                                     {"content-transfer-encoding", false},
                                                     {"content-id", false},
                                                     {"content-description", false},
                                                     {"in-reply-to", false},
                                                     {"references", false},
                                                     {"list-id", false},
                                                     {"list-help", false},
                                                     {"list-unsubscribe", false},
                                                     {"list-unsubscribe-post", false},
                                                     {"list-subscribe", false},
                                                     {"list-post", false},
                                                     {"list-owner", false},
                                                     {"list-archive", false}};
  return kHeaders;
}

}  // namespace postern
