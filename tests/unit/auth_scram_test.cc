#include "auth/scram.h"

#include <doctest/doctest.h>

#include "lib/base64.h"

using namespace postern;
using namespace postern::auth;

namespace {

// RFC 7677, 3: user "user", password "pencil".
constexpr const char* kClientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr const char* kServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr const char* kServerFirst =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr const char* kClientFinal =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr const char* kServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

ScramVerifier verifier(std::string_view password = "pencil") {
  const std::optional<ScramVerifier> made =
      make_verifier(password, *from_base64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
  REQUIRE(made.has_value());
  return *made;
}

}  // namespace

TEST_CASE("the exchange of RFC 7677 comes out as it stands there") {
  const std::optional<ClientFirst> client = parse_client_first(kClientFirst);
  REQUIRE(client.has_value());
  CHECK(client->user == "user");
  CHECK(server_first(*client, kServerNonce, verifier()) == kServerFirst);
  const FinalCheck check =
      check_client_final(client->gs2_header, client->bare, kServerFirst, kClientFinal, verifier());
  CHECK(check.understood);
  CHECK(check.server_final == kServerFinal);
}

TEST_CASE("another password, another message or another nonce proves nothing") {
  const ClientFirst client = *parse_client_first(kClientFirst);
  const FinalCheck other =
      check_client_final("n,,", client.bare, kServerFirst, kClientFinal, verifier("pen"));
  CHECK(other.understood);
  CHECK_FALSE(other.server_final.has_value());
  const std::string final = kClientFinal;
  const std::string changed[] = {
      "c=eSws" + final.substr(6),                   // "y,," was said to have been sent
      final.substr(0, 9) + "x" + final.substr(10),  // another nonce
      final.substr(0, final.find(",p=")),           // no proof
      final.substr(0, final.size() - 4),            // cut
      final + "=",                                  //
      "",                                           //
      ",p=",                                        //
      final.substr(final.find(",p=")),              //
  };
  for (const std::string& message : changed) {
    CAPTURE(message);
    CHECK_FALSE(check_client_final("n,,", client.bare, kServerFirst, message, verifier()).understood);
  }
  const FinalCheck bare =
      check_client_final("n,,", "n=other,r=rOprNGfwEbeRWgbNEkqO", kServerFirst, kClientFinal, verifier());
  CHECK_FALSE(bare.server_final.has_value());
}

TEST_CASE("the client's first message is taken apart or refused") {
  struct Row {
    const char* message;
    const char* user;  // null: refused
    const char* authzid = "";
  };
  for (const Row& row :
       {Row{"n,,n=u,r=abc", "u"}, Row{"y,,n=u,r=abc", "u"}, Row{"n,a=boss,n=u,r=abc", "u", "boss"},
        Row{"n,a=,n=u,r=abc", "u"}, Row{"n,,n=a=2Cb=3Dc,r=x", "a,b=c"}, Row{"n,,n=u,r=abc,x=later", "u"},
        Row{"p=tls-unique,,n=u,r=abc", nullptr}, Row{"n,,m=ext,n=u,r=abc", nullptr},
        Row{"n,,n=a=2cb,r=x", nullptr}, Row{"n,,n=,r=x", nullptr}, Row{"n,,n=u,r=", nullptr},
        Row{"n,,n=u", nullptr}, Row{"n,n=u,r=x", nullptr}, Row{"n,b=c,n=u,r=x", nullptr}, Row{"", nullptr},
        Row{"n,", nullptr}, Row{"n,,n=u,r=a\x01", nullptr}, Row{"n,,r=x,n=u", nullptr}}) {
    CAPTURE(row.message);
    const std::optional<ClientFirst> client = parse_client_first(row.message);
    CHECK(client.has_value() == (row.user != nullptr));
    if (client && row.user != nullptr) {
      CHECK(client->user == row.user);
      CHECK(client->authzid == row.authzid);
    }
  }
}

TEST_CASE("a verifier is written and read") {
  const ScramVerifier made = verifier();
  CHECK(parse_verifier(verifier_text(made)) == made);
  CHECK(verifier_text(made).find("pencil") == std::string::npos);
  for (const char* text : {"", "SCRAM-SHA-256$4096:YQ==$a:b", "SCRAM-SHA-256$4095:YQ==$", "x",
                           "SCRAM-SHA-256$4096:YQ==", "SCRAM-SHA-256$99999999999:YQ==$YQ==:YQ=="}) {
    CAPTURE(text);
    CHECK_FALSE(parse_verifier(text).has_value());
  }
}
