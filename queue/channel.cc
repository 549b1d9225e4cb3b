#include "queue/channel.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>

#include "lib/call.h"
#include "lib/log.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr int64_t kAwayMilliseconds = 500;     // until the next try to reach a resident that is not there
constexpr int64_t kAcceptMilliseconds = 1000;  // in which a worker should have taken a new connection
constexpr unsigned kLongestRow = 50;           // jobs of one site on one connection while another site waits

constexpr int kExtrasFd = 5;
constexpr int kLeaseFd = 7;  // nobody reads it: it says that the job has not ended (queue/leases.h)

Request request_for(const DeliveryJob& job, int message, int extras, int lease = -1) {
  Request request{.arguments = job.arguments, .environment = {}, .fds = {{message, 0}}};
  std::string rids;
  for (const size_t rid : job.rids) rids.append(rids.empty() ? "" : " ").append(std::to_string(rid));
  request.environment.set("POSTERN_MID", std::to_string(job.mid));
  request.environment.set("POSTERN_RIDS", rids);
  if (!job.route.empty()) request.environment.set("POSTERN_ROUTE", job.route);
  if (job.keep_unsigned) request.environment.set("POSTERN_SIGN", "no");
  for (const auto& [name, value] : job.kept.pairs()) request.environment.set(name, value);
  if (!job.extras.empty()) {
    request.environment.set("POSTERN_EXTRAS", std::to_string(kExtrasFd));
    request.fds.push_back({extras, kExtrasFd});
  }
  if (lease >= 0) request.fds.push_back({lease, kLeaseFd});
  return request;
}

Result<void> send_job(int socket, const DeliveryJob& job, const Fd& lease) {
  // A description of its own for each job: readers must not share a file offset.
  Result<Fd> message = reopen_for_reading(job.message);
  if (!message) return message.failure();
  Fd extras;
  if (!job.extras.empty()) {
    Result<Fd> file = memory_file_with("extras", job.extras);
    if (!file) return file.failure();
    if (Result<void> sealed = seal(file->get()); !sealed) return sealed;
    extras = std::move(*file);
  }
  return send_request(socket, request_for(job, message->get(), extras.get(), lease.get()));
}

// Has the other side read all that was sent? What it has not is still counted as ours (SIOCOUTQ, unix(7)).
bool is_read(int socket) {
  int unread = 0;
  return ::ioctl(socket, SIOCOUTQ, &unread) == 0 && unread == 0;
}

}  // namespace

void Channel::add(DeliveryJob job) {
  std::deque<DeliveryJob>& queue = sites_[job.site];
  if (queue.empty()) turns_.push_back(job.site);
  queue.push_back(std::move(job));
  ++waiting_;
}

size_t Channel::withdraw(uint64_t mid) {
  size_t withdrawn = 0;
  for (auto site = sites_.begin(); site != sites_.end();) {
    withdrawn += std::erase_if(site->second, [&](const DeliveryJob& job) {
      if (job.mid == mid) give_back(job);
      return job.mid == mid;
    });
    if (site->second.empty()) {
      std::erase(turns_, site->first);
      site = sites_.erase(site);
    } else {
      ++site;
    }
  }
  waiting_ -= withdrawn;
  return withdrawn;
}

std::vector<DeliveryJob> Channel::withdraw_site(const std::string& site) {
  const auto found = sites_.find(site);
  if (found == sites_.end()) return {};
  std::vector<DeliveryJob> jobs;
  for (DeliveryJob& job : found->second) {
    give_back(job);
    jobs.push_back(std::move(job));
  }
  waiting_ -= jobs.size();
  std::erase(turns_, site);
  sites_.erase(found);
  return jobs;
}

void Channel::give_back(const DeliveryJob& job) {
  if (known_ != nullptr) known_->given_back(job.site, job.rids.size());
}

bool Channel::may_start(const std::string& site) const {
  if (known_ != nullptr) return known_->may_start(site);
  const auto running = running_of_.find(site);
  return running == running_of_.end() || running->second < site_limit_;
}

Channel::Place* Channel::free_place_for(const std::string& site) {
  Place* any = nullptr;
  for (auto& [fd, place] : places_) {
    if (place.job) continue;
    if (place.last_site == site) return &place;
    any = &place;
  }
  if (running_ >= concurrency_) return nullptr;
  // A fresh connection rather than one that is warm for another site; a used one when all places are taken.
  if (any != nullptr && (connections_ == Connections::any_serves || places_.size() >= concurrency_))
    return any;
  Result<Fd> socket = try_connect_service(service_);
  if (!socket) {
    if (any == nullptr) back_off(socket.failure());
    return any;
  }
  said_away_ = false;
  const int fd = socket->get();
  poller_.add(fd);
  Place place;
  place.socket = std::move(*socket);
  return &places_.emplace(fd, std::move(place)).first->second;
}

