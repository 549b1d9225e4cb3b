// Filters of LDAP queries with tokens in them (RFC 4515), as control/ldap has them:
//
//   (|(mail={a})(proxyAddresses=smtp:{a}))
//
// The form is checked once, when the filter is read; a token stands in the place of a value or of a part of
// one and nowhere else, and what is put there is escaped byte by byte. So no address, password or group
// changes the form of a filter, whatever bytes it has.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"

namespace postern {

enum class LdapToken { address, domain, user, dn, group, sender };

// What the tokens stand for. The domain and the user are parts of the address.
struct LdapValues {
  std::string address{};  // {a}; {d} behind its last @, {u} before it
  std::string dn{};       // {dn}
  std::string group{};    // {g}
  std::string sender{};   // {f}
  [[nodiscard]] std::string get(LdapToken token) const;
};

// Everything but A-Z, a-z, 0-9 and -_.@+ as \HH: RFC 4515 3 lets any byte be written so.
std::string escape_ldap_value(std::string_view bytes);

class LdapFilter {
 public:
  LdapFilter() = default;
  // Failures (temporary) say what is wrong, without file and line.
  static Result<LdapFilter> parse(std::string_view text);

  [[nodiscard]] bool uses(LdapToken token) const;
  [[nodiscard]] const std::string& text() const { return text_; }
  // Nothing where a token is empty beside a *: "{u}*" would match everybody then.
  [[nodiscard]] std::optional<std::string> expand(const LdapValues& values) const;

 private:
  friend class LdapFilterReader;
  struct Piece {
    std::string literal;
    std::optional<LdapToken> token{};  // behind the literal
    bool beside_star = false;          // the token's value has a * in it
  };
  std::string text_;
  std::vector<Piece> pieces_;
};

}  // namespace postern
