#include "queue/deliverers.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "lib/control.h"

namespace postern {

namespace {

bool all_held_back(const std::vector<RecipientReport>& reports) {
  return std::all_of(reports.begin(), reports.end(),
                     [](const RecipientReport& report) { return report.outcome == Outcome::held_back; });
}

}  // namespace

RecipientReport report_of_taken_back(Sites::Next next, const std::vector<RecipientReport>& reports) {
  if (next == Sites::Next::away)
    return {Outcome::temporary, away_text(first_with(Outcome::temporary, reports)->text)};
  return {Outcome::held_back, "0 " + held_back_in(first_with(Outcome::held_back, reports)->text).why};
}

Deliverers::Deliverers(const Poller& poller)
    : sites_(home_path("queue")),
      local_("lspawn", Channel::Connections::any_serves, poller),
      remote_("rspawn", Channel::Connections::warm_for_a_site, poller, &sites_) {}

void Deliverers::set_limits(size_t local, size_t remote, Destinations destinations,
                            const BackOffWaits& waits) {
  local_.set_limits(local, (local + 1) / 2);
  remote_.set_limits(remote, remote);
  sites_.configure(std::move(destinations), remote, waits);
}

void Deliverers::pause() {
  local_.set_limits(0, 0);
  remote_.set_limits(0, 0);
}

void Deliverers::add(Jobs jobs) {
  for (DeliveryJob& job : jobs.local) local_.add(std::move(job));
  for (DeliveryJob& job : jobs.remote) {
    if (sites_.count_from() > 0) job.kept.set("POSTERN_COUNT_FROM", std::to_string(sites_.count_from()));
    remote_.add(std::move(job));
  }
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

std::vector<Deliverers::Answer> Deliverers::take_answers(int fd) {
  std::vector<Answer> answers;
  const bool remote = remote_.owns(fd);
  Channel& channel = remote ? remote_ : local_;
  const std::unique_ptr<Channel::Finished> finished = channel.take_answer(fd);
  if (!finished) return answers;
  std::vector<RecipientReport> reports = reports_of(finished->reply, finished->job.rids.size());
  const Sites::Next next =
      remote ? sites_.ended(finished->job.site, finished->took, reports) : Sites::Next::more;
  if (next != Sites::Next::more) {
    // None of them is tried in turn to learn the same.
    const RecipientReport same = report_of_taken_back(next, reports);
    for (DeliveryJob& job : remote_.withdraw_site(finished->job.site)) {
      std::vector<RecipientReport> all(job.rids.size(), same);
      answers.push_back({std::move(job), std::move(all)});
    }
  }
  const bool held = remote && all_held_back(reports);
  answers.push_back({std::move(finished->job), std::move(reports)});
  if (held) {
    channel.let_go_of_site(fd);
  } else {
    channel.go_on(fd);
  }
  return answers;
}

int64_t Deliverers::wait() const {
  const int64_t local = local_.wait();
  const int64_t remote = remote_.wait();
  return local < 0 || remote < 0 ? std::max(local, remote) : std::min(local, remote);
}

}  // namespace postern
