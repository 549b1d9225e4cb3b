#include "lib/spool.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "lib/mid.h"
#include "scratch.h"

using namespace postern;

namespace {

// A spool in a scratch directory with all of its folders.
class ScratchSpool : public Scratch {
 public:
  ScratchSpool() { REQUIRE(spool.make_directories().ok()); }

  [[nodiscard]] Result<StagedMessage> stage(uint64_t mid, std::string_view message = "x: y\n\nz\n",
                                            size_t limit = 1000) const {
    const Fd file = memory_with(message);
    Envelope envelope;
    envelope.sender = "a@example.org";
    envelope.recipients = {{"b@example.net", "", ""}};
    const Environment kept;
    return spool.stage(
        {.message = file.get(), .limit_bytes = limit, .first_header = "", .envelope = envelope, .kept = kept},
        mid);
  }
  uint64_t put(uint64_t mid) const {
    Result<StagedMessage> staged = stage(mid);
    REQUIRE(staged.ok());
    Result<uint64_t> committed = spool.commit(std::move(*staged));
    REQUIRE(committed.ok());
    return *committed;
  }
  [[nodiscard]] std::vector<uint64_t> mids(std::string_view where) const {
    Result<std::vector<uint64_t>> list = spool.list(where);
    REQUIRE(list.ok());
    std::sort(list->begin(), list->end());
    return *list;
  }
  [[nodiscard]] size_t files() const {
    return mids("tmp").size() + mids("new").size() + mids("cur").size() + mids("defer").size();
  }

  const Spool spool{path("queue")};
};

using Mids = std::vector<uint64_t>;

}  // namespace

