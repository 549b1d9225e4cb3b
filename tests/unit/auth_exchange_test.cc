#include "auth/exchange.h"

#include <doctest/doctest.h>

#include "lib/base64.h"
#include "tests/unit/scratch.h"

using namespace postern;
using namespace postern::auth;

namespace {

constexpr uint64_t kNow = 1795000000;
const std::string kNul(1, '\0');

struct Server {
  Key key{std::string(32, 'k')};
  Verdict unless = Verdict::no;
  int asked = 0;
  Checks checks{.password =
                    [this](const std::string& user, const Secret& password) {
                      ++asked;
                      return user == "tim" && password.view() == "tanstaaftanstaaf" ? Verdict::yes : unless;
                    },
                .verifier = [this](const std::string& user) -> std::optional<ScramVerifier> {
                  if (user == "user")
                    return make_verifier("pencil", *from_base64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
                  return key.made_up_verifier(user, 4096);
                },
                .nonce = [] { return std::string("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"); }};

  Step say(std::string_view mechanism, std::string_view state, std::string_view bytes, uint64_t now = kNow) {
    const Secret response(base64(bytes));
    return take_step(key, checks, mechanism, state, &response, now);
  }
  Step raw(std::string_view mechanism, std::string_view state, std::string_view text) {
    const Secret response(text);
    return take_step(key, checks, mechanism, state, &response, kNow);
  }
  Step begin(std::string_view mechanism) { return take_step(key, checks, mechanism, "", nullptr, kNow); }
};

using Came = Step::Kind;

}  // namespace

TEST_CASE("PLAIN, with and without an initial response, as in RFC 4616") {
  Server server;
  const std::string right = kNul + "tim" + kNul + "tanstaaftanstaaf";
  const Step step = server.say("plain", "", right);
  CHECK(step.kind == Came::authenticated);
  CHECK(step.user == "tim");
  const Step begun = server.begin("PLAIN");
  CHECK(begun.kind == Came::go_on);
  CHECK(begun.challenge.empty());
  CHECK(server.say("PLAIN", begun.state, right).kind == Came::authenticated);
  struct Row {
    std::string response;
    Came kind;
  };
  for (const Row& row :
       {Row{kNul + "TIM" + kNul + "tanstaaftanstaaf", Came::authenticated},
        Row{"tim" + right, Came::authenticated}, Row{"Ursel" + right, Came::refused},
        Row{kNul + "tim" + kNul + "x", Came::refused}, Row{kNul + "tim" + kNul, Came::refused},
        Row{kNul + kNul + "x", Came::refused}, Row{kNul + "tim\r\n" + kNul + "x", Came::refused},
        Row{right + kNul, Came::not_understood}, Row{"tim", Came::not_understood},
        Row{"", Came::not_understood}, Row{kNul + "tim", Came::not_understood},
        Row{kNul + "tim" + kNul + std::string(5000, 'x'), Came::refused}}) {
    CAPTURE(row.response);
    CHECK(server.say("PLAIN", "", row.response).kind == row.kind);
  }
  server.unless = Verdict::unavailable;
  CHECK(server.say("PLAIN", "", kNul + "tim" + kNul + "x").kind == Came::unavailable);
}

TEST_CASE("LOGIN asks for the name, unless it came, and for the password") {
  Server server;
  const Step name = server.begin("LOGIN");
  CHECK(name.challenge == "Username:");
  const Step password = server.say("LOGIN", name.state, "tim");
  CHECK(password.challenge == "Password:");
  CHECK(server.say("LOGIN", password.state, "tanstaaftanstaaf").kind == Came::authenticated);
  CHECK(server.say("LOGIN", password.state, "wrong").kind == Came::refused);
  CHECK(server.say("LOGIN", server.say("LOGIN", "", "tim").state, "tanstaaftanstaaf").kind ==
        Came::authenticated);
  CHECK(server.say("LOGIN", name.state, "").kind == Came::not_understood);
}

TEST_CASE("SCRAM-SHA-256 of RFC 7677, and names that nobody has") {
  Server server;
  const Step first = server.say("SCRAM-SHA-256", "", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
  CHECK(first.challenge ==
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
  const std::string final =
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
      "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
  const Step last = server.say("SCRAM-SHA-256", first.state, final);
  CHECK(last.kind == Came::authenticated);
  CHECK(last.user == "user");
  CHECK(last.challenge == "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");

  const auto salt = [&](const std::string& user) {
    const std::string said = server.say("SCRAM-SHA-256", "", "n,,n=" + user + ",r=abc").challenge;
    return said.substr(said.find(",s="));
  };
  CHECK(salt("nobody") == salt("nobody"));
  CHECK(salt("nobody") == salt("NOBODY"));
  CHECK(salt("nobody") != salt("another"));
  CHECK(salt("nobody").size() == salt("user").size());
  const Step made_up = server.say("SCRAM-SHA-256", "", "n,,n=nobody,r=rOprNGfwEbeRWgbNEkqO");
  const Step refused = server.say("SCRAM-SHA-256", made_up.state, final);
  CHECK(refused.kind == Came::refused);
  CHECK(refused.user == "nobody");
}

TEST_CASE("a state is good for its own exchange, for some minutes, and not to be made by others") {
  Server server;
  const std::string state = server.say("LOGIN", "", "tim").state;
  const std::string password = "tanstaaftanstaaf";
  CHECK(server.say("LOGIN", state, password, kNow + Key::kStateSeconds).kind == Came::authenticated);
  CHECK(server.say("LOGIN", state, password, kNow + Key::kStateSeconds + 1).kind == Came::not_understood);
  CHECK(server.say("PLAIN", state, kNul + "tim" + kNul + password).kind == Came::not_understood);
  CHECK(server.say("SCRAM-SHA-256", state, "x").kind == Came::not_understood);
  const int before = server.asked;
  for (size_t i = 0; i < state.size(); ++i) {
    std::string forged = state;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    CHECK(server.say("LOGIN", forged, password).kind == Came::not_understood);
  }
  CHECK(server.asked == before);
  CHECK(take_step(server.key, server.checks, "LOGIN", state, nullptr, kNow).kind == Came::not_understood);
}

TEST_CASE("what is no base64 is understood as nothing") {
  Server server;
  for (const char* text : {"*", "AA=", "AAA", "A A=", "AAAA=", "====", "AB==", "\xff\xff\xff\xff", "=AAA"}) {
    CAPTURE(text);
    CHECK(server.raw("PLAIN", "", text).kind == Came::not_understood);
  }
  CHECK(server.raw("PLAIN", "", "=").kind == Came::not_understood);  // empty, and no PLAIN
  CHECK(server.begin("CRAM-MD5").kind == Came::unknown_mechanism);
  CHECK(server.begin("SCRAM-SHA-256-PLUS").kind == Came::unknown_mechanism);
}
