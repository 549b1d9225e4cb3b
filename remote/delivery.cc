#include "remote/delivery.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include "lib/child.h"
#include "lib/control.h"
#include "lib/mid.h"
#include "lib/text.h"
#include "remote/targets.h"

namespace postern {

namespace {

constexpr int64_t kIdleMilliseconds = 5000;  // a kept connection; below the patience of any server
constexpr unsigned kMessagesPerConnection =
    100;  // then a fresh one: servers count, and so does their load balancer
constexpr size_t kPipedMessageLimitBytes = size_t{4} << 30;

std::string dcid_text(const SmtpSession& session) {
  return "DCID " + std::to_string(session.dcid());
}

// "MID 6 to RID [0, 3]" of the recipients with that letter; all of them for '*'. Empty when there are none.
std::string rid_list(const DeliveryOrder& order, const std::vector<RecipientResult>& results, char letter) {
  std::string list;
  for (size_t i = 0; i < order.rids.size(); ++i) {
    if (letter != '*' && (i >= results.size() || results[i].letter != letter)) continue;
    list += (list.empty() ? "" : ", ") + order.rids[i];
  }
  return list.empty() ? list : "MID " + order.mid + " to RID [" + list + "]";
}

// A message that can be read more than once: itself when it is a file, else a copy without a name.
Result<Fd> readable_again(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) < 0) return os_failure("read the message", errno);
  if (S_ISREG(status.st_mode)) {
    Fd same{::fcntl(fd, F_DUPFD_CLOEXEC, 3)};
    if (!same) return os_failure("read the message", errno);
    return same;
  }
  const char* directory = ::getenv("TMPDIR");
  Fd copy{::open(directory != nullptr ? directory : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
  if (!copy) return os_failure("make a temporary file", errno);
  Result<size_t> copied = copy_to_end(fd, copy.get(), kPipedMessageLimitBytes, "copy the message");
  if (!copied) return copied.failure();
  return copy;
}

}  // namespace

Deliverer::Deliverer(RemoteSettings settings, bool keep)
    : settings_(std::move(settings)), keep_(keep), routes_(home_path("control/smtproutes")) {}

std::vector<RecipientResult> Deliverer::deliver(const DeliveryOrder& order) {
  const size_t recipients = order.message.recipients.size();
  Route route;
  Result<std::string> hop = next_hop(order, route);
  if (!hop) return all_failed(recipients, hop.failure());
  // A server may have closed a kept connection in the meantime, or have said what nobody asked: that would be
  // taken for the reply to MAIL and put all that follow one off. Either costs no more than a new connection.
  if (session_ && session_hop_ == *hop && session_->messages < kMessagesPerConnection && session_->quiet()) {
    log_.info("Delivery start " + dcid_text(*session_) + " " + rid_list(order, {}, '*'));
    Attempt attempt = transact(order);
    if (attempt.reached) return std::move(attempt.results);
  }
  close();
  Result<std::vector<Target>> targets = find_targets(order.domain, route, settings_);
  if (!targets) return all_failed(recipients, targets.failure());
  session_hop_ = *hop;
  return try_targets(order, *targets);
}

// What makes two deliveries take the same way.
Result<std::string> Deliverer::next_hop(const DeliveryOrder& order, Route& route) {
  Result<Route> found = order.route.empty() ? routes_.find(order.domain) : parse_route(order.route);
  if (!found) return found.failure();
  route = *found;
  const std::string port = ":" + std::to_string(route.port);
  return route.host.empty() ? "mx " + lower(order.domain) + port : "host " + route.host + port;
}

std::vector<RecipientResult> Deliverer::try_targets(const DeliveryOrder& order,
                                                    const std::vector<Target>& targets) {
  // The last failure, but a temporary one before any permanent one: what one host cannot take, another one
  // that was not reached may.
  std::optional<Failure> last;
  const auto note = [&](const Failure& failure) {
    if (!last || last->permanent() || !failure.permanent()) last = failure;
  };
  for (const Target& target : targets) {
    if (Result<void> opened = open(order, target); !opened) {
      note(opened.failure());
      close();
      continue;
    }
    Attempt attempt = transact(order);
    if (attempt.reached) return std::move(attempt.results);
    note(attempt.failure);
  }
  if (!last) last = temporary("no host to try", 0, "4.4.1");
  std::vector<RecipientResult> results = all_failed(order.message.recipients.size(), *last);
  // What a server said has its code and status inside already.
  if (last->text.find(" said: ") != std::string::npos) {
    for (RecipientResult& result : results) result.text = last->text;
  }
  return results;
}

Result<void> Deliverer::open(const DeliveryOrder& order, const Target& target) {
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
  log_.info("Delivery start " + dcid_text(*session_) + " " + rid_list(order, {}, '*'));
  log_.flush();
  return session_->greet(settings_.hello);
}

Deliverer::Attempt Deliverer::transact(const DeliveryOrder& order) {
  TransactionEnd end = send_message(*session_, order.message);
  Attempt attempt;
  if (end.trouble) {
    attempt.failure = *end.trouble;
    close();
    return attempt;
  }
  attempt.reached = true;
  attempt.results = std::move(end.results);
  const std::string done = rid_list(order, attempt.results, 'r');
  if (!done.empty()) log_.info("Message done " + dcid_text(*session_) + " " + done);
  if (keep_ && session_->quiet()) {
    session_->idle_since = now_milliseconds();
    log_.flush();
  } else {
    close();
  }
  return attempt;
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
  order.message.sender = job.arguments[1];
  order.message.recipients.assign(job.arguments.begin() + 2, job.arguments.end());
  order.message.declared_8bit = job.environment.get_or("POSTERN_BODY", "") == "8BITMIME";
  order.mid = std::to_string(parse_mid(job.environment.get_or("POSTERN_MID", "")).value_or(0));
  const std::string rids = job.environment.get_or("POSTERN_RIDS", "");
  for (const std::string_view rid : words(rids))
    order.rids.push_back(std::to_string(parse_number(rid).value_or(0)));
  if (order.rids.size() != order.message.recipients.size()) {
    order.rids.clear();
    for (size_t i = 0; i < order.message.recipients.size(); ++i) order.rids.push_back(std::to_string(i));
  }
  Result<Fd> message = readable_again(job.fd(0));
  Result<size_t> size =
      message ? file_size(message->get(), "read the message") : Result<size_t>(message.failure());
  std::vector<RecipientResult> results;
  if (size) {
    order.message.fd = message->get();
    order.message.size = *size;
    results = deliverer.deliver(order);
  } else {
    results = all_failed(order.message.recipients.size(), size.failure());
  }
  output += format_reports(results);
  return 0;
}

}  // namespace postern
