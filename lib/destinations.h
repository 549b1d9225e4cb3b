// control/destinations: how mail for a destination is delivered (the destination controls of Cisco's AsyncOS,
// with its names). One line a destination:
//
//   DEFAULT      max_host_concurrency=200 table_tls=dane
//   example.org  max_host_concurrency=5 recipient_limit=100 recipient_minutes=10
//   .example.net table_tls=secure bounce_profile=patient
//
// DEFAULT holds for all, and changes what the others inherit; a domain for itself, ".domain" for everything
// below it. What a line does not say is DEFAULT's, or built in.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/result.h"

namespace postern {

// As in Postfix's smtp_tls_security_level; Cisco's off, on, required and verify are taken too.
enum class TlsLevel { off, may, encrypt, dane, dane_only, verify, secure };

enum class IpSort { prefer_v6, require_v6, prefer_v4, require_v4, as_configured };
enum class LimitType { host, mx_ip };  // counted for the domain, or for each address of its hosts
enum class LimitApply { system, virtual_gateway };  // counted for all, or for each source address

struct Destination {
  IpSort ip_sort_pref = IpSort::as_configured;  // control/ipfamilies
  unsigned max_host_concurrency = 500;
  unsigned max_messages_per_connection = 50;
  unsigned recipient_limit = 0;     // within recipient_minutes; 0: none
  unsigned recipient_minutes = 60;  // 1 to 60
  LimitType limit_type = LimitType::host;
  LimitApply limit_apply = LimitApply::system;
  bool bounce_validation = false;  // tag the envelope senders of what goes there
  TlsLevel table_tls = TlsLevel::dane;
  bool tls_report = false;     // deliver, but log what the policy would have deferred
  std::string certificate;     // the client certificate's name in secrets/; empty: none
  std::string bounce_profile;  // in control/bounceprofiles; empty: not said
};

class Destinations {
 public:
  // Only the built-in default.
  Destinations() = default;
  // The failure (temporary) names file, line and remedy.
  static Result<Destinations> parse(std::string_view text, std::string_view file_name);
  // control/destinations; the built-in default when it is missing.
  static Result<Destinations> read();

  // The domain's own line, else that of the nearest ".parent", else DEFAULT. Letter case is ignored.
  [[nodiscard]] const Destination& of(std::string_view domain) const;
  // The bounce profiles that lines name, each once.
  [[nodiscard]] std::vector<std::string> bounce_profiles() const;
  // Does any line count for addresses?
  [[nodiscard]] bool counts_addresses() const;

 private:
  Destination default_;
  std::unordered_map<std::string, Destination> named_;
};

std::string_view tls_level_name(TlsLevel level);
// One of the words that table_tls= takes; nothing for any other.
std::optional<TlsLevel> parse_tls_level(std::string_view word);

}  // namespace postern