void Channel::back_off(const Failure& failure) {
  if (!said_away_) log_warning("reach " + service_ + ", trying on", failure);
  said_away_ = true;
  not_before_ = now_milliseconds() + kAwayMilliseconds;
}

void Channel::close(Place& place) {
  const int fd = place.socket.get();
  places_.erase(fd);  // closing takes it out of the epoll set
}

// True when the site's first job is off the queue: sent, or unsendable.
bool Channel::give(Place& place, const std::string& site) {
  std::deque<DeliveryJob>& queue = sites_[site];
  const Result<Fd> lease =
      known_ != nullptr ? known_->prepare(site, queue.front().rids.size()) : Result<Fd>(Fd());
  const Result<void> sent =
      lease ? send_job(place.socket.get(), queue.front(), *lease) : Result<void>(lease.failure());
  if (!sent && lease && known_ != nullptr) known_->not_sent(site, queue.front().rids.size());
  const bool unsendable = !sent && !encode_request(request_for(queue.front(), -1, -1));
  if (!sent && !unsendable) {
    back_off(sent.failure());
    close(place);
    return false;
  }
  if (unsendable) {
    give_back(queue.front());
    unsendable_.push_back(std::move(queue.front()));
  } else {
    place.in_a_row = place.last_site == site ? place.in_a_row + 1 : 0;
    place.last_site = site;
    place.since = place.begun = now_milliseconds();
    if (known_ != nullptr) known_->started(site);
    place.job = std::make_unique<DeliveryJob>(std::move(queue.front()));
    ++running_;
    ++running_of_[site];
  }
  queue.pop_front();
  if (queue.empty()) sites_.erase(site);
  --waiting_;
  return true;
}

void Channel::start_jobs() {
  free_a_worker();
  if (now_milliseconds() < not_before_) return;
  // Ends when every site in line has been passed over because it has as many jobs out as it may.
  for (size_t passed_over = 0; passed_over < turns_.size() && running_ < concurrency_;) {
    const std::string site = turns_.front();
    if (!may_start(site)) {
      turns_.pop_front();
      turns_.push_back(site);
      ++passed_over;
      continue;
    }
    Place* place = free_place_for(site);
    if (place == nullptr || !give(*place, site)) return;
    turns_.pop_front();
    if (sites_.contains(site)) turns_.push_back(site);
    passed_over = 0;
  }
}

// A place whose job no worker has read since before that moment; null: there is none.
Channel::Place* Channel::unaccepted(int64_t before) {
  for (auto& [fd, place] : places_) {
    if (!place.job || place.accepted || place.since >= before) continue;
    place.accepted = is_read(fd);
    if (!place.accepted) return &place;
  }
  return nullptr;
}

// With fewer workers than connections, idle connections may hold the workers that a job waits for: let one
// go. A job that is merely slow has its worker, and costs nobody a connection that is warm.
void Channel::free_a_worker() {
  const int64_t now = now_milliseconds();
  Place* const waiting = unaccepted(now - kAcceptMilliseconds);
  if (waiting == nullptr) return;
  for (auto& [fd, place] : places_) {
    if (place.job) continue;
    waiting->since = now;
    return close(place);
  }
}

int64_t Channel::wait() const {
  const bool waits_for_worker = std::any_of(places_.begin(), places_.end(),
                                            [](const auto& p) { return p.second.job && !p.second.accepted; });
  const int64_t look = waits_for_worker ? kAcceptMilliseconds : -1;
  if (waiting_ == 0) return look;
  const int64_t left = not_before_ - now_milliseconds();
  return left > 0 && (look < 0 || left < look) ? left : look;
}

std::unique_ptr<Channel::Finished> Channel::take_answer(int fd) {
  Place& place = places_.at(fd);
  Result<Reply> reply = receive_reply(fd);
  if (!place.job) {
    close(place);
    return nullptr;
  }
  auto finished = std::make_unique<Finished>(
      Finished{std::move(*place.job), std::move(reply), now_milliseconds() - place.begun});
  place.job.reset();
  place.accepted = true;
  --running_;
  if (--running_of_[place.last_site] == 0) running_of_.erase(place.last_site);
  if (!finished->reply) close(place);
  return finished;
}

// The site's turn in the line stays where it is unless it is done.
void Channel::go_on(int fd) {
  const auto found = places_.find(fd);
  if (found == places_.end() || found->second.job || running_ >= concurrency_) return;
  Place& place = found->second;
  if (turns_.size() != 1 && place.in_a_row >= kLongestRow) return;
  const std::string site = place.last_site;
  if (!sites_.contains(site) || !may_start(site)) return;
  if (give(place, site) && !sites_.contains(site)) std::erase(turns_, site);
}

}  // namespace postern
