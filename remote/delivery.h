// One delivery: the route of the domain, its hosts in order, a connection, the message; and the connection
// kept for the next message to the same next hop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/destinations.h"
#include "lib/log.h"
#include "lib/serve.h"
#include "lib/unsubscribe_list.h"
#include "remote/destination_file.h"
#include "remote/report.h"
#include "remote/routes.h"
#include "remote/settings.h"
#include "remote/smtp_transaction.h"
#include "remote/tls_demand.h"
#include "remote/tls_outcome.h"
#include "remote/tlsrpt_record.h"

namespace postern {

struct DeliveryOrder {
  std::string domain;  // the recipients'; or an address literal
  std::string route;   // HOST or HOST:PORT instead of control/smtproutes; empty: none
  OutgoingMessage message;
  std::string mid;                // for the log
  std::vector<std::string> rids;  // beside the envelope's recipients
};

class Deliverer {
 public:
  // `keep`: leave the connection open for the next delivery (a worker of rspawn).
  Deliverer(RemoteSettings settings, bool keep);
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
  Result<std::string> next_hop(const DeliveryOrder& order, const std::string& domain, Route& route);
  std::vector<RecipientResult> try_targets(const DeliveryOrder& order, const std::string& hop_domain,
                                           const std::vector<Target>& targets);
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
  RouteFile routes_;
  DestinationFile destinations_;
  UnsubscribeFile unsubscribed_{UnsubscribeList::Lines::hosts};
  std::unique_ptr<TlsContext> tls_;  // made at the first need; before session_, which uses it
  std::unique_ptr<SmtpSession> session_;
  std::string session_hop_;  // the next hop that session_ is for
  Destination session_destination_;
  TlsDemand session_demand_;
  std::optional<TlsRecord> session_record_;  // for the reports; without how it ended
  std::set<std::string> no_chunking_;        // addresses of servers whose BDAT does not work
  LogLines log_;
};

// The arguments HOST SENDER RECIPIENT…, the message at descriptor 0, the extras at 5 where POSTERN_EXTRAS
// says so, POSTERN_MID and POSTERN_RIDS of a request; appends the reports. 100 for what is no request.
int run_delivery_job(Job& job, Deliverer& deliverer, std::string& output);

}  // namespace postern
