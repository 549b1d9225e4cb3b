#include "auth/exchange.h"

#include "auth/prepare.h"
#include "lib/base64.h"
#include "lib/text.h"

namespace postern::auth {

namespace {

using Kind = Step::Kind;

// States begin with a word that says of which step they are: one of another mechanism is no state here.
constexpr std::string_view kLoginName = "login-name";
constexpr std::string_view kLoginPassword = "login-password ";
constexpr std::string_view kScramFinal = "scram-final ";

class Exchange {
 public:
  Exchange(const Key& key, const Checks& checks, uint64_t now) : key_(key), checks_(checks), now_(now) {}

  Step plain(const Secret* response) const {
    if (response == nullptr) return go_on("plain", "");
    const std::string_view message = response->view();
    const size_t first = message.find('\0');
    const size_t second = first == std::string_view::npos ? first : message.find('\0', first + 1);
    if (second == std::string_view::npos || message.find('\0', second + 1) != std::string_view::npos)
      return {.kind = Kind::not_understood};
    const std::string_view name = message.substr(first + 1, second - first - 1);
    return check(message.substr(0, first), name, message.substr(second + 1));
  }

  Step login(std::string_view state, const Secret* response) const {
    if (state.starts_with(kLoginPassword)) return check("", state.substr(kLoginPassword.size()), *response);
    // A client may give the name with the command.
    if (response == nullptr) return go_on(kLoginName, "Username:");
    if (response->empty() || response->view().size() > kMostNameBytes ||
        response->view().find('\0') != std::string_view::npos)
      return {.kind = Kind::not_understood};
    return go_on(std::string(kLoginPassword) + std::string(response->view()), "Password:");
  }

  Step scram(std::string_view state, const Secret* response) const {
    if (state.starts_with(kScramFinal)) return scram_final(state.substr(kScramFinal.size()), *response);
    if (response == nullptr) return go_on("scram", "");
    const std::optional<ClientFirst> client = parse_client_first(response->view());
    if (!client) return {.kind = Kind::not_understood};
    const std::optional<std::string> user = prepare_name(client->user);
    // A name that cannot be has a made-up salt as well.
    const std::string name = user.value_or(client->user);
    const std::optional<ScramVerifier> verifier = checks_.verifier(name);
    if (!verifier) return {.kind = Kind::unavailable};
    const std::string said = server_first(*client, checks_.nonce(), *verifier);
    return go_on(std::string(kScramFinal) + base64(client->gs2_header) + " " + base64(client->bare) + " " +
                     base64(said),
                 said);
  }

 private:
  Step go_on(std::string_view state, std::string_view challenge) const {
    return {.kind = Kind::go_on, .challenge = std::string(challenge), .state = key_.seal(state, now_)};
  }

  Step check(std::string_view authzid, std::string_view name, const Secret& password) const {
    return check(authzid, name, password.view());
  }

  // Nobody acts as another here: an authorisation identity has to be the user's own.
  Step check(std::string_view authzid, std::string_view name, std::string_view password) const {
    const std::optional<std::string> user = prepare_name(name);
    if (password.size() > kMostPasswordBytes || password.find('\0') != std::string_view::npos ||
        password.empty() || !user)
      return {.kind = Kind::refused, .user = std::string(name)};
    switch (checks_.password(*user, Secret(password))) {
      case Verdict::unavailable:
        return {.kind = Kind::unavailable, .user = *user};
      case Verdict::doubtful:
        return {.kind = Kind::doubtful, .user = *user};
      case Verdict::yes:
        if (authzid.empty() || prepare_name(authzid) == user)
          return {.kind = Kind::authenticated, .user = *user};
        break;
      case Verdict::no:
        break;
    }
    return {.kind = Kind::refused, .user = *user};
  }

  Step scram_final(std::string_view state, const Secret& response) const {
    const std::vector<std::string_view> parts = words(state);
    if (parts.size() != 3) return {.kind = Kind::not_understood};
    const std::string gs2_header = from_base64(parts[0]).value_or("");
    const std::string bare = from_base64(parts[1]).value_or("");
    const std::string said = from_base64(parts[2]).value_or("");
    const std::optional<ClientFirst> client = parse_client_first(gs2_header + bare);
    if (!client) return {.kind = Kind::not_understood};
    const std::optional<std::string> user = prepare_name(client->user);
    const std::optional<ScramVerifier> verifier = checks_.verifier(user.value_or(client->user));
    if (!verifier) return {.kind = Kind::unavailable};
    const FinalCheck final = check_client_final(gs2_header, bare, said, response.view(), *verifier);
    if (!final.understood) return {.kind = Kind::not_understood};
    const bool own = client->authzid.empty() || prepare_name(client->authzid) == user;
    if (!final.server_final || !user || !own)
      return {.kind = Kind::refused, .user = user.value_or(client->user)};
    return {.kind = Kind::authenticated, .user = *user, .challenge = *final.server_final};
  }

  const Key& key_;
  const Checks& checks_;
  uint64_t now_;
};

}  // namespace

Step take_step(const Key& key, const Checks& checks, std::string_view mechanism, std::string_view state,
               const Secret* response, uint64_t now_seconds) {
  std::optional<std::string> opened = std::string();
  if (!state.empty()) opened = key.open(state, now_seconds);
  // A state stands for a challenge, and whoever has one brings the response to it.
  if (!opened || (!state.empty() && response == nullptr)) return {.kind = Kind::not_understood};
  std::optional<Secret> decoded;
  if (response != nullptr) {
    const bool empty_initial = response->view() == "=" && state.empty();
    std::optional<std::string> bytes = from_base64(empty_initial ? "" : response->view());
    if (!bytes) return {.kind = Kind::not_understood};
    decoded = secret_from(*bytes);
  }
  const Secret* said = decoded ? &*decoded : nullptr;
  const Exchange exchange(key, checks, now_seconds);
  const auto is_of = [&](std::string_view word) { return opened->empty() || opened->starts_with(word); };
  if (equal_ignoring_case(mechanism, "PLAIN")) return is_of("plain") ? exchange.plain(said) : Step{};
  if (equal_ignoring_case(mechanism, "LOGIN"))
    return is_of("login-") ? exchange.login(*opened, said) : Step{};
  if (equal_ignoring_case(mechanism, "SCRAM-SHA-256"))
    return is_of("scram") ? exchange.scram(*opened, said) : Step{};
  return {.kind = Kind::unknown_mechanism};
}

}  // namespace postern::auth
