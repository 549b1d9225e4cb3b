#include "remote/delivery.h"

#include <algorithm>
#include <optional>

#include "lib/child.h"
#include "lib/control.h"
#include "lib/idn.h"
#include "lib/mid.h"
#include "lib/text.h"
#include "remote/authenticate.h"
#include "remote/delivery_log.h"
#include "remote/source.h"
#include "remote/tls_context.h"
#include "remote/tls_policy.h"

namespace postern {

namespace {

constexpr int64_t kIdleMilliseconds = 5000;  // a kept connection; below the patience of any server
constexpr int64_t kLookMilliseconds = 500;   // of idleness: whether another site waits for its place
constexpr int64_t kAttemptMilliseconds = 3600 * 1000;  // then no further address is tried
constexpr size_t kNoChunkingLimit = 1000;

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

DeliveryOrder only(const DeliveryOrder& order, const std::vector<size_t>& chosen) {
  DeliveryOrder part = order;
  part.message = only(order.message, chosen);
  part.rids.clear();
  for (const size_t i : chosen) {
    if (i < order.rids.size()) part.rids.push_back(order.rids[i]);
  }
  return part;
}

Deliverer::Deliverer(RemoteSettings settings, bool keep, SetAside& set_aside, AddressLimits* limits)
    : settings_(std::move(settings)),
      keep_(keep),
      set_aside_(set_aside),
      limits_(limits),
      routes_(home_path("control/smtproutes")),
      gateways_(home_path("control/altsrchost")),
      destinations_(home_path("control/destinations")) {}

Deliverer::~Deliverer() = default;

std::vector<RecipientResult> Deliverer::deliver(const DeliveryOrder& order) {
  const std::vector<Recipient>& recipients = order.message.envelope.recipients;
  Result<std::string> domain = a_labels(order.domain);
  if (!domain) return all_failed(recipients.size(), domain.failure());
  Result<std::vector<RouteGroup>> groups = group_by_route(routes_, order.route, *domain, recipients);
  if (!groups) return all_failed(recipients.size(), groups.failure());
  if (groups->size() == 1) return deliver_group(order, *domain, groups->front().route);
  std::vector<RecipientResult> results(recipients.size());
  for (const RouteGroup& group : *groups) {
    const DeliveryOrder part = only(order, group.recipients);
    std::vector<RecipientResult> ended = deliver_group(part, *domain, group.route);
    for (size_t i = 0; i < ended.size(); ++i) results[group.recipients[i]] = std::move(ended[i]);
  }
  return results;
}

std::vector<RecipientResult> Deliverer::deliver_group(const DeliveryOrder& order, const std::string& domain,
                                                      const Route& route) {
  if (route.discards()) return discard(order);
  const size_t recipients = order.message.envelope.recipients.size();
  Result<Way> way = find_way(order, domain, route);
  if (!way) return all_failed(recipients, way.failure());
  if (has_session_for(*way)) {
    const Result<size_t> going = may_go_on(*way, recipients);
    if (!going) return all_failed(recipients, going.failure());
    if (*going > 0) {
      log_.info("Delivery start " + dcid_text(*session_) + " " + rid_list(order));
      Attempt attempt = transact_counted(order, *going);
      if (attempt.reached) return std::move(attempt.results);
    }
  }
  close();
  way_ = std::move(*way);
  Result<std::vector<Target>> targets = targets_in_order(domain);
  if (!targets) return all_failed(recipients, targets.failure());
  return try_targets(order, domain, *targets);
}

Result<Deliverer::Way> Deliverer::find_way(const DeliveryOrder& order, const std::string& domain,
                                           const Route& route) {
  Way way{route, {}, {}, {}};
  Result<const Destinations*> destinations = destinations_.current();
  if (!destinations) return destinations.failure();
  way.destination = (*destinations)->of(domain);
  way.destination.table_tls = tls_level_of(route, way.destination.table_tls);
  Result<const Gateways*> gateways = gateways_.current();
  if (!gateways) return gateways.failure();
  Result<Gateway> gateway = (*gateways)->choose(order.message.envelope.sender, order.kept);
  if (!gateway) return gateway.failure();
  way.gateway = std::move(*gateway);
  way.key = route.key;
  const bool by_domain = std::any_of(route.hosts.begin(), route.hosts.end(),
                                     [](const RouteHost& host) { return host.hop.way == NextHop::Way::mx; });
  if (by_domain) way.key += " of " + lower(domain);
  // RFC 8689 5: such mail goes whatever the domain's policy says, and is no session to report (RFC 8460 3).
  if (by_domain && !route.tls && way.destination.table_tls == TlsLevel::dane &&
      order.kept.get("POSTERN_TLS_REQUIRED") == "no")
    way.destination.table_tls = TlsLevel::may;
  for (const SourceAddress& source : way.gateway.sources)
    way.key += " from " + source.address + "," + source.hello;
  way.limit = limit_of(order, domain, **destinations, way);
  return way;
}

// A server may have closed a kept connection in the meantime, or have said what nobody asked: that would be
// taken for the reply to MAIL and put all that follow one off. Either costs no more than a new connection.
// Seen only behind a message that went with its envelope, it would cost that message a wait.
bool Deliverer::has_session_for(const Way& way) {
  return session_ && way_.key == way.key &&
         session_->messages < way.destination.max_messages_per_connection &&
         (!way.limit || limits_->stays(limit_at(way, session_->target()))) &&
         connection_fits(way_.destination, session_->tls, way.destination) &&
         !unsubscribed_.list().has_host(session_->target().address) && session_->quiet();
}

// Those that our gateway reaches; those that failed a short while ago after the others.
Result<std::vector<Target>> Deliverer::targets_in_order(const std::string& domain) {
  Result<std::vector<Target>> targets =
      targets_of_route(domain, way_.route, sorted_as(way_.destination.ip_sort_pref, settings_));
  if (!targets) return targets;
  std::erase_if(*targets, [&](const Target& target) { return !can_reach(way_.gateway, target); });
  if (targets->empty())
    return temporary("no host of " + printable(domain, 255) + " has an address that gateway " +
                         way_.gateway.name + " of control/altsrchost has a source for",
                     0, "4.4.4");
  const int64_t now = now_milliseconds() / 1000;
  std::stable_partition(targets->begin(), targets->end(),
                        [&](const Target& target) { return !set_aside_.holds(aside_key(target), now); });
  return targets;
}

// What a target is known by where it is set aside. From another address of ours it may be reached.
std::string Deliverer::aside_key(const Target& target) const {
  return target.address + ":" + std::to_string(target.port) + " by " + way_.gateway.name;
}

std::vector<RecipientResult> Deliverer::discard(const DeliveryOrder& order) {
  if (const std::string rids = rid_list(order); !rids.empty())
    log_.info("Message done DCID 0 " + rids + " thrown away: its route is /dev/null");
  log_.flush();
  return {order.message.envelope.recipients.size(), {'r', "2.0.0 thrown away: its route is /dev/null"}};
}

std::vector<RecipientResult> Deliverer::try_targets(const DeliveryOrder& order, const std::string& domain,
                                                    const std::vector<Target>& targets) {
  // The last failure, but a temporary one before any permanent one: what one host cannot take, another one
  // that was not reached may.
  std::optional<Failure> last;
  bool tried = false;  // a host was there and did not take it: that is a try, whichever others are full
  const auto note = [&](const Target& target, const Failure& failure) {
    if (!last || last->permanent() || !failure.permanent()) last = failure;
    tried = tried || !set_aside_.holds(aside_key(target), now_milliseconds() / 1000);
  };
  const size_t recipients = order.message.envelope.recipients.size();
  std::optional<AddressLimits::Verdict> held;
  const int64_t deadline = now_milliseconds() + kAttemptMilliseconds;
  StsOfDelivery sts({settings_.sts_program, settings_.dns_program}, domain);
  DaneAnswers dane(settings_.dns_program);
  for (const Target& target : targets) {
    if (last && now_milliseconds() >= deadline) break;
    if (unsubscribed_.list().has_host(target.address)) return {recipients, {'u', target.address}};
    // It will go to one that is full; one that failed would only take time before.
    if (held && set_aside_.holds(aside_key(target), now_milliseconds() / 1000)) continue;
    const Result<size_t> going = may_enter(target, recipients, held);
    if (!going) return all_failed(recipients, going.failure());
    if (*going == 0) continue;
    const TlsDemand demand = find_demand(domain, target, sts, dane);
    if (Result<void> opened = open(order, target, demand); !opened) {
      note(target, opened.failure());
      close();
      continue;
    }
    set_aside_.remove(aside_key(target));
    Attempt attempt = transact_counted(order, *going);
    if (attempt.reached) return std::move(attempt.results);
    note(target, attempt.failure);
  }
  if (held && !tried) return held_back(recipients, *held);
  if (held) last->kind = Kind::temporary;  // one that is full may take it
  if (!last) last = temporary("no host to try", 0, "4.4.1");
  return all_failed(recipients, *last);
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
  // Whoever stands between us and the server can say in plain text that it takes no mail.
  if (!greeted && greeted.failure().permanent() && must_be_tls(demand)) {
    Failure doubted = greeted.failure();
    doubted.kind = Kind::temporary;
    greeted = doubted;
  }
  const bool may_be_tls = greeted.ok();
  if (greeted) greeted = secure(order, target, demand);
  if (may_be_tls && session_) report_session(target, fault.type.empty() ? session_->tls.fault : fault);
  if (!greeted) return greeted;
  if (no_chunking_.contains(target.address)) session_->forget_chunking();
  return authenticate(*session_, way_.route, way_.destination.table_tls);
}

Result<void> Deliverer::greet(const DeliveryOrder& order, const Target& target) {
  if (Result<void> connected = connect(order, target); !connected) return connected;
  Result<void> greeted = session_->greet(settings_);
  if (!greeted && session_->closed_at_ehlo()) {
    hang_up();
    if (Result<void> connected = connect(order, target); !connected) return connected;
    greeted = session_->greet(settings_, true);
  }
  if (!greeted) set_aside_.add(aside_key(target), now_milliseconds() / 1000);
  return greeted;
}

Result<void> Deliverer::connect(const DeliveryOrder& order, const Target& target) {
  const uint64_t dcid = make_mid();
  Result<Target> from = with_source(way_.gateway, target, set_aside_);
  Result<std::unique_ptr<SmtpSession>> session =
      from ? SmtpSession::connect(*from, dcid, settings_.timeouts) : from.failure();
  if (!session) {
    if (from) set_aside_.add(aside_key(target), now_milliseconds() / 1000);
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
  if (limits_ != nullptr) limits_->settle(true);
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
  hang_up();
  const bool opened = open(order, target, session_demand_).ok();
  if (!opened) hang_up();  // it is not what the demand wants, or not authenticated: nothing goes over it
  return opened;
}

// False when that was known.
bool Deliverer::note_no_chunking(const std::string& address) {
  if (no_chunking_.size() >= kNoChunkingLimit) no_chunking_.clear();
  return no_chunking_.insert(address).second;
}

int64_t Deliverer::close_idle() {
  if (!session_) return -1;
  const int64_t left = session_->idle_since + kIdleMilliseconds - now_milliseconds();
  const bool counts = limits_ != nullptr && limits_->has_place();
  const bool looks = counts && kIdleMilliseconds - left >= kLookMilliseconds;
  if (left > 0 && !(looks && limits_->is_wanted())) return counts ? std::min(left, kLookMilliseconds) : left;
  close();
  return -1;
}

void Deliverer::close() {
  hang_up();
  if (limits_ != nullptr) limits_->leave();
}

// The connection alone: its place at the address is for another one.
void Deliverer::hang_up() {
  if (session_) {
    session_->quit();
    log_.info(dcid_text(*session_) + " close");
  }
  log_.flush();
  session_.reset();
}

}  // namespace postern
