#include "remote/address_limits.h"

#include <doctest/doctest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <set>
#include <string>

#include "lib/child.h"
#include "lib/text.h"
#include "scratch.h"

using namespace postern;

namespace {

AddressLimit limit(unsigned connections, unsigned recipients = 0, const std::string& key = "192.0.2.1",
                   const std::string& site = "one.example") {
  return {.key = key, .site = site, .connections = connections, .recipients = recipients, .minutes = 1};
}

// How many recipients may go; 1000: they could not be counted.
size_t enter(AddressLimits& limits, const AddressLimit& of, size_t recipients = 1) {
  const Result<AddressLimits::Verdict> verdict = limits.enter(of, recipients);
  return verdict ? verdict->recipients : 1000;
}

size_t go_on(AddressLimits& limits, const AddressLimit& of, size_t recipients = 1) {
  const Result<AddressLimits::Verdict> verdict = limits.go_on(of, recipients);
  return verdict ? verdict->recipients : 1000;
}

// A worker that does this and then waits to be killed.
template <typename Work>
pid_t start_worker(const Work& work) {
  int done[2] = {-1, -1};
  REQUIRE(::pipe(done) == 0);
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    work();
    if (::write(done[1], "x", 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char byte = 0;
  REQUIRE(::read(done[0], &byte, 1) == 1);
  ::close(done[0]);
  ::close(done[1]);
  return pid;
}

void kill_worker(pid_t pid) {
  REQUIRE(::kill(pid, SIGKILL) == 0);
  REQUIRE(::waitpid(pid, nullptr, 0) == pid);
}

int64_t wall_milliseconds() {
  return static_cast<int64_t>(now_microseconds() / 1000);
}

// That of limit(), made where it is missing.
size_t slot_of(LimitTable& table) {
  REQUIRE((table.is_open() || table.open().ok()));
  const uint64_t hash = table.hash("192.0.2.1");
  const Result<LimitTable::Row> row = table.lock(hash);
  REQUIRE(row.ok());
  const Result<std::optional<size_t>> found = table.find(*row, hash, 0);
  REQUIRE((found.ok() && *found));
  return **found;
}

// Ends are times since the machine was booted: there is none before that.
bool booted_within(int64_t seconds, const char* what) {
  if (now_milliseconds() >= seconds * 1000) return false;
  std::printf("SKIP: %s: the machine was booted less than %lld s ago\n", what,
              static_cast<long long>(seconds));
  return true;
}

}  // namespace

TEST_CASE("workers together have as many connections to an address as its limit, and each address its own") {
  const Scratch scratch;
  AddressLimits first(scratch.path("addresses"));
  AddressLimits second(scratch.path("addresses"));
  AddressLimits third(scratch.path("addresses"));
  CHECK(enter(first, limit(2)) == 1);
  CHECK(enter(second, limit(2)) == 1);
  const Result<AddressLimits::Verdict> full = third.enter(limit(2), 1);
  REQUIRE(full.ok());
  CHECK(full->recipients == 0);
  CHECK(full->wait == 1000);
  CHECK(full->why == "4.4.5 max_host_concurrency=2 is reached for 192.0.2.1");
  CHECK_FALSE(third.has_place());
  // Another site that shares the host, too; another address, and another gateway, has its own.
  CHECK(enter(third, limit(2, 0, "192.0.2.1", "other.example")) == 0);
  CHECK(enter(third, limit(2, 0, "192.0.2.2")) == 1);
  CHECK(enter(third, limit(2, 0, "192.0.2.1 by bulk")) == 1);
  AddressLimits fourth(scratch.path("addresses"));
  const Result<AddressLimits::Verdict> by_bulk = fourth.enter(limit(0, 0, "192.0.2.1 by bulk"), 1);
  REQUIRE(by_bulk.ok());
  CHECK(by_bulk->why == "4.4.5 max_host_concurrency=0 is reached for 192.0.2.1");
  first.leave();
  CHECK(enter(third, limit(2, 0, "192.0.2.1", "other.example")) == 1);
  CHECK(enter(first, limit(2)) == 0);
}

TEST_CASE("a place is given up for another one, kept for the same limit, and not above a lower one") {
  const Scratch scratch;
  AddressLimits first(scratch.path("addresses"));
  AddressLimits second(scratch.path("addresses"));
  CHECK(enter(first, limit(1)) == 1);
  CHECK(first.stays(limit(1)));
  CHECK_FALSE(first.stays(limit(1, 0, "192.0.2.2")));
  CHECK(enter(first, limit(1, 0, "192.0.2.2")) == 1);
  CHECK(enter(second, limit(1)) == 1);
  second.leave();
  CHECK_FALSE(second.stays(limit(1)));
  // Those above a limit that is lower now must go before a new one may come.
  AddressLimits third(scratch.path("addresses"));
  CHECK(enter(second, limit(2)) == 1);
  CHECK(enter(third, limit(2)) == 1);
  AddressLimits& above = second.stays(limit(1)) ? third : second;
  AddressLimits& below = second.stays(limit(1)) ? second : third;
  below.leave();
  CHECK(enter(first, limit(1)) == 0);
  above.leave();
  CHECK(enter(first, limit(1)) == 1);
}

TEST_CASE("the place of a worker that is killed is free, and what it was sending counts") {
  const Scratch scratch;
  AddressLimits limits(scratch.path("addresses"));
  const pid_t worker = start_worker([&] { REQUIRE(enter(limits, limit(1, 10), 7) == 7); });
  CHECK(enter(limits, limit(1, 10)) == 0);
  kill_worker(worker);
  CHECK(enter(limits, limit(1, 10), 7) == 3);
  limits.settle(true);
  const Result<AddressLimits::Verdict> full = limits.go_on(limit(1, 10), 1);
  REQUIRE(full.ok());
  CHECK(full->recipients == 0);
  CHECK(full->wait > 50000);
  CHECK(full->wait <= 62000);
  CHECK(full->why == "4.4.5 recipient_limit=10 is reached for 192.0.2.1");
}

TEST_CASE(
    "recipients count while they are out and after, in the next process too, and not where none was named") {
  const Scratch scratch;
  AddressLimits first(scratch.path("addresses"));
  AddressLimits second(scratch.path("addresses"));
  CHECK(enter(first, limit(5, 10), 4) == 4);
  CHECK(enter(second, limit(5, 10), 100) == 6);
  CHECK(enter(second, limit(5, 10), 100) == 6);  // nothing had come of the six
  second.settle(true);
  CHECK(go_on(second, limit(5, 10)) == 0);
  first.leave();
  CHECK(go_on(second, limit(5, 10), 9) == 4);
  second.settle(true);
  second.leave();
  AddressLimits next(scratch.path("addresses"));
  CHECK(enter(next, limit(5, 10)) == 0);
  CHECK(enter(next, limit(5, 12), 5) == 2);
  // flush --all: what ended before does not count, what is out does.
  AddressLimit reset = limit(5, 12);
  reset.count_from = now_milliseconds();
  CHECK(enter(first, reset, 100) == 10);
  first.settle(true);
  next.settle(true);
  CHECK(enter(first, reset) == 0);
}

TEST_CASE("a site that has no place gets one when the other has had its turn") {
  const Scratch scratch;
  AddressLimits first(scratch.path("addresses"));
  AddressLimits second(scratch.path("addresses"));
  AddressLimits other(scratch.path("addresses"));
  const AddressLimit theirs = limit(2, 0, "192.0.2.1", "other.example");
  CHECK(enter(first, limit(2)) == 1);
  CHECK(enter(second, limit(2)) == 1);
  CHECK_FALSE(first.is_wanted());
  CHECK(enter(other, theirs) == 0);
  CHECK(first.is_wanted());
  CHECK(go_on(first, limit(2)) == 1);  // its turn has only begun
  first.leave();
  // The place is for the one that waits.
  CHECK(enter(first, limit(2)) == 0);
  CHECK(enter(other, theirs) == 1);
  CHECK_FALSE(second.is_wanted());
  // One that has a place does not count as waiting.
  CHECK(enter(first, limit(2)) == 0);
  CHECK_FALSE(other.is_wanted());
}

TEST_CASE("a table that is full holds back what it cannot count, and says so") {
  const Scratch scratch;
  AddressLimits limits(scratch.path("addresses"));
  LimitTable table(scratch.path("addresses"));
  REQUIRE(table.open().ok());
  // All keys of one row.
  std::set<std::string> keys;
  for (int i = 0; keys.size() <= LimitTable::kRow; ++i) {
    const std::string key = "address" + std::to_string(i);
    if (table.hash(key) % (LimitTable::kSlots / LimitTable::kRow) == 7) keys.insert(key);
  }
  const std::string last = *keys.begin();
  keys.erase(last);
  for (const std::string& key : keys) {
    REQUIRE(enter(limits, limit(1, 10, key)) == 1);
    limits.settle(true);
  }
  Result<AddressLimits::Verdict> full = limits.enter(limit(1, 10, last), 1);
  REQUIRE(full.ok());
  CHECK(full->recipients == 0);
  CHECK(full->why == "4.4.5 too many addresses with a limit are in use");
  // Nothing of it counts any more: it makes room.
  AddressLimit again = limit(1, 10, *keys.begin());
  again.count_from = now_milliseconds();
  REQUIRE(enter(limits, again) == 1);
  limits.settle(false);
  limits.leave();
  CHECK(enter(limits, limit(1, 10, last)) == 1);
}

TEST_CASE("what cannot be counted is not sent") {
  const Scratch scratch;
  AddressLimits limits(scratch.path("none/addresses"));
  const Result<AddressLimits::Verdict> verdict = limits.enter(limit(1, 10), 1);
  REQUIRE_FALSE(verdict.ok());
  CHECK(verdict.failure().status == "4.3.0");
  CHECK_FALSE(verdict.failure().permanent());
}

TEST_CASE("what another boot has left counts from when it was written, or from this boot") {
  const Scratch scratch;
  const std::string path = scratch.path("addresses");
  LimitTable table(path);
  const size_t slot = slot_of(table);
  LimitSlot content{};
  content.boot = table.boot() + 1;
  content.written = wall_milliseconds();
  content.end_count = 1;
  content.when[0] = UINT32_MAX;
  content.recipients[0] = 5;
  content.out[3] = 4;
  REQUIRE(table.write(slot, content).ok());
  AddressLimits limits(path);
  CHECK(enter(limits, limit(1, 10), 5) == 1);
  limits.leave();
  content.written -= 70000;
  REQUIRE(table.write(slot, content).ok());
  const bool booted_before = now_milliseconds() > 70000;
  CHECK(enter(limits, limit(1, 10), 5) == (booted_before ? 5 : 1));
}

TEST_CASE("a domain with fewer minutes leaves what counts for another one at the same address") {
  const Scratch scratch;
  AddressLimits limits(scratch.path("addresses"));
  LimitTable table(scratch.path("addresses"));
  AddressLimit hour = limit(5, 100);
  hour.minutes = 60;
  REQUIRE(enter(limits, hour, 90) == 90);
  limits.settle(true);
  if (booted_within(300, "two windows at one address")) return;
  const size_t slot = slot_of(table);
  LimitSlot content = *table.read(slot);
  REQUIRE(content.end_count == 1);
  content.when[0] -= 120;
  REQUIRE(table.write(slot, content).ok());
  CHECK(go_on(limits, limit(5, 20), 8) == 8);
  limits.settle(true);
  CHECK(go_on(limits, limit(5, 20), 100) == 12);
  limits.settle(false);
  CHECK(go_on(limits, hour, 100) == 2);
}

TEST_CASE("however many ends there are, each counts, and a twentieth of its time longer at most") {
  const Scratch scratch;
  AddressLimits limits(scratch.path("addresses"));
  LimitTable table(scratch.path("addresses"));
  constexpr uint32_t kApart = 18;
  const auto now = static_cast<uint32_t>(now_milliseconds() / 1000);
  if (booted_within(LimitSlot::kEnds * kApart, "a full table of ends")) return;
  const size_t slot = slot_of(table);
  LimitSlot content{};
  content.boot = table.boot();
  content.written = wall_milliseconds();
  content.end_count = LimitSlot::kEnds;
  for (size_t i = 0; i < LimitSlot::kEnds; ++i) {
    content.when[i] = now - kApart * static_cast<uint32_t>(LimitSlot::kEnds - i);
    content.recipients[i] = 1;
  }
  REQUIRE(table.write(slot, content).ok());
  AddressLimit of = limit(1, 1000);
  REQUIRE(enter(limits, of, 200) == 200);
  limits.settle(true);
  CHECK(table.read(slot)->end_count < LimitSlot::kEnds);
  for (const unsigned minutes : {1U, 2U, 5U, 10U, 30U, 57U}) {
    CAPTURE(minutes);
    of.minutes = minutes;
    of.recipients = 200 + (minutes * 60 - 1) / kApart;
    CHECK(go_on(limits, of) == 0);
    of.recipients = 200 + minutes * 63 / kApart + 2;
    CHECK(go_on(limits, of) == 1);
    limits.settle(false);
  }
}

TEST_CASE("flush --all leaves what has ended after it") {
  const Scratch scratch;
  AddressLimits limits(scratch.path("addresses"));
  REQUIRE(enter(limits, limit(1, 10), 7) == 7);
  limits.settle(true);
  AddressLimit reset = limit(1, 10);
  reset.count_from = now_milliseconds() - 5000;
  CHECK(go_on(limits, reset, 10) == 3);
  limits.settle(false);
  reset.count_from = now_milliseconds();
  CHECK(go_on(limits, reset, 10) == 10);
}

TEST_CASE("sites with different limits of connections: the lower one has its turn") {
  const Scratch scratch;
  const std::string path = scratch.path("addresses");
  AddressLimits first(path), second(path), third(path), other(path), more(path);
  const AddressLimit theirs = limit(2, 0, "192.0.2.1", "other.example");
  CHECK(enter(first, limit(4)) == 1);
  CHECK(enter(second, limit(4)) == 1);
  CHECK(enter(third, limit(4)) == 1);
  CHECK(enter(other, theirs) == 0);
  CHECK(first.is_wanted());
  // Below its own limit, but not below that of the one that waits.
  CHECK(enter(more, limit(4)) == 0);
  first.leave();
  CHECK(enter(other, theirs) == 0);
  CHECK(enter(first, limit(4)) == 0);
  second.leave();
  CHECK(enter(second, limit(4)) == 0);
  // The one that is left has a place with a number that need not be the first.
  CHECK(enter(other, theirs) == 1);
  CHECK(enter(first, limit(4)) == 1);
  CHECK(enter(second, limit(4)) == 1);
}

TEST_CASE("without a boot id what has been reached is free again after its minutes, whoever asks meanwhile") {
  const Scratch scratch;
  const std::string path = scratch.path("addresses");
  const auto unknown = [] { return std::string("unknown"); };
  AddressLimits limits(path, unknown);
  REQUIRE(enter(limits, limit(1, 10), 10) == 10);
  limits.settle(true);
  limits.leave();
  LimitTable table(path, unknown);
  const size_t slot = slot_of(table);
  LimitSlot content = *table.read(slot);
  content.written -= 50000;
  REQUIRE(table.write(slot, content).ok());
  CHECK(enter(limits, limit(1, 10)) == 0);
  CHECK(table.read(slot)->written == content.written);
  content.written -= 20000;
  REQUIRE(table.write(slot, content).ok());
  if (now_milliseconds() > 100000) CHECK(enter(limits, limit(1, 10)) == 1);
}

TEST_CASE("a file that is short, damaged or of another version does no harm") {
  const Scratch scratch;
  const std::string path = scratch.path("addresses");
  for (const size_t bytes : {1U, 8U, 4096U, 10000U}) {
    CAPTURE(bytes);
    scratch.write("addresses", std::string(bytes, '\xff'));
    AddressLimits limits(path);
    CHECK(enter(limits, limit(1, 10), 10) == 10);
  }
  LimitTable table(path);
  const size_t slot = slot_of(table);
  for (const char byte : {'\xff', '\x7f', '\x01'}) {
    LimitSlot content{};
    std::fill_n(reinterpret_cast<char*>(&content), sizeof content, byte);
    content.boot = table.boot();
    REQUIRE(table.write(slot, content).ok());
    AddressLimits limits(path);
    CHECK(enter(limits, limit(2)) == 1);
    CHECK(go_on(limits, limit(2, 10)) == 0);
    AddressLimit reset = limit(2, 10);
    reset.count_from = now_milliseconds();
    CHECK(go_on(limits, reset) <= 1);
    limits.settle(true);
    limits.leave();
  }
}
