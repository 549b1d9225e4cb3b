#include "lib/ldap_filter.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kLimitBytes = 4096;
constexpr unsigned kDeepest = 32;  // brackets in brackets

constexpr std::array<std::pair<std::string_view, LdapToken>, 6> kTokens = {{{"{a}", LdapToken::address},
                                                                            {"{d}", LdapToken::domain},
                                                                            {"{u}", LdapToken::user},
                                                                            {"{dn}", LdapToken::dn},
                                                                            {"{g}", LdapToken::group},
                                                                            {"{f}", LdapToken::sender}}};

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_hexadecimal(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_attribute_byte(char c) {
  return is_letter_or_digit(c) || c == '-' || c == '.' || c == ';' || c == ':' || c == '_';
}

}  // namespace

// One pass over the text; each function leaves `rest_` behind what it has read, or says in `wrong_` why not.
class LdapFilterReader {
 public:
  explicit LdapFilterReader(std::string_view text) : rest_(text) {}

  Result<LdapFilter> read() {
    LdapFilter filter;
    filter.text_ = rest_;
    if (rest_.size() > kLimitBytes)
      return temporary("a filter has at most " + std::to_string(kLimitBytes) + " bytes");
    if (!node(0)) return temporary(wrong_);
    if (!rest_.empty()) return temporary("there is more behind its last bracket");
    if (!literal_.empty()) pieces_.push_back({.literal = std::move(literal_)});
    filter.pieces_ = std::move(pieces_);
    return filter;
  }

 private:
  bool fails(std::string why) {
    wrong_ = std::move(why);
    return false;
  }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    literal_ += c;
    rest_.remove_prefix(1);
    return true;
  }

  bool node(unsigned depth) {
    if (depth > kDeepest) return fails("its brackets are nested too deeply");
    if (!take('(')) return fails("where a filter begins there is no \"(\"");
    if (rest_.empty()) return fails("it ends behind a \"(\"");
    const char first = rest_.front();
    if (first == '!') {
      take('!');
      if (!node(depth + 1)) return false;
    } else if (first == '&' || first == '|') {
      take(first);
      do {
        if (!node(depth + 1)) return false;
      } while (!rest_.empty() && rest_.front() == '(');
    } else if (!item()) {
      return false;
    }
    return take(')') || fails("a \")\" is missing, or a bracket of a value is not written \\28 or \\29");
  }

  bool item() {
    const size_t end =
        static_cast<size_t>(std::find_if_not(rest_.begin(), rest_.end(), is_attribute_byte) - rest_.begin());
    const std::string_view name = rest_.substr(0, end);
    if (name.empty() || name.find_first_not_of(":;.") == std::string_view::npos)
      return fails("it has no attribute where there is \"" + printable(rest_, 20) + "\"");
    literal_ += name;
    rest_.remove_prefix(end);
    for (const char c : {'~', '<', '>'}) {
      if (take(c)) break;
    }
    return take('=') ? value() : fails("behind " + std::string(name) + " there is no \"=\"");
  }

  bool value() {
    const size_t first_piece = pieces_.size();
    bool star = false;
    while (!rest_.empty() && rest_.front() != ')') {
      const char c = rest_.front();
      if (c == '(') return fails("a bracket of a value is written \\28");
      if (c == '\0') return fails("it has a NUL byte");
      if (c == '{' || c == '}') {
        if (!token()) return false;
        continue;
      }
      if (c == '\\' && (rest_.size() < 3 || !is_hexadecimal(rest_[1]) || !is_hexadecimal(rest_[2])))
        return fails("behind a \\ there are two hexadecimal digits");
      star = star || c == '*';
      if (c == '*' && rest_.starts_with("**")) return fails("two * are one");
      take(c);
    }
    for (size_t i = first_piece; i < pieces_.size(); ++i) pieces_[i].beside_star = star;
    return true;
  }

  bool token() {
    for (const auto& [name, token] : kTokens) {
      if (!rest_.starts_with(name)) continue;
      pieces_.push_back({.literal = std::exchange(literal_, {}), .token = token});
      rest_.remove_prefix(name.size());
      return true;
    }
    return fails("\"" + printable(rest_, 8) +
                 "\" is none of {a}, {d}, {u}, {dn}, {g}, {f}; a brace of a value is \\7b or \\7d");
  }

  std::string_view rest_;
  std::string literal_;
  std::vector<LdapFilter::Piece> pieces_;
  std::string wrong_;
};

std::string LdapValues::get(LdapToken token) const {
  switch (token) {
    case LdapToken::address:
      return address;
    case LdapToken::domain:
      return address.substr(std::min(address.rfind('@'), address.size() - 1) + 1);
    case LdapToken::user:
      return std::string(local_part_of(address));
    case LdapToken::dn:
      return dn;
    case LdapToken::group:
      return group;
    case LdapToken::sender:
      return sender;
  }
  return {};
}

std::string escape_ldap_value(std::string_view bytes) {
  static constexpr std::string_view kSafe = "-_.@+";
  std::string escaped;
  for (const char c : bytes) {
    if (is_letter_or_digit(c) || kSafe.find(c) != std::string_view::npos) {
      escaped += c;
    } else {
      escaped.append("\\").append(hexadecimal(std::string_view(&c, 1)));
    }
  }
  return escaped;
}

Result<LdapFilter> LdapFilter::parse(std::string_view text) {
  return LdapFilterReader(text).read();
}

bool LdapFilter::uses(LdapToken token) const {
  return std::any_of(pieces_.begin(), pieces_.end(),
                     [&](const Piece& piece) { return piece.token == token; });
}

std::optional<std::string> LdapFilter::expand(const LdapValues& values) const {
  std::string filter;
  for (const Piece& piece : pieces_) {
    filter += piece.literal;
    if (!piece.token) continue;
    const std::string value = values.get(*piece.token);
    if (value.empty() && piece.beside_star) return std::nullopt;
    filter += escape_ldap_value(value);
  }
  return filter;
}

}  // namespace postern
