#include "ldapq/ldap_connection.h"

#include <lber.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <algorithm>
#include <array>

#include "lib/text.h"

namespace postern {

namespace {

constexpr ber_len_t kMessageLimitBytes = 1024 * 1024;
constexpr size_t kMostValues = 100;
constexpr ber_len_t kValueLimitBytes = 1000;
constexpr int kKeepaliveIdleSeconds = 60;
constexpr int kKeepaliveProbes = 3;
constexpr int kKeepaliveIntervalSeconds = 10;

struct FreeMessage {
  void operator()(LDAPMessage* message) const { ::ldap_msgfree(message); }
};
struct FreeValues {
  void operator()(berval** values) const { ::ldap_value_free_len(values); }
};
struct FreeText {
  void operator()(char* text) const { ::ldap_memfree(text); }
};

timeval seconds(unsigned number) {
  return {static_cast<time_t>(number), 0};
}

// Such an answer says that another server may do better. Everything that libldap makes up itself (negative)
// does, but for a filter that it cannot read.
bool is_lost(int code) {
  static constexpr std::array<int, 3> kCodes = {LDAP_BUSY, LDAP_UNAVAILABLE, LDAP_PROTOCOL_ERROR};
  return (code < 0 && code != LDAP_FILTER_ERROR && code != LDAP_PARAM_ERROR) ||
         std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

// The server has looked at the password, or at whose it is, and said no.
bool is_refusal(int code) {
  static constexpr std::array<int, 5> kCodes = {LDAP_INVALID_CREDENTIALS, LDAP_INAPPROPRIATE_AUTH,
                                                LDAP_INSUFFICIENT_ACCESS, LDAP_NO_SUCH_OBJECT,
                                                LDAP_CONSTRAINT_VIOLATION};
  return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

int scope_number(LdapServer::Scope scope) {
  if (scope == LdapServer::Scope::base) return LDAP_SCOPE_BASE;
  return scope == LdapServer::Scope::one ? LDAP_SCOPE_ONELEVEL : LDAP_SCOPE_SUBTREE;
}

// libldap copies what it is given; its interface has no const.
char* unconst(const std::string& text) {
  return const_cast<char*>(text.c_str());
}

}  // namespace

Failure LdapConnection::failed(const std::string& doing, int code) {
  lost_ = lost_ || is_lost(code);
  std::string why = ::ldap_err2string(code);
  char* more = nullptr;
  if (::ldap_get_option(ldap_.get(), LDAP_OPT_DIAGNOSTIC_MESSAGE, &more) == LDAP_OPT_SUCCESS &&
      more != nullptr) {
    const std::unique_ptr<char, FreeText> text(more);
    // What libldap has no words for behind a handshake that went well.
    const bool wordless = std::string_view(more).find("unknown error code") != std::string_view::npos;
    if (*more != '\0')
      why += wordless ? " (is the certificate one for this name?)" : " (" + printable(more, 300) + ")";
  }
  return temporary(doing + ": " + why, 111);
}

Result<LdapConnection> LdapConnection::open(const std::string& uri, const LdapServer& server,
                                            const std::string& password) {
  LDAP* ldap = nullptr;
  const int made = ::ldap_initialize(&ldap, uri.c_str());
  if (made != LDAP_SUCCESS) return temporary("use " + uri + ": " + ::ldap_err2string(made), 111);
  LdapConnection connection;
  connection.ldap_.reset(ldap);
  const int version = LDAP_VERSION3;
  const timeval limit = seconds(server.connect_seconds);
  ::ldap_set_option(ldap, LDAP_OPT_PROTOCOL_VERSION, &version);
  ::ldap_set_option(ldap, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);  // we would bind to whom a server names
  ::ldap_set_option(ldap, LDAP_OPT_RESTART, LDAP_OPT_ON);
  ::ldap_set_option(ldap, LDAP_OPT_NETWORK_TIMEOUT, &limit);  // to connect, and for a handshake of TLS
  ::ldap_set_option(ldap, LDAP_OPT_TIMEOUT, &limit);          // for answers to StartTLS and bind
  ::ldap_set_option(ldap, LDAP_OPT_X_KEEPALIVE_IDLE, &kKeepaliveIdleSeconds);
  ::ldap_set_option(ldap, LDAP_OPT_X_KEEPALIVE_PROBES, &kKeepaliveProbes);
  ::ldap_set_option(ldap, LDAP_OPT_X_KEEPALIVE_INTERVAL, &kKeepaliveIntervalSeconds);
  if (Result<void> done = connection.secure(uri, server); !done) return done.failure();
  Result<bool> bound = true;
  if (server.bind_dn.empty()) {  // also makes the connection
    berval none{0, nullptr};
    const int code = ::ldap_sasl_bind_s(ldap, "", LDAP_SASL_SIMPLE, &none, nullptr, nullptr, nullptr);
    if (code != LDAP_SUCCESS) return connection.failed("connect", code);
  } else {
    bound = connection.bind(server.bind_dn, password);
  }
  if (!bound) return bound.failure();
  if (!*bound) return temporary("bind as " + printable(server.bind_dn, 200) + ": the server refuses it", 111);
  Sockbuf* socket = nullptr;
  ber_len_t most = kMessageLimitBytes;
  if (::ldap_get_option(ldap, LDAP_OPT_SOCKBUF, &socket) == LDAP_OPT_SUCCESS && socket != nullptr)
    ::ber_sockbuf_ctrl(socket, LBER_SB_OPT_SET_MAX_INCOMING, &most);
  return connection;
}

Result<void> LdapConnection::secure(const std::string& uri, const LdapServer& server) {
  const bool from_the_start = uri.starts_with("ldaps://");
  if (uri.starts_with("ldapi://")) return {};
  if (!from_the_start && server.tls == LdapServer::Tls::off) return {};
  struct stat status {};
  if (::stat(server.ca.c_str(), &status) < 0)
    return temporary("use the CA certificates " + server.ca + ": they are not there", 111);
  const int demand = LDAP_OPT_X_TLS_DEMAND;  // a chain to our CAs, and the host's name
  const int version = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
  const int client = 0;
  ::ldap_set_option(ldap_.get(), LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
  ::ldap_set_option(ldap_.get(), LDAP_OPT_X_TLS_PROTOCOL_MIN, &version);
  ::ldap_set_option(ldap_.get(),
                    S_ISDIR(status.st_mode) ? LDAP_OPT_X_TLS_CACERTDIR : LDAP_OPT_X_TLS_CACERTFILE,
                    server.ca.c_str());
  if (::ldap_set_option(ldap_.get(), LDAP_OPT_X_TLS_NEWCTX, &client) != LDAP_OPT_SUCCESS)
    return temporary("use the CA certificates " + server.ca + ": libldap cannot load them", 111);
  if (from_the_start) return {};
  const int code = ::ldap_start_tls_s(ldap_.get(), nullptr, nullptr);
  if (code != LDAP_SUCCESS) return failed("begin TLS", code);
  return {};
}

Result<bool> LdapConnection::bind(const std::string& dn, const std::string& password) {
  if (password.empty() || dn.empty()) return false;
  berval credentials{password.size(), unconst(password)};
  const int code =
      ::ldap_sasl_bind_s(ldap_.get(), dn.c_str(), LDAP_SASL_SIMPLE, &credentials, nullptr, nullptr, nullptr);
  if (code == LDAP_SUCCESS) return true;
  if (is_refusal(code)) return false;
  return failed("bind", code);
}

Result<LdapEntries> LdapConnection::search(const LdapSearch& search, unsigned timeout_seconds) {
  std::vector<char*> names;
  for (const std::string& name : search.attributes) names.push_back(unconst(name));
  static std::array<char, 4> no_attributes{LDAP_NO_ATTRS};
  if (names.empty()) names.push_back(no_attributes.data());
  names.push_back(nullptr);
  timeval limit = seconds(timeout_seconds);
  LDAPMessage* raw = nullptr;
  const int code =
      ::ldap_search_ext_s(ldap_.get(), search.base.c_str(), scope_number(search.scope), search.filter.c_str(),
                          names.data(), 0, nullptr, nullptr, &limit, search.most_entries, &raw);
  const std::unique_ptr<LDAPMessage, FreeMessage> result(raw);
  const bool more = code == LDAP_SIZELIMIT_EXCEEDED;
  if (code != LDAP_SUCCESS && !more) return failed("search", code);
  LdapEntries found;
  found.more = more;
  for (LDAPMessage* entry = ::ldap_first_entry(ldap_.get(), result.get()); entry != nullptr;
       entry = ::ldap_next_entry(ldap_.get(), entry)) {
    found.entries.push_back(entry_of(entry, search));
  }
  return found;
}

LdapEntry LdapConnection::entry_of(LDAPMessage* message, const LdapSearch& search) const {
  LdapEntry entry;
  if (const std::unique_ptr<char, FreeText> dn(::ldap_get_dn(ldap_.get(), message)); dn) entry.dn = dn.get();
  for (const std::string& name : search.attributes) {
    const std::unique_ptr<berval*, FreeValues> values(
        ::ldap_get_values_len(ldap_.get(), message, name.c_str()));
    const int count = values ? ::ldap_count_values_len(values.get()) : 0;
    for (int i = 0; i < count && entry.values[name].size() < kMostValues; ++i) {
      const berval& value = *values.get()[i];
      if (value.bv_len <= kValueLimitBytes) entry.values[name].emplace_back(value.bv_val, value.bv_len);
    }
  }
  return entry;
}

}  // namespace postern
