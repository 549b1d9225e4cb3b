// The steps of an AUTH exchange (RFC 4954; PLAIN of RFC 4616, LOGIN, SCRAM-SHA-256 of RFC 7677). Between two
// steps nothing is kept here: the client's side holds a sealed state, so a client that says nothing costs
// nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "auth/key.h"
#include "auth/scram.h"
#include "lib/secret.h"

namespace postern::auth {

enum class Verdict { yes, no, unavailable, doubtful };  // doubtful: one says no, another cannot tell

struct Step {
  enum class Kind {
    authenticated,
    go_on,           // say the challenge, and come back with the state and the client's response
    refused,         // the name or the password is wrong, and nobody learns which
    not_understood,  // this is no response of the mechanism
    unknown_mechanism,
    unavailable,  // it cannot be checked now
    doubtful,     // nor can it, and yet it counts as a failure: else whoever guesses would not be slowed
  };
  Kind kind = Kind::not_understood;
  std::string user{};       // authenticated; refused and doubtful, where it is known: for the log
  std::string challenge{};  // go_on; authenticated: what the server has to say last, or empty
  std::string state{};      // go_on
};

// What the steps need of the rest.
struct Checks {
  std::function<Verdict(const std::string& user, const Secret& password)> password;
  // Of a user, or one made up: it always answers. Nothing: the table cannot be read.
  std::function<std::optional<ScramVerifier>(const std::string& user)> verifier;
  std::function<std::string()> nonce;  // printable, unpredictable
};

// The client's `response` in base64 ("=" for an empty initial one); null: there is none yet. `state` is empty
// at the start.
Step take_step(const Key& key, const Checks& checks, std::string_view mechanism, std::string_view state,
               const Secret* response, uint64_t now_seconds);

}  // namespace postern::auth
