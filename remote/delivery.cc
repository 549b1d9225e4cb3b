#include "remote/delivery.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include "lib/child.h"
#include "lib/control.h"
#include "lib/idn.h"
#include "lib/mid.h"
#include "lib/text.h"
#include "remote/targets.h"
#include "remote/tls_context.h"
#include "remote/tls_findings.h"
#include "remote/tls_policy.h"

namespace postern {

namespace {

constexpr int64_t kIdleMilliseconds = 5000;  // a kept connection; below the patience of any server
constexpr size_t kPipedMessageLimitBytes = size_t{4} << 30;
constexpr int64_t kAttemptMilliseconds = 3600 * 1000;  // then no further address is tried
constexpr size_t kNoChunkingLimit = 1000;

std::string dcid_text(const SmtpSession& session) {
  return "DCID " + std::to_string(session.dcid());
}

// "MID 6 to RID [0, 3]": the recipients of the order, or those delivered alone. Empty when there are none.
std::string rid_list(const DeliveryOrder& order, bool delivered = false,
                     const std::vector<RecipientResult>& results = {}) {
  std::string list;
  for (size_t i = 0; i < order.rids.size(); ++i) {
    if (delivered && (i >= results.size() || !is_delivered(results[i].letter))) continue;
    list += (list.empty() ? "" : ", ") + order.rids[i];
  }
  return list.empty() ? list : "MID " + order.mid + " to RID [" + list + "]";
}

// A message that can be read more than once, and its size: `fd` itself when it is a file, else `copy`, which
// has no name.
Result<void> make_readable(int fd, OutgoingMessage& message, Fd& copy) {
  struct stat status {};
  if (::fstat(fd, &status) < 0) return os_failure("read the message", errno);
  if (S_ISREG(status.st_mode)) {
    message.fd = fd;
    message.size = static_cast<uint64_t>(status.st_size);
    return {};
  }
  const char* directory = ::getenv("TMPDIR");
  copy.reset(::open(directory != nullptr ? directory : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!copy) return os_failure("make a temporary file", errno);
  Result<size_t> copied = copy_to_end(fd, copy.get(), kPipedMessageLimitBytes, "copy the message");
  if (!copied) return copied.failure();
  message.fd = copy.get();
  message.size = *copied;
  return {};
}

// The envelope of a job: its arguments and its extras.
Result<Envelope> envelope_of(const Job& job) {
  Envelope envelope;
  envelope.sender = job.arguments[1];
  for (size_t i = 2; i < job.arguments.size(); ++i) envelope.recipients.push_back({job.arguments[i], "", ""});
  if (job.environment.get("POSTERN_EXTRAS") != "5") {
    envelope.body = job.environment.get_or("POSTERN_BODY", "");
    return envelope;
  }
  Result<std::string> extras = read_whole(job.fd(5), kEnvelopeLimitBytes, "read the extras");
  if (!extras) return temporary(extras.failure().text);
  if (Result<void> parsed = parse_extras(*extras, envelope); !parsed) return temporary(parsed.failure().text);
  return envelope;
}

// The settings with the address families in the order that a destination wants.
RemoteSettings sorted_as(IpSort sort, const RemoteSettings& settings) {
  RemoteSettings sorted = settings;
  switch (sort) {
    case IpSort::prefer_v6:
      sorted.families = {IpFamily::v6, IpFamily::v4};
      break;
    case IpSort::require_v6:
      sorted.families = {IpFamily::v6};
      break;
    case IpSort::prefer_v4:
      sorted.families = {IpFamily::v4, IpFamily::v6};
      break;
    case IpSort::require_v4:
      sorted.families = {IpFamily::v4};
      break;
    case IpSort::as_configured:
      break;
  }
  return sorted;
}

// The message for some of its recipients.
OutgoingMessage only(const OutgoingMessage& message, const std::vector<size_t>& chosen) {
  OutgoingMessage part = message;
  part.envelope.recipients.clear();
  for (const size_t i : chosen) part.envelope.recipients.push_back(message.envelope.recipients[i]);
  return part;
}

}  // namespace

Deliverer::Deliverer(RemoteSettings settings, bool keep)
    : settings_(std::move(settings)),
      keep_(keep),
      routes_(home_path("control/smtproutes")),
      destinations_(home_path("control/destinations")) {}

Deliverer::~Deliverer() = default;

std::vector<RecipientResult> Deliverer::deliver(const DeliveryOrder& order) {
  const size_t recipients = order.message.envelope.recipients.size();
  Route route;
  Result<std::string> domain = a_labels(order.domain);
  if (!domain) return all_failed(recipients, domain.failure());
  Result<std::string> hop = next_hop(order, *domain, route);
  if (!hop) return all_failed(recipients, hop.failure());
  Result<Destination> destination = destinations_.find(*domain);
  if (!destination) return all_failed(recipients, destination.failure());
  // A server may have closed a kept connection in the meantime, or have said what nobody asked: that would be
  // taken for the reply to MAIL and put all that follow one off. Either costs no more than a new connection.
  // Seen only behind a message that went with its envelope, it would cost that message a wait.
  if (session_ && unsubscribed_.list().has_host(session_->target().address)) close();
  if (session_ && session_hop_ == *hop && session_->messages < destination->max_messages_per_connection &&
      connection_fits(session_destination_, session_->tls, *destination) && session_->quiet()) {
    log_.info("Delivery start " + dcid_text(*session_) + " " + rid_list(order));
    Attempt attempt = transact(order);
    if (attempt.reached) return std::move(attempt.results);
  }
  close();
  const RemoteSettings settings = sorted_as(destination->ip_sort_pref, settings_);
  Result<std::vector<Target>> targets = find_targets(*domain, route, settings);
  if (!targets) return all_failed(recipients, targets.failure());
  session_hop_ = *hop;
  session_destination_ = std::move(*destination);
  return try_targets(order, route.host.empty() ? *domain : route.host, *targets);
}

// What makes two deliveries take the same way.
Result<std::string> Deliverer::next_hop(const DeliveryOrder& order, const std::string& domain, Route& route) {
  Result<Route> found = order.route.empty() ? routes_.find(domain) : parse_route(order.route);
  if (!found) return found.failure();
  route = *found;
  const std::string port = ":" + std::to_string(route.port);
  return route.host.empty() ? "mx " + lower(domain) + port : "host " + route.host + port;
}

std::vector<RecipientResult> Deliverer::try_targets(const DeliveryOrder& order, const std::string& hop_domain,
                                                    const std::vector<Target>& targets) {
  // The last failure, but a temporary one before any permanent one: what one host cannot take, another one
  // that was not reached may.
  std::optional<Failure> last;
  const auto note = [&](const Failure& failure) {
    if (!last || last->permanent() || !failure.permanent()) last = failure;
  };
  const int64_t deadline = now_milliseconds() + kAttemptMilliseconds;
  // A route is the operator's word, and goes before what the domain says of its mail hosts.
  const bool by_mx = session_hop_.starts_with("mx ");
  StsOfDelivery sts({by_mx ? settings_.sts_program : "none", settings_.dns_program}, hop_domain);
  DaneAnswers dane(settings_.dns_program);
  for (const Target& target : targets) {
    if (last && now_milliseconds() >= deadline) break;
    if (unsubscribed_.list().has_host(target.address))
      return {order.message.envelope.recipients.size(), {'u', target.address}};
    TlsFindings findings;
    if (asks_dane(session_destination_.table_tls)) findings.dane = &dane.of(target);
    add_sts(sts, session_destination_, target.host, findings);
    session_record_.reset();
    if (by_mx) session_record_ = begin_tls_record(sts, session_destination_, hop_domain, findings);
    const TlsDemand demand = demand_for(session_destination_, hop_domain, target.host, findings);
    if (Result<void> opened = open(order, target, demand); !opened) {
      note(opened.failure());
      close();
      continue;
    }
    Attempt attempt = transact(order);
    if (attempt.reached) return std::move(attempt.results);
    note(attempt.failure);
  }
  if (!last) last = temporary("no host to try", 0, "4.4.1");
  return all_failed(order.message.envelope.recipients.size(), *last);
}

Result<void> Deliverer::open(const DeliveryOrder& order, const Target& target, const TlsDemand& demand) {
  TlsFault fault{demand.refusal_type, demand.refusal};
  if (!fault.type.empty()) {
    Result<void> refused = refuse(order, target, demand);
    if (!refused) {
      report_session(target, fault);
      return refused;
    }
  }
  session_demand_ = demand;
  Result<void> greeted = greet(order, target);
  const bool may_be_tls = greeted.ok();
  if (greeted) greeted = secure(order, target, demand);
  if (may_be_tls && session_) report_session(target, fault.type.empty() ? session_->tls.fault : fault);
  if (greeted && no_chunking_.contains(target.address)) session_->forget_chunking();
  return greeted;
}

Result<void> Deliverer::greet(const DeliveryOrder& order, const Target& target) {
  if (Result<void> connected = connect(order, target); !connected) return connected;
  Result<void> greeted = session_->greet(settings_);
  if (!greeted && session_->closed_at_ehlo()) {
    close();
    if (Result<void> connected = connect(order, target); !connected) return connected;
    greeted = session_->greet(settings_, true);
  }
  return greeted;
}

// Makes of a session that has been greeted what the demand wants. What need not be TLS falls back to plain
// over a new connection, once.
Result<void> Deliverer::secure(const DeliveryOrder& order, const Target& target, const TlsDemand& demand) {
  session_->tls.wanted = demand.need;
  session_->tls.why = demand.why;
  if (demand.need == TlsNeed::none) return {};
  const bool may_be_plain = demand.need == TlsNeed::opportunistic || demand.report_only;
  const bool offered = session_->extensions().starttls;
  Result<void> done = try_tls(demand);
  // What it said in plain text stays out of the log where nobody has asked for TLS.
  if (offered || demand.need != TlsNeed::opportunistic) note_outcome(order, session_->tls);
  const std::string dcid = dcid_text(*session_);
  const std::string domain = printable(order.domain, 255);
  if (demand.report_only && !session_->tls.fault.type.empty() && demand.need != TlsNeed::opportunistic)
    log_.info(dcid + " TLS report: would have deferred for " + domain + ": " + session_->tls.fault.type);
  if (done) return done;
  // A client certificate that cannot be read is our own fault: whoever named it wants it shown.
  const bool own_fault = done.failure().status == "4.3.5";
  if (!may_be_plain || own_fault) {
    log_.info(dcid + " TLS deferring " + rid_list(order) + " for " + domain);
    return done;
  }
  if (!offered) return {};
  log_.info(dcid + " TLS falls back to plain text over a new connection");
  const TlsOutcome failed = session_->tls;
  close();
  Result<void> greeted = greet(order, target);
  if (!greeted) return greeted;
  session_->tls = failed;
  session_->tls.did = TlsOutcome::Did::plain;
  return {};
}

// STARTTLS on session_, whose outcome then says it all.
Result<void> Deliverer::try_tls(const TlsDemand& demand) {
  TlsOutcome& outcome = session_->tls;
  if (!session_->extensions().starttls) {
    outcome.fault = {"starttls-not-supported", target_text(session_->target()) + " does not offer STARTTLS"};
    if (demand.need != TlsNeed::opportunistic && !demand.report_only) outcome.did = TlsOutcome::Did::failed;
    return temporary("TLS is needed: " + outcome.fault.text, 0, "4.7.4");
  }
  if (!tls_) {
    Result<std::unique_ptr<TlsContext>> made = TlsContext::make(settings_);
    if (!made) {
      outcome.did = TlsOutcome::Did::failed;
      outcome.fault = {"validation-failure", made.failure().text};
      return made.failure();
    }
    tls_ = std::move(*made);
  }
  Result<void> started = session_->start_tls(*tls_, demand, settings_);
  if (session_->injected_bytes() > 0) {
    log_.info(dcid_text(*session_) + " TLS: threw away " + std::to_string(session_->injected_bytes()) +
              " bytes that came in plain text behind the reply to STARTTLS");
  }
  return started;
}

// A host that the policy forbids before anything is asked of it.
Result<void> Deliverer::refuse(const DeliveryOrder& order, const Target& target, const TlsDemand& demand) {
  const std::string domain = printable(order.domain, 255);
  const std::string fault = demand.refusal_type + ": " + demand.refusal;
  if (demand.report_only) {
    log_.info("TLS report: would have passed over " + target_text(target) + " for " + domain + ": " + fault);
    return {};
  }
  log_.info("TLS deferring " + rid_list(order) + " for " + domain + ": " + target_text(target) +
            " is passed over: " + fault);
  return temporary(demand.refusal, 0, "4.7.5");
}

void Deliverer::note_outcome(const DeliveryOrder& order, const TlsOutcome& outcome) {
  const std::string domain = printable(order.domain, 255);
  if (outcome.encrypted()) log_.info(dcid_text(*session_) + " " + tls_success_text(outcome, domain));
  if (!outcome.fault.type.empty()) log_.info(dcid_text(*session_) + " " + tls_failure_text(outcome, domain));
}

void Deliverer::report_session(const Target& target, const TlsFault& fault) {
  if (!session_record_) return;
  TlsRecord record = *session_record_;
  end_tls_record(record, target, session_ ? session_->local_address() : "", fault);
  send_tls_record(settings_.tls_report_program, record);
}

Result<void> Deliverer::connect(const DeliveryOrder& order, const Target& target) {
  const uint64_t dcid = make_mid();
  Result<std::unique_ptr<SmtpSession>> session = SmtpSession::connect(target, dcid, settings_.timeouts);
  if (!session) {
    log_.info("Connection Error: DCID " + std::to_string(dcid) + " domain: " + printable(order.domain, 255) +
              " IP: " + target.address + " port: " + std::to_string(target.port) +
              " details: " + session.failure().text);
    log_.flush();
    return session.failure();
  }
  session_ = std::move(*session);
  log_.info("New SMTP " + dcid_text(*session_) + " interface " + session_->local_address() + " address " +
            target.address + " port " + std::to_string(target.port));
  log_.info("Delivery start " + dcid_text(*session_) + " " + rid_list(order));
  log_.flush();
  return {};
}

Deliverer::Attempt Deliverer::transact(const DeliveryOrder& order) {
  std::string dcid = dcid_text(*session_);
  const std::string address = session_->target().address;
  TransactionEnd end = send_message(*session_, order.message);
  send_again(order, end);
  if (end.without_chunking) note_no_chunking(address);
  Attempt attempt;
  if (end.trouble) {
    attempt.failure = *end.trouble;
    close();
    return attempt;
  }
  attempt.reached = true;
  attempt.results = std::move(end.results);
  const std::string done = rid_list(order, true, attempt.results);
  if (session_) dcid = dcid_text(*session_);
  if (!done.empty()) log_.info("Message done " + dcid + " " + done);
  if (keep_ && session_ && session_->usable && session_->read_all()) {
    session_->idle_since = now_milliseconds();
    log_.flush();
  } else {
    close();
  }
  return attempt;
}

// The recipients that may be tried again at once, as long as each round delivers to somebody.
void Deliverer::send_again(const DeliveryOrder& order, TransactionEnd& end) {
  std::vector<size_t> left = std::exchange(end.again, {});
  bool without_chunking = end.without_chunking;
  while (!end.trouble && !left.empty()) {
    if (without_chunking && !open_without_chunking(order)) return;
    if (!session_->usable) return;
    TransactionEnd more = send_message(*session_, only(order.message, left));
    if (more.trouble) return;  // the word of the first transaction stands: temporary
    for (size_t i = 0; i < left.size(); ++i) end.results[left[i]] = std::move(more.results[i]);
    std::vector<size_t> next;
    for (const size_t i : more.again) next.push_back(left[i]);
    left = std::move(next);
    without_chunking = more.without_chunking;
  }
}

// False when there is no such connection: once a server is known not to do BDAT, that is no reason any more.
bool Deliverer::open_without_chunking(const DeliveryOrder& order) {
  const Target target = session_->target();
  if (!note_no_chunking(target.address)) return false;
  close();
  return open(order, target, session_demand_).ok();
}

// False when that was known.
bool Deliverer::note_no_chunking(const std::string& address) {
  if (no_chunking_.size() >= kNoChunkingLimit) no_chunking_.clear();
  return no_chunking_.insert(address).second;
}

int64_t Deliverer::close_idle() {
  if (!session_) return -1;
  const int64_t left = session_->idle_since + kIdleMilliseconds - now_milliseconds();
  if (left > 0) return left;
  close();
  return -1;
}

void Deliverer::close() {
  if (session_) {
    session_->quit();
    log_.info(dcid_text(*session_) + " close");
  }
  log_.flush();
  session_.reset();
}

int run_delivery_job(Job& job, Deliverer& deliverer, std::string& output) {
  if (job.arguments.size() < 3 || job.arguments.front().empty() || job.fd(0) < 0) {
    log_warning("deliver", "the arguments are HOST SENDER RECIPIENT..., the message is descriptor 0");
    return 100;
  }
  if (job.client_gone()) return 111;
  DeliveryOrder order;
  order.domain = job.arguments[0];
  order.route = job.environment.get_or("POSTERN_ROUTE", "");
  order.mid = std::to_string(parse_mid(job.environment.get_or("POSTERN_MID", "")).value_or(0));
  const std::string rids = job.environment.get_or("POSTERN_RIDS", "");
  for (const std::string_view rid : words(rids))
    order.rids.push_back(std::to_string(parse_number(rid).value_or(0)));
  const size_t recipients = job.arguments.size() - 2;
  if (order.rids.size() != recipients) {
    order.rids.clear();
    for (size_t i = 0; i < recipients; ++i) order.rids.push_back(std::to_string(i));
  }
  Fd copy;
  order.message.refuse_8bit = deliverer.settings().refuse_8bit;
  Result<void> ready = make_readable(job.fd(0), order.message, copy);
  if (ready) {
    Result<Envelope> envelope = envelope_of(job);
    if (envelope) {
      order.message.envelope = std::move(*envelope);
    } else {
      ready = envelope.failure();
    }
  }
  output += format_reports(ready ? deliverer.deliver(order) : all_failed(recipients, ready.failure()));
  return 0;
}

}  // namespace postern
