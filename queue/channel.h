// One way out: the jobs that wait for it, by site, and the connections to its resident (lspawn or rspawn),
// one job at a time on each. A site is a next hop's domain (remote) or one for all (local). Sites take turns;
// a connection is given back to the site that it served last while that has more, so that remote can keep its
// SMTP connection open.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lib/fd.h"
#include "lib/request.h"

namespace postern {

struct DeliveryJob {
  uint64_t mid = 0;
  std::string site;
  std::vector<std::string> arguments;
  std::vector<size_t> rids;
  std::string body;  // BODY= of the message
  int message = -1;  // sealed memory file; borrowed from the message, which outlives its jobs
};

class Channel {
 public:
  // `service`: the resident's socket in run/. `poller`: the epoll descriptor that its connections are added
  // to, with the connection's descriptor as data.
  Channel(std::string service, size_t concurrency, int poller)
      : service_(std::move(service)), concurrency_(concurrency), poller_(poller) {}

  void add(DeliveryJob job);
  // Hands out as many jobs as there are free places. When the resident is not there: nothing is lost, `wait`
  // says when to call again.
  void start_jobs();
  // Milliseconds until start_jobs should be called again, -1: not before something ends.
  [[nodiscard]] int64_t wait() const;

  struct Finished {
    DeliveryJob job;
    Result<Reply> reply;
  };
  // Is this descriptor one of ours?
  [[nodiscard]] bool owns(int fd) const { return places_.contains(fd); }
  // Takes the answer of a connection that is readable; nothing when it had no job (the resident closed it).
  std::unique_ptr<Finished> take_answer(int fd);

  [[nodiscard]] size_t running() const { return running_; }
  [[nodiscard]] size_t waiting() const { return waiting_; }
  void set_concurrency(size_t concurrency) { concurrency_ = concurrency; }

 private:
  struct Place {
    Fd socket;
    std::string last_site;
    unsigned in_a_row = 0;
    std::unique_ptr<DeliveryJob> job;
  };
  Place* free_place_for(const std::string& site);
  bool give(Place& place, const std::string& site);
  void close(Place& place);
  void back_off(const Failure& failure);

  std::string service_;
  size_t concurrency_;
  int poller_;
  std::map<std::string, std::deque<DeliveryJob>> sites_;
  std::deque<std::string> turns_;  // sites that have jobs, in turn
  std::map<int, Place> places_;    // by descriptor
  size_t running_ = 0;
  size_t waiting_ = 0;
  int64_t not_before_ = 0;  // milliseconds
  bool said_away_ = false;
};

}  // namespace postern
