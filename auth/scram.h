// SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's side, without channel binding. Messages in, messages out:
// nothing here knows a user table or a connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::auth {

constexpr uint32_t kLeastIterations = 4096;  // RFC 7677, 4
constexpr uint32_t kMostIterations = 10000000;
constexpr uint32_t kIterations = 65536;  // of what we make: the client's work, and that of a guesser
constexpr size_t kSaltBytes = 16;
constexpr size_t kMostSaltBytes = 64;
constexpr size_t kKeyBytes = 32;

// What a server keeps in place of a password; whoever has it can pose as the server, not as the user.
struct ScramVerifier {
  uint32_t iterations = kIterations;
  std::string salt;
  std::string stored_key;
  std::string server_key;
  bool operator==(const ScramVerifier&) const = default;
};
// `password` as prepare_password() gives it. Nothing when the library fails.
std::optional<ScramVerifier> make_verifier(std::string_view password, std::string_view salt,
                                           uint32_t iterations);
// "SCRAM-SHA-256$65536:SALT$STORED-KEY:SERVER-KEY", the last three in base64 (the scheme of RFC 5803).
std::string verifier_text(const ScramVerifier& verifier);
std::optional<ScramVerifier> parse_verifier(std::string_view text);

std::string hmac_sha256(std::string_view key, std::string_view text);
std::string sha256(std::string_view text);

struct ClientFirst {
  std::string gs2_header;  // "n,," or "y,," or with an authorisation identity
  std::string authzid;     // decoded; empty: none
  std::string bare;
  std::string user;  // decoded
  std::string nonce;
};
// Nothing when it is malformed or asks for channel binding or an extension that we do not know.
std::optional<ClientFirst> parse_client_first(std::string_view message);

std::string server_first(const ClientFirst& client, std::string_view server_nonce,
                         const ScramVerifier& verifier);

// The server's last message ("v=..."), when the client's proves that it knows the password. Takes as long for
// a wrong proof as for a right one.
struct FinalCheck {
  bool understood = false;
  std::optional<std::string> server_final;
};
FinalCheck check_client_final(std::string_view gs2_header, std::string_view client_first_bare,
                              std::string_view server_first, std::string_view client_final,
                              const ScramVerifier& verifier);

}  // namespace postern::auth
