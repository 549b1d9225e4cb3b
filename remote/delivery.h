// One delivery: the routes of its recipients, for each the hosts in order, a connection, the message; and the
// connection kept for the next message that goes the same way.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/altsrchost.h"
#include "lib/destinations.h"
#include "lib/environment.h"
#include "lib/log.h"
#include "lib/unsubscribe_list.h"
#include "remote/report.h"
#include "remote/routes.h"
#include "remote/set_aside.h"
#include "remote/settings.h"
#include "remote/smtp_transaction.h"
#include "remote/sts.h"
#include "remote/targets.h"
#include "remote/tls_demand.h"
#include "remote/tls_outcome.h"
#include "remote/tlsrpt_record.h"

namespace postern {

struct DeliveryOrder {
  std::string domain;  // the recipients'; or an address literal
  std::string route;   // as is_next_hop has it, instead of control/smtproutes; empty: none
  OutgoingMessage message;
  std::string mid;                // for the log
  std::vector<std::string> rids;  // beside the envelope's recipients
  Environment kept;               // what the gateway is chosen by (Gateways::choose), POSTERN_TLS_REQUIRED
};

class Deliverer {
 public:
  // `keep`: leave the connection open for the next delivery (a worker of rspawn). `set_aside` outlives it.
  Deliverer(RemoteSettings settings, bool keep, SetAside& set_aside);
  ~Deliverer();

  std::vector<RecipientResult> deliver(const DeliveryOrder& order);
  // For ServeOptions::between: closes the kept connection when it has been idle for 5 s; milliseconds until
  // then.
  int64_t close_idle();
  void close();
  [[nodiscard]] const RemoteSettings& settings() const { return settings_; }

 private:
  struct Attempt {
    bool reached = false;  // the server said something of the message
    Failure failure;       // otherwise
    std::vector<RecipientResult> results;
  };
  // How the recipients of one group go.
  struct Way {
    Route route;
    Gateway gateway;
    Destination destination;
    std::string key;  // two deliveries with one key may use one connection
  };
  std::vector<RecipientResult> deliver_group(const DeliveryOrder& order, const std::string& domain,
                                             const Route& route);
  Result<Way> find_way(const DeliveryOrder& order, const std::string& domain, const Route& route);
  [[nodiscard]] bool has_session_for(const Way& way);
  Result<std::vector<Target>> targets_in_order(const std::string& domain);
  [[nodiscard]] std::string aside_key(const Target& target) const;
  std::vector<RecipientResult> discard(const DeliveryOrder& order);
  std::vector<RecipientResult> try_targets(const DeliveryOrder& order, const std::string& domain,
                                           const std::vector<Target>& targets);
  TlsDemand find_demand(const std::string& domain, const Target& target, StsOfDelivery& sts,
                        DaneAnswers& dane);
  Result<void> open(const DeliveryOrder& order, const Target& target, const TlsDemand& demand);
  Result<void> connect(const DeliveryOrder& order, const Target& target);
  Result<void> greet(const DeliveryOrder& order, const Target& target);
  Result<void> secure(const DeliveryOrder& order, const Target& target, const TlsDemand& demand);
  Result<void> try_tls(const TlsDemand& demand);
  Result<void> refuse(const DeliveryOrder& order, const Target& target, const TlsDemand& demand);
  void note_outcome(const DeliveryOrder& order, const TlsOutcome& outcome);
  void report_session(const Target& target, const TlsFault& fault);
  Attempt transact(const DeliveryOrder& order);
  void send_again(const DeliveryOrder& order, TransactionEnd& end);
  bool open_without_chunking(const DeliveryOrder& order);
  bool note_no_chunking(const std::string& address);

  RemoteSettings settings_;
  bool keep_;
  SetAside& set_aside_;
  TableFile<RouteTable> routes_;
  TableFile<Gateways> gateways_;
  TableFile<Destinations> destinations_;
  UnsubscribeFile unsubscribed_{UnsubscribeList::Lines::hosts};
  Way way_;                          // of the delivery that is being made, and of session_
  std::unique_ptr<TlsContext> tls_;  // made at the first need; before session_, which uses it
  std::unique_ptr<SmtpSession> session_;
  TlsDemand session_demand_;
  std::optional<TlsRecord> session_record_;  // for the reports; without how it ended
  std::set<std::string> no_chunking_;        // addresses of servers whose BDAT does not work
  LogLines log_;
};

}  // namespace postern
