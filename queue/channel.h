// One way out: the jobs that wait for it, by site, and the connections to its resident (lspawn or rspawn),
// one job at a time on each. A site is a next hop's domain (remote) or a mailbox's address (local). Sites
// take turns; a connection is given back to the site that it served last while that has more, so that remote
// can keep its SMTP connection open.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/environment.h"
#include "lib/fd.h"
#include "lib/request.h"
#include "queue/poller.h"
#include "queue/sites.h"

namespace postern {

struct DeliveryJob {
  uint64_t mid = 0;
  std::string site;
  std::vector<std::string> arguments;
  std::vector<size_t> rids;
  bool remote = false;
  std::string route;   // as is_next_hop has it, instead of what is configured; ordered
  Environment kept{};  // of the message, what remote chooses the source address by
  std::string extras;  // what RFC 3461 and SMTPUTF8 add, for these recipients; empty: all at its default
  bool keep_unsigned = false;  // a local one: what is forwarded of it is not signed as if it were ours
  int message = -1;            // sealed memory file; borrowed from the message, which outlives its jobs
};

class Channel {
 public:
  // Is a connection that served one site worth keeping for it, while there are places for another?
  enum class Connections { warm_for_a_site, any_serves };

  // `service`: the resident's socket in run/. `poller`: its connections are added to it. `sites`: says what
  // each site may have, is told of what its jobs do, and outlives the channel; null: all the same. Hands out
  // nothing until set_limits is called.
  Channel(std::string service, Connections connections, const Poller& poller, Sites* sites = nullptr)
      : service_(std::move(service)), connections_(connections), poller_(poller), known_(sites) {}
  // At most `concurrency` jobs are out at once, at most `site_limit` of one site, where no Sites say.
  void set_limits(size_t concurrency, size_t site_limit) {
    concurrency_ = concurrency;
    site_limit_ = site_limit;
  }

  void add(DeliveryJob job);
  // Takes back the jobs of a message that no deliverer has yet; how many they were.
  size_t withdraw(uint64_t mid);
  // The same of a site.
  std::vector<DeliveryJob> withdraw_site(const std::string& site);
  // Hands out as many jobs as there are free places. When the resident is not there: nothing is lost, `wait`
  // says when to call again.
  void start_jobs();
  // Milliseconds until start_jobs should be called again, -1: not before something ends.
  [[nodiscard]] int64_t wait() const;

  struct Finished {
    DeliveryJob job;
    Result<Reply> reply;
    int64_t took = 0;  // milliseconds
  };
  // Jobs that cannot be sent at all, whatever is tried: their requests are over the limit.
  std::vector<DeliveryJob> take_unsendable() { return std::exchange(unsendable_, {}); }
  // Is this descriptor one of ours?
  [[nodiscard]] bool owns(int fd) const { return places_.contains(fd); }
  // Takes the answer of a connection that is readable; nothing when it had no job (the resident closed it).
  std::unique_ptr<Finished> take_answer(int fd);
  // What it answered is known to all: the connection takes the next job of its site, if there is one.
  void go_on(int fd);

  [[nodiscard]] size_t running() const { return running_; }
  [[nodiscard]] size_t waiting() const { return waiting_; }

 private:
  struct Place {
    Fd socket;
    std::string last_site;
    unsigned in_a_row = 0;
    int64_t begun = 0;      // milliseconds: when its job was sent
    int64_t since = 0;      // the same, or when a connection was last let go for it
    bool accepted = false;  // a worker has taken this connection
    std::unique_ptr<DeliveryJob> job;
  };
  [[nodiscard]] bool may_start(const std::string& site) const;
  void give_back(const DeliveryJob& job);
  Place* free_place_for(const std::string& site);
  bool give(Place& place, const std::string& site);
  void close(Place& place);
  [[nodiscard]] Place* unaccepted(int64_t before);
  void free_a_worker();
  void back_off(const Failure& failure);

  std::string service_;
  Connections connections_;
  size_t concurrency_ = 0;
  size_t site_limit_ = 0;
  const Poller& poller_;
  Sites* known_;
  std::map<std::string, std::deque<DeliveryJob>> sites_;
  std::deque<std::string> turns_;             // sites that have jobs, in turn
  std::map<int, Place> places_;               // by descriptor
  std::map<std::string, size_t> running_of_;  // by site
  std::vector<DeliveryJob> unsendable_;
  size_t running_ = 0;
  size_t waiting_ = 0;
  int64_t not_before_ = 0;  // milliseconds
  bool said_away_ = false;
};

}  // namespace postern
