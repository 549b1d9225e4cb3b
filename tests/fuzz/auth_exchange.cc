// parts: auth/exchange.cc auth/scram.cc auth/key.cc auth/prepare.cc
// libs: -lcrypto -lunistring
// Whole exchanges of hostile responses: lines, the first is the mechanism, each further one a response; one
// that begins with "S" has the state given instead of the one that was handed out. Who authenticates has said
// the password, or its proof; nothing else that is said is more than a challenge.
#include "auth/exchange.h"

#include <cstdint>

#include "auth/prepare.h"
#include "lib/base64.h"
#include "lib/text.h"
#include "lib/utf8.h"
#include "tests/fuzz/must.h"

using namespace postern;
using namespace postern::auth;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<std::string_view> lines = split({reinterpret_cast<const char*>(data), size}, '\n');
  const Key key(std::string(32, 'k'));
  static const ScramVerifier kVerifier = *make_verifier("pencil", "0123456789abcdef", 4096);
  bool right = false;
  const Checks checks{.password =
                          [&](const std::string& user, const Secret& password) {
                            must(prepare_name(user) == user);
                            must(password.view().find('\0') == std::string_view::npos && !password.empty());
                            right = user == "alice" && password.view() == "pencil";
                            return right ? Verdict::yes : Verdict::no;
                          },
                      .verifier = [&](const std::string& user) -> std::optional<ScramVerifier> {
                        return user == "alice" ? kVerifier : key.made_up_verifier(user, 4096);
                      },
                      .nonce = [] { return std::string("server"); }};
  std::string state;
  for (size_t i = 1; i < lines.size() && i < 10; ++i) {
    std::string_view response = lines[i];
    if (response.starts_with('S')) state = response.substr(1);
    const Secret said(response);
    const Step step = take_step(key, checks, lines[0], state, &said, 1000);
    // Nobody finds a proof: only a password that was checked lets somebody in.
    must((step.kind == Step::Kind::authenticated) <= right);
    must(step.kind != Step::Kind::authenticated || step.user == "alice");
    for (const char c : step.state) must(c > 0x20 && c < 0x7f);
    must((step.kind == Step::Kind::go_on) == !step.state.empty());
    state = step.state;
    right = false;
  }
  return 0;
}
