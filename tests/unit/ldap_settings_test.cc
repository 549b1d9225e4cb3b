#include "lib/ldap_settings.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace postern;

namespace {

constexpr std::string_view kServer = "server s\nuri ldap://127.0.0.1\nbase dc=x\n";

std::string problem(const std::string& text) {
  const Result<LdapSettings> settings = LdapSettings::parse(text, "control/ldap");
  return settings ? "none" : settings.failure().text;
}

}  // namespace

TEST_CASE("control/ldap: servers, queries, chains, domains") {
  const Result<LdapSettings> settings = LdapSettings::parse(
      "# a comment\n"
      "cache 500\n"
      "server main\n"
      "uri ldap://a.example:389 ldaps://b.example ldapi://%2frun%2fslapd\n"
      "tls off\nca /etc/ca.pem\nbind cn=Post  Ern,dc=x\npassword main\nbase ou=Our People,dc=x\n"
      "scope one\nconnect-timeout 2\ntimeout 3s\nretry 1m\nage 2h\nnegative-age 0\naway accept\ntype ad\n"
      "query a accept main\n"
      "query b ldapaccept main\nbase NONE\nscope sub\nfilter (cn=John Smith {u})\n"
      "chain c accept\ntry a\ntry b\n"
      "domains d accept\ndomain Example.org a\ndomain .example.org c\notherwise yes\n"
      "query r ldaprouting main\nfilter (m={a})\nhost-attribute mailHost\n"
      "query q isqauth main\n"
      "active d\n",
      "control/ldap");
  REQUIRE(settings);
  CHECK(settings->cache_entries == 500);
  const LdapServer& server = settings->servers.at("main");
  CHECK(server.uris.size() == 3);
  CHECK(server.bind_dn == "cn=Post  Ern,dc=x");
  CHECK(server.base == "ou=Our People,dc=x");
  CHECK(server.retry_seconds == 60);
  CHECK(server.age_seconds == 7200);
  CHECK(server.negative_age_seconds == 0);
  CHECK(server.away == "accept");
  const LdapQuery& a = settings->queries.at("a");
  CHECK(a.filter.text() == "(|(mail={a})(proxyAddresses=smtp:{a}))");
  CHECK(a.base == "ou=Our People,dc=x");
  CHECK(a.scope == LdapServer::Scope::one);
  const LdapQuery& b = settings->queries.at("b");
  CHECK(b.base.empty());
  CHECK(b.scope == LdapServer::Scope::sub);
  CHECK(b.filter.text() == "(cn=John Smith {u})");
  CHECK(settings->queries.at("q").filter.text() == "(sAMAccountName={u})");
  CHECK(settings->queries.at("q").address_attribute == "mail");
  CHECK(settings->active.at(LdapKind::accept) == "d");
  CHECK(settings->active.at(LdapKind::routing) == "r");
  const LdapDomains& domains = settings->domains.at("d");
  CHECK(domains.query_for("EXAMPLE.ORG") == "a");
  CHECK(domains.query_for("x.example.org") == "c");
  CHECK(domains.query_for("xexample.org") == "yes");
  CHECK(settings->kind_of("c") == LdapKind::accept);
  CHECK(settings->line_of("a") == 18);
}

TEST_CASE("several of a kind have no active one unless a line says so") {
  const Result<LdapSettings> settings =
      LdapSettings::parse(std::string(kServer) + "query a accept s\nquery b accept s\n", "f");
  REQUIRE(settings);
  CHECK(settings->active.empty());
  CHECK(settings->has(LdapKind::accept));
  CHECK_FALSE(settings->has(LdapKind::routing));
}

TEST_CASE("what becomes of a recipient while no server answers is a word or a reply") {
  const auto away = [](const std::string& line) {
    const Result<LdapSettings> settings = LdapSettings::parse(std::string(kServer) + line, "f");
    return settings ? settings->servers.at("s").away : "";
  };
  CHECK(away("") == "defer");
  CHECK(away("away defer\n") == "defer");
  CHECK(away("away 450 4.4.3 our directory rests\n") == "450 4.4.3 our directory rests");
  CHECK(away("away 550\n") == "550");
  for (const char* wrong : {"away 250 yes\n", "away later\n", "away 45\n", "away 450x\n",
                            "away 450 \xc3\xa4\n", "away 450 a\tb\n", "away accept it\n"}) {
    CAPTURE(wrong);
    CHECK(away(wrong).empty());
  }
}

TEST_CASE("what is wrong in control/ldap is said with its line") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"uri ldap://x\n", "line 1: \"uri\" stands before"},
      {"server\n", "line 1: \"server\" has no value"},
      {"server a b\n", "line 1: it is: server NAME"},
      {"server accept\n", "is no kind"},
      {"server s\nuri http://x\n", "line 2: uri http://x: it is one or more of"},
      {"server s\nuri ldap://x/dc=y\n", "line 2: uri"},
      {"server s\nuri ldap://x,ldap://y\n", "line 2: uri"},
      {"server s\n", "line 1: the server s has no line uri"},
      {std::string(kServer) + "bind cn=x\n", "line 1: the server s has one of bind and password"},
      {std::string(kServer) + "password ../x\n", "line 4: password"},
      {std::string(kServer) + "tls maybe\n", "line 4: tls maybe: it is one of starttls, off"},
      {std::string(kServer) + "timeout 0\n", "line 4: timeout"},
      {std::string(kServer) + "colour red\n", "line 4: \"colour\" is not known here; there are uri, "},
      {std::string(kServer) + "query q nothing s\n", "line 4: it is: query NAME KIND SERVER"},
      {std::string(kServer) + "query q accept t\n", "put to the server t, which is not here"},
      {std::string(kServer) + "query q accept s\nquery q accept s\n",
       "line 5: there is a query of that name"},
      {std::string(kServer) + "query q group s\n", "line 4: the query q has no line filter"},
      {std::string(kServer) + "query q accept s\nfilter (mail={a}\n", "line 5: filter (mail={a}: a \")\""},
      {std::string(kServer) + "query q accept s\nfilter (m={g})\n",
       "{g}, which is for queries of the kind group"},
      {std::string(kServer) + "query q group s\nfilter (m={f})\n", "{f}, which is for"},
      {std::string(kServer) + "query q group s\nfilter (m={dn})\n", "has one of {dn} and dn-filter"},
      {std::string(kServer) + "query q routing s\nfilter (m={a})\n", "has no line address-attribute"},
      {std::string(kServer) + "query q accept s\nhost-attribute x\n", "is no routing"},
      {std::string(kServer) + "query q masquerade s\nfilter (m={a})\naddress-attribute a=b\n", "line 6"},
      {std::string(kServer) + "chain c accept\n", "line 4: the chain c has no line try"},
      {std::string(kServer) + "query q group s\nfilter (m={a})\nchain c accept\ntry q\n",
       "no query of its kind"},
      {std::string(kServer) + "domains d accept\n", "otherwise yes"},
      {std::string(kServer) + "domains d group\notherwise yes\n", "yes is no query"},
      {std::string(kServer) + "active x\n", "line 4: there is no query"},
      {"cache lots\n", "line 1: it is a number"},
  };
  for (const auto& row : rows) {
    const auto& text = row.first;
    const auto& expected = row.second;
    CAPTURE(text);
    const std::string why = problem(text);
    CAPTURE(why);
    CHECK(why.starts_with("read control/ldap line "));
    CHECK(why.find(expected) != std::string::npos);
  }
}
