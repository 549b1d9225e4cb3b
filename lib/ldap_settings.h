// control/ldap: the directory servers, and the queries that are put to them. A line is a word and, to its
// end, the word's value (a base or a filter may have blanks); a section begins with "server", "query",
// "chain" or "domains" and ends where the next one begins.
//
//   cache 10000
//   server main
//   uri ldap://dc1.example.org ldaps://dc2.example.org
//   base ou=people,dc=example,dc=org
//   query people accept main
//   filter (|(mail={a})(proxyAddresses=smtp:{a}))
//   chain everybody accept
//   try people
//   try guests
//   active everybody
//
// Pure: it reads no other file and knows no libldap.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/ldap_filter.h"
#include "lib/result.h"

namespace postern {

enum class LdapKind { accept, routing, masquerade, group, smtpauth, externalauth, isqauth, isqalias };
std::string_view ldap_kind_name(LdapKind kind);
// Cisco's names too: ldapaccept, ldaprouting, ldapgroup.
std::optional<LdapKind> ldap_kind(std::string_view name);
// Queries whose answer is that a password is right.
bool is_password_kind(LdapKind kind);

struct LdapServer {
  enum class Tls { starttls, off };
  enum class Type { openldap, active_directory };
  enum class Scope { base, one, sub };
  size_t line = 0;
  std::vector<std::string> uris{};    // in the order in which they are tried
  Type type = Type::openldap;         // decides about filters that are not given
  Tls tls = Tls::starttls;            // of ldap://; ldaps:// always is TLS, and ldapi:// never
  std::string ca = "/etc/ssl/certs";  // directory or file
  std::string bind_dn{};              // empty: anonymous
  std::string password_file{};        // in the directory of secrets
  std::string base{};
  Scope scope = Scope::sub;
  unsigned connect_seconds = 5;   // for a connection, with TLS and bind: each step
  unsigned timeout_seconds = 10;  // for an answer
  unsigned retry_seconds =
      10;                      // a server that failed is left alone for so long, then longer, up to 5 minutes
  unsigned age_seconds = 900;  // for which an answer is kept
  unsigned negative_age_seconds = 900;  // the same for "no"
  // What becomes of a recipient where no server answers: "accept", "defer", or the reply.
  std::string away = "defer";
};

struct LdapQuery {
  size_t line = 0;
  LdapKind kind = LdapKind::accept;
  std::string server{};
  LdapFilter filter{};
  std::optional<LdapFilter> dn_filter{};  // finds the entry whose name is {dn}
  std::string base{};                     // after parsing: the server's where the query has none
  LdapServer::Scope scope = LdapServer::Scope::sub;
  std::string host_attribute{};
  std::string address_attribute{};
};

struct LdapChain {
  size_t line = 0;
  LdapKind kind = LdapKind::accept;
  std::vector<std::string> queries{};
};

struct LdapDomains {
  size_t line = 0;
  LdapKind kind = LdapKind::accept;
  std::vector<std::pair<std::string, std::string>> domains{};  // "example.org" or ".example.org", query
  std::string otherwise{};                                     // a query, "yes" (accept alone) or "no"
  // The query for a recipient's domain; the longest entry wins.
  [[nodiscard]] const std::string& query_for(std::string_view domain) const;
};

struct LdapSettings {
  size_t cache_entries = 10000;
  std::map<std::string, LdapServer, std::less<>> servers{};
  std::map<std::string, LdapQuery, std::less<>> queries{};
  std::map<std::string, LdapChain, std::less<>> chains{};
  std::map<std::string, LdapDomains, std::less<>> domains{};
  std::map<LdapKind, std::string> active{};  // what a kind's questions are put to

  // Failures name `file_name` and the line.
  static Result<LdapSettings> parse(std::string_view text, std::string_view file_name);

  [[nodiscard]] std::optional<LdapKind> kind_of(std::string_view name) const;
  [[nodiscard]] bool has(LdapKind kind) const;                // a query, chain or domains of it
  [[nodiscard]] size_t line_of(std::string_view name) const;  // 0: there is none
};

}  // namespace postern
