#include "queue/deliverers.h"

#include <algorithm>
#include <memory>

namespace postern {

Deliverers::Deliverers(const Poller& poller)
    : local_("lspawn", Channel::Connections::any_serves, poller),
      remote_("rspawn", Channel::Connections::warm_for_a_site, poller) {}

void Deliverers::set_limits(size_t local, size_t remote, size_t site) {
  local_.set_limits(local, (local + 1) / 2);
  remote_.set_limits(remote, site);
}

void Deliverers::pause() {
  local_.set_limits(0, 0);
  remote_.set_limits(0, 0);
}

void Deliverers::add(Jobs jobs) {
  for (DeliveryJob& job : jobs.local) local_.add(std::move(job));
  for (DeliveryJob& job : jobs.remote) remote_.add(std::move(job));
}

size_t Deliverers::withdraw(uint64_t mid) {
  return local_.withdraw(mid) + remote_.withdraw(mid);
}

std::vector<Deliverers::Answer> Deliverers::start_jobs() {
  std::vector<Answer> answers;
  for (Channel* channel : {&local_, &remote_}) {
    channel->start_jobs();
    for (DeliveryJob& job : channel->take_unsendable()) {
      std::vector<RecipientReport> reports(
          job.rids.size(), {Outcome::temporary, "4.3.0 the request for the delivery program is too large"});
      answers.push_back({std::move(job), std::move(reports)});
    }
  }
  return answers;
}

std::optional<Deliverers::Answer> Deliverers::take_answer(int fd) {
  const std::unique_ptr<Channel::Finished> finished = (local_.owns(fd) ? local_ : remote_).take_answer(fd);
  if (!finished) return std::nullopt;
  std::vector<RecipientReport> reports = reports_of(finished->reply, finished->job.rids.size());
  return Answer{std::move(finished->job), std::move(reports)};
}

int64_t Deliverers::wait() const {
  const int64_t local = local_.wait();
  const int64_t remote = remote_.wait();
  return local < 0 || remote < 0 ? std::max(local, remote) : std::min(local, remote);
}

}  // namespace postern