TEST_CASE("a message goes from tmp to new to cur and is gone when it is finished") {
  const ScratchSpool s;
  Result<StagedMessage> staged = s.stage(17);
  REQUIRE(staged.ok());
  CHECK(staged->mid() == 17);
  CHECK(staged->message_size() == 8);
  CHECK(s.mids("tmp") == Mids{17});
  CHECK(s.mids("new").empty());
  CHECK_FALSE(s.spool.open(17).ok());

  Result<uint64_t> committed = s.spool.commit(std::move(*staged));
  REQUIRE(committed.ok());
  CHECK(*committed == 17);
  CHECK(s.mids("tmp").empty());
  CHECK(s.mids("new") == Mids{17});
  CHECK(s.spool.open(17).ok());

  REQUIRE(s.spool.take(17).ok());
  CHECK(s.mids("new").empty());
  CHECK(s.mids("cur") == Mids{17});
  Result<Fd> file = s.spool.open(17);
  REQUIRE(file.ok());
  Result<QueuedMessage> queued = read_queue_file(file->get());
  REQUIRE(queued.ok());
  CHECK(queued->envelope.sender == "a@example.org");
  struct stat status {};
  REQUIRE(::fstat(file->get(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);

  REQUIRE(s.spool.finish(17, false).ok());
  CHECK(s.files() == 0);
  CHECK(s.spool.finish(17, true).ok());
}

TEST_CASE("what stands beside a message goes with it") {
  const ScratchSpool s;
  for (const char* how : {"finish", "remove"}) {
    CAPTURE(how);
    const uint64_t mid = s.put(5);
    REQUIRE(s.spool.take(mid).ok());
    s.write("queue/defer/5/5", "t 1 2 3\n");
    CHECK(s.mids("defer") == Mids{5});
    REQUIRE((how[0] == 'f' ? s.spool.finish(mid, true) : s.spool.remove(mid)).ok());
    CHECK(s.files() == 0);
  }
  REQUIRE(s.spool.remove(s.put(6)).ok());
  CHECK(s.files() == 0);
  CHECK(s.spool.remove(999).ok());
}

TEST_CASE("a message that is not committed leaves nothing") {
  const ScratchSpool s;
  {
    Result<StagedMessage> staged = s.stage(1);
    REQUIRE(staged.ok());
    StagedMessage moved = std::move(*staged);
    CHECK(moved.mid() == 1);
    StagedMessage assigned;
    assigned = std::move(moved);
    CHECK(s.mids("tmp") == Mids{1});
  }
  CHECK(s.files() == 0);
}

TEST_CASE("a failure while staging removes its debris") {
  const ScratchSpool s;
  Result<StagedMessage> staged = s.stage(1, std::string(1001, 'x'));
  REQUIRE_FALSE(staged.ok());
  CHECK(staged.failure().permanent());
  CHECK(staged.failure().exit_code == 31);
  CHECK(s.files() == 0);

  Envelope envelope;
  envelope.recipients = {{"b@example.net", "", ""}};
  const Environment kept;
  staged = s.spool.stage(
      {.message = -1, .limit_bytes = 10, .first_header = "", .envelope = envelope, .kept = kept}, 2);
  REQUIRE_FALSE(staged.ok());
  CHECK(staged.failure().exit_code == 54);
  CHECK_FALSE(staged.failure().permanent());
  CHECK(s.files() == 0);
}

TEST_CASE("a mid that is taken anywhere is replaced by another one") {
  const ScratchSpool s;
  CHECK(s.put(7) == 7);
  const uint64_t second = s.put(7);
  CHECK(second != 7);
  CHECK(s.mids("new") == Mids{7, second});

  REQUIRE(s.spool.take(7).ok());
  const uint64_t third = s.put(7);
  CHECK(third != 7);

  Result<StagedMessage> one = s.stage(9);
  Result<StagedMessage> other = s.stage(9);
  REQUIRE((one.ok() && other.ok()));
  // A file of that name under tmp/ may be what a killed writer left: only the commit decides.
  CHECK(one->mid() == 9);
  CHECK(other->mid() == 9);
  CHECK(*s.spool.commit(std::move(*other)) == 9);
  CHECK(*s.spool.commit(std::move(*one)) != 9);
  CHECK(s.mids("tmp").empty());
  CHECK(s.mids("new").size() == 4);

  Result<StagedMessage> made = s.stage(0);
  REQUIRE(made.ok());
  CHECK(made->mid() > 1000000);
}

TEST_CASE("who has committed the same message before adds nothing") {
  const ScratchSpool s;
  REQUIRE(s.put(5) == 5);
  for (const bool is_ours : {true, false}) {
    Result<StagedMessage> again = s.stage(5);
    REQUIRE(again.ok());
    Result<uint64_t> committed = s.spool.commit(std::move(*again), [&] { return Result<bool>(is_ours); });
    REQUIRE(committed.ok());
    CHECK((*committed == 5) == is_ours);
  }
  CHECK(s.mids("new").size() == 2);
  CHECK(s.mids("tmp").empty());
  Result<StagedMessage> again = s.stage(5);
  REQUIRE(again.ok());
  CHECK_FALSE(s.spool.commit(std::move(*again), [] { return Result<bool>(temporary("not known")); }).ok());
  CHECK(s.mids("tmp").empty());
}

TEST_CASE("no message is taken twice or over another one") {
  const ScratchSpool s;
  Result<void> taken = s.spool.take(3);
  REQUIRE_FALSE(taken.ok());
  CHECK(taken.failure().permanent());
  s.put(3);
  REQUIRE(s.spool.take(3).ok());
  REQUIRE_FALSE(s.spool.take(3).ok());
  s.write("queue/new/3/3", "another message");
  taken = s.spool.take(3);
  REQUIRE_FALSE(taken.ok());
  CHECK_FALSE(taken.failure().permanent());
  CHECK(s.read("queue/new/3/3") == "another message");
  CHECK(s.read("queue/cur/3/3") != "another message");
}

TEST_CASE("files are spread over the directories of the split, and other names are passed over") {
  const ScratchSpool s;
  for (uint64_t mid = 100; mid < 100 + 2 * POSTERN_SPLIT; ++mid) s.put(mid);
  CHECK(s.mids("new").size() == 2 * POSTERN_SPLIT);
  CHECK(s.spool.path("new", POSTERN_SPLIT + 3) == s.path("queue/new/3/" + std::to_string(POSTERN_SPLIT + 3)));
  for (const char* name : {"queue/new/0/README", "queue/new/0/12x", "queue/new/0/-1", "queue/new/0/.16",
                           "queue/new/0/0", "queue/new/0/99999999999999999999", "queue/new/0/16 "}) {
    s.write(name, "x");
  }
  CHECK(s.mids("new").size() == 2 * POSTERN_SPLIT);
  CHECK(s.spool.directories().size() == 4 * (POSTERN_SPLIT + 1));
  CHECK(s.spool.make_directories().ok());
}

TEST_CASE("only what is older than 36 hours is garbage in tmp") {
  const ScratchSpool s;
  s.write("queue/tmp/1/1", "old");
  s.write("queue/tmp/2/2", "young");
  s.write("queue/new/1/1", "old, but complete");
  const time_t old = ::time(nullptr) - 36 * 3600 - 60;
  const time_t young = ::time(nullptr) - 35 * 3600;
  for (const auto& [name, when] :
       {std::pair{"queue/tmp/1/1", old}, {"queue/tmp/2/2", young}, {"queue/new/1/1", old}}) {
    const timespec times[2] = {{when, 0}, {when, 0}};
    REQUIRE(::utimensat(AT_FDCWD, s.path(name).c_str(), times, 0) == 0);
  }
  s.spool.collect_garbage();
  CHECK(s.mids("tmp") == Mids{2});
  CHECK(s.mids("new") == Mids{1});
}

TEST_CASE("what stands in defer beside no message is garbage") {
  const ScratchSpool s;
  s.put(1);
  s.put(2);
  REQUIRE(s.spool.take(2).ok());
  for (const char* mid : {"1", "2", "3"}) s.write("queue/defer/" + std::string(mid) + "/" + mid, "t 1 2 3\n");
  s.spool.collect_garbage();
  CHECK(s.mids("defer") == Mids{1, 2});
}

TEST_CASE("a spool whose directories are missing is a temporary failure of the queue") {
  const Scratch scratch;
  const Spool spool(scratch.path("nothing"));
  const Fd message = memory_with("x\n");
  Envelope envelope;
  envelope.recipients = {{"b@example.net", "", ""}};
  const Environment kept;
  Result<StagedMessage> staged = spool.stage(
      {.message = message.get(), .limit_bytes = 10, .first_header = "", .envelope = envelope, .kept = kept},
      1);
  REQUIRE_FALSE(staged.ok());
  CHECK(staged.failure().exit_code == 63);
  CHECK_FALSE(staged.failure().permanent());
  CHECK(spool.list("new").failure().exit_code == 62);
  CHECK(spool.open(1).failure().permanent());
  CHECK_FALSE(Spool(scratch.path("no/such/parent")).make_directories().ok());

  ScratchSpool s;
  Result<StagedMessage> lost = s.stage(1);
  REQUIRE(lost.ok());
  REQUIRE(::rmdir(s.path("queue/new/1").c_str()) == 0);
  Result<uint64_t> committed = s.spool.commit(std::move(*lost));
  REQUIRE_FALSE(committed.ok());
  CHECK(committed.failure().exit_code == 64);
  CHECK(s.mids("tmp").empty());
}
