#include "queue/channel.h"

#include <doctest/doctest.h>
#include <time.h>

#include "lib/child.h"
#include "scratch.h"

using namespace postern;

TEST_CASE("a channel whose resident is away is looked at again, however late the caller is") {
  const ScratchHome home;
  const Poller poller;
  Channel channel("nobody", Channel::Connections::any_serves, poller);
  channel.set_limits(10, 10);
  CHECK(channel.wait() == -1);
  DeliveryJob job;
  job.mid = 1;
  job.site = "example.org";
  job.arguments = {"example.org", "", "a@example.org"};
  channel.add(std::move(job));
  channel.start_jobs();
  CHECK(channel.running() == 0);
  int64_t left = channel.wait();
  CHECK(left > 0);
  // The pause ends between two looks at the clock: it must not be forgotten with the job in line.
  for (const int64_t end = now_milliseconds() + left; now_milliseconds() <= end;) {
    const timespec step{0, 5000000};
    ::nanosleep(&step, nullptr);
  }
  CHECK(channel.wait() == 0);
  channel.start_jobs();
  left = channel.wait();
  CHECK(left > 0);
}
