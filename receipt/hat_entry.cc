#include <algorithm>
#include <array>

#include "lib/idn.h"
#include "lib/text.h"
#include "receipt/hat_source.h"

namespace postern {

namespace {

constexpr int kHighestScore = 100;  // tenths
constexpr std::string_view kRemedy =
    "write an address, a range, a network, a host, .domain, SBRS[a:b], SBRS[none], dnslist[zone], nx.domain, "
    "serv.fail, not.double.verified, ptr.unresolved, country[CC] or ALL";

struct Word {
  std::string_view word;
  HatKind kind;
};
constexpr std::array kWords = {
    Word{"ALL", HatKind::all},
    Word{"nx.domain", HatKind::no_ptr},
    Word{"serv.fail", HatKind::ptr_fails},
    Word{"not.double.verified", HatKind::differs},
    Word{"ptr.unresolved", HatKind::nowhere},
};

bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  for (const std::string_view label : split(name, '.')) {
    const bool fine =
        !label.empty() && label.size() <= 63 &&
        label.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos;
    if (!fine) return false;
  }
  return true;
}

// Empty when the entry is right now.
std::string take_scores(std::string_view inside, HatEntry& entry) {
  if (equal_ignoring_case(inside, "none")) {
    entry.kind = HatKind::no_score;
    return {};
  }
  const size_t colon = inside.find(':');
  const std::optional<int> low = parse_score(inside.substr(0, colon));
  const std::optional<int> high =
      colon == std::string_view::npos ? std::nullopt : parse_score(inside.substr(colon + 1));
  if (!low || !high || *low > *high)
    return "is no range of scores; write SBRS[-4:-2], from -10 to 10 and the lower one first, or SBRS[none]";
  entry.kind = HatKind::score;
  entry.lowest = *low;
  entry.highest = *high;
  return {};
}

std::string take_list(std::string_view inside, HatEntry& entry) {
  const size_t equals = inside.find('=');
  const Result<std::string> zone = a_labels(inside.substr(0, equals));
  if (!zone || !is_host_name(*zone) || zone->find('.') == std::string::npos)
    return "names no DNS list; write dnslist[zone.example], or dnslist[zone.example=127.0.0.2,127.0.0.4]";
  entry.kind = HatKind::dns_list;
  entry.name = *zone;
  if (equals == std::string_view::npos) return {};
  for (const std::string_view value : split(inside.substr(equals + 1), ',')) {
    const std::optional<AddressKey> answer = parse_address(value);
    if (!answer || !is_ipv4(*answer)) return "has an answer that is no IPv4 address; write 127.0.0.2";
    entry.values.push_back(address_text(*answer));
  }
  return {};
}

std::string take_countries(std::string_view inside, HatEntry& entry) {
  entry.kind = HatKind::country;
  for (const std::string_view country : split(inside, ',')) {
    std::string code = lower(trim(country));
    if (code.size() != 2 || code.find_first_not_of("abcdefghijklmnopqrstuvwxyz") != std::string::npos)
      return "names no country; write its two letters (ISO 3166), as country[DE] or country[DE,FR]";
    std::transform(code.begin(), code.end(), code.begin(),
                   [](char c) { return static_cast<char>(c - 'a' + 'A'); });
    entry.values.push_back(std::move(code));
  }
  return {};
}

std::string take_bracketed(std::string_view word, size_t bracket, HatEntry& entry) {
  if (!word.ends_with(']')) return "is not closed; put a ] behind it";
  const std::string_view name = word.substr(0, bracket);
  const std::string_view inside = trim(word.substr(bracket + 1, word.size() - bracket - 2));
  if (equal_ignoring_case(name, "sbrs")) return take_scores(inside, entry);
  if (equal_ignoring_case(name, "dnslist")) return take_list(inside, entry);
  if (equal_ignoring_case(name, "country")) return take_countries(inside, entry);
  return "is not known; " + std::string(kRemedy);
}

std::string take_name(std::string_view word, HatEntry& entry) {
  const bool below = word.starts_with('.');
  const Result<std::string> name = a_labels(below ? word.substr(1) : word);
  if (!name || !is_host_name(*name)) return "is not known; " + std::string(kRemedy);
  entry.kind = HatKind::name;
  entry.name = (below ? "." : "") + *name;
  return {};
}

std::string take(std::string_view word, HatEntry& entry) {
  for (const Word& known : kWords) {
    if (!equal_ignoring_case(known.word, word)) continue;
    entry.kind = known.kind;
    return {};
  }
  if (const size_t bracket = word.find('['); bracket != std::string_view::npos)
    return take_bracketed(word, bracket, entry);
  if (equal_ignoring_case(word.substr(0, 4), "SBO:") && parse_number(word.substr(4))) {
    entry.kind = HatKind::owner;
    return {};
  }
  const bool like_an_address = word.find(':') != std::string_view::npos ||
                               word.find_first_not_of("0123456789./-") == std::string_view::npos;
  if (!like_an_address) return take_name(word, entry);
  std::optional<std::vector<AddressPrefix>> networks = parse_networks(word);
  if (!networks)
    return "is no address, range or network; write 192.0.2.1, 192.0.2., 192.0.2.1-9, 192.0.2.0/24 or "
           "2001:db8::/32";
  entry.kind = HatKind::addresses;
  entry.networks = std::move(*networks);
  return {};
}

}  // namespace

Result<HatEntry> parse_hat_entry(std::string_view word) {
  HatEntry entry;
  entry.text = word;
  if (const std::string why = take(word, entry); !why.empty()) return permanent(why);
  return entry;
}

std::optional<int> parse_score(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const size_t dot = text.find('.');
  const std::optional<uint64_t> whole = text.size() <= 16 ? parse_number(text.substr(0, dot)) : std::nullopt;
  if (!whole || *whole > 10) return std::nullopt;
  int tenths = static_cast<int>(*whole) * 10;
  if (dot != std::string_view::npos) {
    const std::string_view rest = text.substr(dot + 1);
    if (!parse_number(rest)) return std::nullopt;
    tenths += rest[0] - '0';
  }
  if (tenths > kHighestScore) return std::nullopt;
  return negative ? -tenths : tenths;
}

std::string score_text(const std::optional<int>& tenths) {
  if (!tenths) return "None";
  const int size = *tenths < 0 ? -*tenths : *tenths;
  return (*tenths < 0 ? "-" : "") + std::to_string(size / 10) + "." + std::to_string(size % 10);
}

}  // namespace postern
