// How much a client, a sender and a user may do: the limits of the mail flow policy, counted by
// postern-rated. Only the messages of one connection are counted here. Nobody is asked where the policy sets
// no limit, and all passes while rated is away.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "receipt/decision.h"
#include "receipt/mail_flow_policy.h"
#include "receipt/rate_check.h"

namespace postern {

// Nothing: there is no answer.
using AskRates = std::function<std::optional<RateAnswer>(std::span<const RateCheck>)>;

constexpr std::string_view kRatesStep = "rates";

class Rates {
 public:
  // `policy` must outlive it; a policy without a name sets no limits at all. `ask`: RatedLine where empty.
  Rates(const MailFlowPolicy& policy, std::string_view ip, AskRates ask = {});

  // A connection begins; it is counted and holds its place until the session ends.
  Decision connection();
  // Somebody has said who he is.
  Decision authenticated(std::string_view user);
  // MAIL; `user` is empty where nobody has. What passes is counted.
  Decision message(std::string_view user);
  // RCPT, for a recipient that would be taken. What passes is counted.
  Decision recipient(std::string_view sender);
  // RCPT, before others are asked about the recipient: once recipient() has refused one in this connection,
  // what it would say of the next. Nothing is counted, and until then nobody is asked.
  Decision recipient_left(std::string_view sender);
  // RCPT, for one that was refused for good: whether it was one too many.
  Decision invalid_recipient();

 private:
  [[nodiscard]] bool limits() const { return !policy_.name.empty(); }
  Decision of_recipient(std::string_view sender, RateCheck::What what);
  Decision decide(std::span<const RateCheck> checks);
  [[nodiscard]] Decision refusal(const RateCheck& check, uint64_t count) const;
  [[nodiscard]] static bool is_exempt(std::string_view sender);
  const std::string& network();

  const MailFlowPolicy& policy_;
  std::string ip_;
  AskRates ask_;
  std::string network_;  // made when it is first needed
  bool had_recipient_over_ = false;
};

// control/senderrateexceptions: an address, "@domain" for all of a domain, "@.domain" for all below it.
bool sender_listed(std::string_view sender, std::span<const std::string> list);

}  // namespace postern
