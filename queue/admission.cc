#include "queue/admission.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "queue/gateway_sites.h"
#include "queue/schedule.h"

namespace postern {

namespace {

void defer(Delivery& delivery, const DeliveryJob& job, const std::string& why) {
  for (const size_t rid : job.rids) delivery.deferred[rid] = why;
}

// All of a job go to one destination, so they have one profile.
bool expired(const Delivery& delivery, const DeliveryJob& job, const BounceChoice& choice) {
  const size_t rid = job.rids.front();
  return delivery.expired(retry_of(choice.of(delivery.queued, rid)), delivery.attempts.turn_of(rid).tries,
                          now_seconds());
}

// True: the job, or what is left of it, may go.
bool admit(Delivery& delivery, DeliveryJob& job, Sites& sites, bool parked, const BounceChoice& choice,
           bool open) {
  const Sites::Look look = sites.look(job.site, job.rids.size(), parked, open);
  if (look.admission == Sites::Admission::away) {
    defer(delivery, job, away_text(look.error));
    return false;
  }
  const bool goes = look.admission == Sites::Admission::go;
  if (goes) sites.admit(job.site, look.recipients);
  if (goes && look.recipients == job.rids.size()) return true;
  if (!goes && expired(delivery, job, choice)) {
    const std::string destination(destination_of(job.site));  // the gateway is nothing for the sender
    defer(delivery, job, "4.4.5 the limits of " + destination + " in control/destinations let nothing go");
  } else {
    delivery.held_back = job.site;
  }
  if (goes) shorten(job, look.recipients, delivery.queued.envelope);
  return goes;
}

}  // namespace

void admit_jobs(Delivery& delivery, Jobs& jobs, Sites& sites, bool parked, const BounceChoice& choice) {
  bool open = !jobs.local.empty();
  std::vector<DeliveryJob> going;
  for (DeliveryJob& job : jobs.remote) {
    if (!admit(delivery, job, sites, parked, choice, open)) continue;
    open = true;
    going.push_back(std::move(job));
  }
  jobs.remote = std::move(going);
}

void give_back(const Jobs& jobs, Sites& sites) {
  for (const DeliveryJob& job : jobs.remote) sites.given_back(job.site, job.rids.size());
}

void lift_as_ordered(const Delivery& delivery, const Jobs& jobs, uint64_t flushed_at, Sites& sites) {
  uint64_t ordered = delivery.attempts.last <= flushed_at ? flushed_at : 0;
  if (delivery.orders.flushes > delivery.attempts.flushes)
    ordered = std::max(ordered, delivery.orders.flushed_at);
  if (ordered == 0) return;
  for (const DeliveryJob& job : jobs.remote) sites.lift(job.site, ordered);
}

}  // namespace postern
