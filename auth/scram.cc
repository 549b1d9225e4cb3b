#include "auth/scram.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "lib/base64.h"
#include "lib/secret.h"
#include "lib/text.h"

namespace postern::auth {

namespace {

constexpr std::string_view kScheme = "SCRAM-SHA-256$";
constexpr size_t kMostNonceBytes = 512;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// saslname (RFC 5802, 7): "=2C" is a comma, "=3D" an equals sign, and neither stands there itself.
std::optional<std::string> decode_name(std::string_view text) {
  std::string name;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      name += text[i];
    } else if (const std::string_view escape = text.substr(i, 3); escape == "=2C" || escape == "=3D") {
      name += escape == "=2C" ? ',' : '=';
      i += 2;
    } else {
      return std::nullopt;
    }
  }
  if (name.empty()) return std::nullopt;
  return name;
}

// Printable but for the comma.
bool is_nonce(std::string_view text) {
  return !text.empty() && text.size() <= kMostNonceBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f && c != ','; });
}

// Takes "X=value" and the comma behind it off the front.
std::optional<std::string_view> take_attribute(std::string_view& text, char name) {
  if (text.size() < 2 || text[0] != name || text[1] != '=') return std::nullopt;
  const size_t comma = std::min(text.find(','), text.size());
  const std::string_view value = text.substr(2, comma - 2);
  text.remove_prefix(std::min(comma + 1, text.size()));
  return value;
}

}  // namespace

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::array<unsigned char, kKeyBytes> digest{};
  unsigned length = 0;
  ::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(), digest.data(),
         &length);
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string sha256(std::string_view text) {
  std::array<unsigned char, kKeyBytes> digest{};
  ::SHA256(bytes_of(text), text.size(), digest.data());
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::optional<ScramVerifier> make_verifier(std::string_view password, std::string_view salt,
                                           uint32_t iterations) {
  std::string salted(kKeyBytes, '\0');
  const bool made = ::PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), bytes_of(salt),
                                        static_cast<int>(salt.size()), static_cast<int>(iterations),
                                        ::EVP_sha256(), static_cast<int>(salted.size()),
                                        reinterpret_cast<unsigned char*>(salted.data())) == 1;
  if (!made) return std::nullopt;
  std::string client_key = hmac_sha256(salted, "Client Key");
  ScramVerifier verifier{.iterations = iterations,
                         .salt = std::string(salt),
                         .stored_key = sha256(client_key),
                         .server_key = hmac_sha256(salted, "Server Key")};
  wipe(client_key);
  wipe(salted);
  return verifier;
}

std::string verifier_text(const ScramVerifier& verifier) {
  return std::string(kScheme) + std::to_string(verifier.iterations) + ":" + base64(verifier.salt) + "$" +
         base64(verifier.stored_key) + ":" + base64(verifier.server_key);
}

std::optional<ScramVerifier> parse_verifier(std::string_view text) {
  if (!text.starts_with(kScheme)) return std::nullopt;
  text.remove_prefix(kScheme.size());
  const std::vector<std::string_view> halves = split(text, '$');
  if (halves.size() != 2) return std::nullopt;
  const std::vector<std::string_view> costs = split(halves[0], ':');
  const std::vector<std::string_view> keys = split(halves[1], ':');
  if (costs.size() != 2 || keys.size() != 2) return std::nullopt;
  const std::optional<uint64_t> iterations = parse_number(costs[0]);
  const std::optional<std::string> salt = from_base64(costs[1]);
  const std::optional<std::string> stored = from_base64(keys[0]);
  const std::optional<std::string> server = from_base64(keys[1]);
  if (!iterations || *iterations < kLeastIterations || *iterations > kMostIterations) return std::nullopt;
  if (!salt || salt->empty() || salt->size() > kMostSaltBytes || !stored || stored->size() != kKeyBytes ||
      !server || server->size() != kKeyBytes)
    return std::nullopt;
  return ScramVerifier{static_cast<uint32_t>(*iterations), *salt, *stored, *server};
}

std::optional<ClientFirst> parse_client_first(std::string_view message) {
  ClientFirst client;
  if (!message.starts_with("n,") && !message.starts_with("y,")) return std::nullopt;
  const size_t end = message.find(',', 2);
  if (end == std::string_view::npos) return std::nullopt;
  client.gs2_header = message.substr(0, end + 1);
  client.bare = message.substr(end + 1);
  if (std::string_view authzid = message.substr(2, end - 2); !authzid.empty()) {
    const std::optional<std::string> name =
        authzid.starts_with("a=") ? decode_name(authzid.substr(2)) : std::nullopt;
    if (!name && authzid != "a=") return std::nullopt;  // GNU SASL sends an empty one
    client.authzid = name.value_or("");
  }
  std::string_view rest = client.bare;
  const std::optional<std::string_view> user = take_attribute(rest, 'n');  // "m=", an extension, is no "n="
  const std::optional<std::string> name = user ? decode_name(*user) : std::nullopt;
  const std::optional<std::string_view> nonce = take_attribute(rest, 'r');
  if (!name || !nonce || !is_nonce(*nonce)) return std::nullopt;
  client.user = *name;
  client.nonce = *nonce;
  return client;
}

std::string server_first(const ClientFirst& client, std::string_view server_nonce,
                         const ScramVerifier& verifier) {
  return "r=" + client.nonce + std::string(server_nonce) + ",s=" + base64(verifier.salt) +
         ",i=" + std::to_string(verifier.iterations);
}

FinalCheck check_client_final(std::string_view gs2_header, std::string_view client_first_bare,
                              std::string_view server_first, std::string_view client_final,
                              const ScramVerifier& verifier) {
  const size_t proof_at = client_final.rfind(",p=");
  if (proof_at == std::string_view::npos) return {};
  const std::string_view without_proof = client_final.substr(0, proof_at);
  const std::optional<std::string> proof = from_base64(client_final.substr(proof_at + 3));
  std::string_view rest = without_proof;
  const std::optional<std::string_view> binding = take_attribute(rest, 'c');
  const std::optional<std::string_view> nonce = take_attribute(rest, 'r');
  std::string_view said = server_first;
  const std::optional<std::string_view> our_nonce = take_attribute(said, 'r');
  if (!proof || proof->size() != kKeyBytes || !binding || !nonce || !our_nonce) return {};
  // Both are no secrets, and a client that keeps to the RFC has them right whatever the password is.
  if (*binding != base64(gs2_header) || *nonce != *our_nonce) return {};
  const std::string message =
      std::string(client_first_bare) + "," + std::string(server_first) + "," + std::string(without_proof);
  std::string client_key = hmac_sha256(verifier.stored_key, message);
  for (size_t i = 0; i < kKeyBytes; ++i) client_key[i] = static_cast<char>(client_key[i] ^ (*proof)[i]);
  const bool right = equal_in_constant_time(sha256(client_key), verifier.stored_key);
  const std::string signature = hmac_sha256(verifier.server_key, message);
  wipe(client_key);
  return {.understood = true, .server_final = right ? std::optional("v=" + base64(signature)) : std::nullopt};
}

}  // namespace postern::auth
