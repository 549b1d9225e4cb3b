#include "lib/queue_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string>

#include "scratch.h"

using namespace postern;

namespace {

constexpr const char* kMessage = "Subject: hello\n\nbody\n";
constexpr size_t kLimit = 1 << 20;

Envelope full_envelope() {
  Envelope envelope;
  envelope.sender = "a@example.org";
  envelope.ret = "FULL";
  envelope.envid = "id+2B1";
  envelope.body = "8BITMIME";
  envelope.smtputf8 = true;
  envelope.recipients = {
      {"b@example.net", "NEVER", ""}, {"c@example.net", "", "rfc822;c"}, {"d\xff@example.net", "", ""}};
  return envelope;
}

Environment some_variables() {
  Environment kept;
  kept.set("POSTERN_HELO", "client=x.example");
  kept.set("TCPREMOTEIP", "");
  return kept;
}

// The bytes of a whole queue file of that message.
std::string file_of(const Envelope& envelope, const Environment& kept, std::string_view message = kMessage) {
  const Fd in = memory_with(message);
  const Fd to = memory_with("");
  REQUIRE(write_queue_file(to.get(), in.get(), kLimit, "", envelope, kept).ok());
  return content_of(to.get());
}

Result<QueuedMessage> read_bytes(std::string_view bytes) {
  const Fd file = memory_with(bytes);
  return read_queue_file(file.get());
}

}  // namespace

TEST_CASE("a queue file gives back all that was put into it") {
  const Fd in = memory_with(kMessage);
  const Fd to = memory_with("");
  Result<QueuedMessage> written =
      write_queue_file(to.get(), in.get(), kLimit, "Received: x\n", full_envelope(), some_variables());
  REQUIRE(written.ok());
  Result<QueuedMessage> read = read_queue_file(to.get());
  REQUIRE(read.ok());
  for (const QueuedMessage* queued : {&*written, &*read}) {
    CHECK(queued->message_size == std::string("Received: x\n").size() + std::string(kMessage).size());
    CHECK(queued->message_hash == written->message_hash);
    CHECK(queued->born == written->born);
    CHECK(queued->envelope.sender == "a@example.org");
    CHECK(serialise_envelope(queued->envelope) == serialise_envelope(full_envelope()));
    CHECK(serialise_extras(queued->envelope) == serialise_extras(full_envelope()));
    CHECK(queued->kept.pairs() == some_variables().pairs());
    CHECK(queued->states == std::vector<RecipientState>(3, RecipientState::pending));
    CHECK(queued->state_offsets == written->state_offsets);
  }
  CHECK(content_of(to.get()).starts_with(std::string("Received: x\n") + kMessage));
  CHECK(*message_intact(to.get(), *read));
}

TEST_CASE("a file with routes is of version 2, one without of version 1") {
  Envelope envelope = full_envelope();
  const auto version = [](const std::string& file) { return file[file.size() - 20]; };
  CHECK(version(file_of(envelope, some_variables())) == 1);
  envelope.recipients.back().route = "relay.example:2525";
  const std::string file = file_of(envelope, some_variables());
  CHECK(version(file) == 2);
  Result<QueuedMessage> read = read_bytes(file);
  REQUIRE(read.ok());
  CHECK(read->envelope.recipients.back().route == "relay.example:2525");
  CHECK(read->envelope.recipients.front().route.empty());
  CHECK(serialise_extras(read->envelope) == serialise_extras(envelope));
}

TEST_CASE("odd messages and envelopes are kept to the byte") {
  const std::string messages[] = {"",
                                  "\n",
                                  std::string("\0\r\n.\xff", 5),
                                  std::string(65536, 'x'),
                                  std::string(65537, '\0'),
                                  file_of(full_envelope(), {})};
  Envelope bare;
  bare.recipients = {{"", "", ""}};
  for (const std::string& message : messages) {
    CAPTURE(message.size());
    const Fd file = memory_with(file_of(bare, {}, message));
    Result<QueuedMessage> read = read_queue_file(file.get());
    REQUIRE(read.ok());
    CHECK(*pread_string(file.get(), 0, read->message_size, "read") == message);
    CHECK(*message_intact(file.get(), *read));
    CHECK(read->envelope.sender.empty());
    CHECK(read->envelope.recipients.size() == 1);
  }
}

TEST_CASE("a message comes from a pipe, and from offset 0 of a file wherever its offset stands") {
  const std::string message(100000, 'm');
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const Fd from(ends[0]);
  Fd into(ends[1]);
  REQUIRE(write_all(into.get(), message.substr(0, 5000), "write").ok());
  into.reset();
  const Fd to = memory_with("");
  Result<QueuedMessage> written = write_queue_file(to.get(), from.get(), kLimit, "", full_envelope(), {});
  REQUIRE(written.ok());
  CHECK(written->message_size == 5000);

  const Fd file = memory_with(message);
  REQUIRE(::lseek(file.get(), 77, SEEK_SET) == 77);
  const Fd second = memory_with("");
  written = write_queue_file(second.get(), file.get(), kLimit, "", full_envelope(), {});
  REQUIRE(written.ok());
  CHECK(written->message_size == message.size());
}

TEST_CASE("a message over its limit is refused for good, faults of ours for now") {
  const Fd in = memory_with(kMessage);
  const Fd to = memory_with("");
  const size_t size = std::string(kMessage).size();
  CHECK(write_queue_file(to.get(), in.get(), size, "", full_envelope(), {}).ok());
  Result<QueuedMessage> written =
      write_queue_file(memory_with("").get(), in.get(), size - 1, "", full_envelope(), {});
  REQUIRE_FALSE(written.ok());
  CHECK(written.failure().permanent());
  CHECK(written.failure().exit_code == 31);
  CHECK(written.failure().status == "5.3.4");

  const Fd directory{::open("/", O_RDONLY | O_CLOEXEC)};
  written = write_queue_file(memory_with("").get(), directory.get(), kLimit, "", full_envelope(), {});
  REQUIRE_FALSE(written.ok());
  CHECK_FALSE(written.failure().permanent());
  CHECK(written.failure().exit_code == 54);

  const Fd full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
  written = write_queue_file(full.get(), in.get(), kLimit, "", full_envelope(), {});
  REQUIRE_FALSE(written.ok());
  CHECK_FALSE(written.failure().permanent());
  CHECK(written.failure().exit_code == 53);
  CHECK(written.failure().status == "4.3.1");
}

TEST_CASE("every damaged byte behind the message is found; only a state may become another state") {
  const std::string whole = file_of(full_envelope(), some_variables());
  Result<QueuedMessage> original = read_bytes(whole);
  REQUIRE(original.ok());
  const std::string states = "PDXHR";
  size_t missed = 0;
  for (size_t at = original->message_size; at < whole.size(); ++at) {
    bool is_state = false;
    for (const off_t offset : original->state_offsets)
      is_state = is_state || static_cast<size_t>(offset) == at;
    for (unsigned change = 1; change < 256; ++change) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ change);
      const bool allowed = is_state && states.find(damaged[at]) != std::string::npos;
      Result<QueuedMessage> read = read_bytes(damaged);
      if (read.ok() != allowed) ++missed;
      if (!read.ok() && read.failure().permanent()) ++missed;
    }
  }
  CHECK(missed == 0);
}

TEST_CASE("a damaged message is found by its hash") {
  const std::string whole = file_of(full_envelope(), {});
  for (size_t at = 0; at < std::string(kMessage).size(); ++at) {
    CAPTURE(at);
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    const Fd file = memory_with(damaged);
    Result<QueuedMessage> read = read_queue_file(file.get());
    REQUIRE(read.ok());
    CHECK_FALSE(*message_intact(file.get(), *read));
  }
}

TEST_CASE("a queue file that is cut, longer, empty or something else is damaged, for now") {
  const std::string whole = file_of(full_envelope(), some_variables());
  for (size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    Result<QueuedMessage> read = read_bytes(whole.substr(0, length));
    REQUIRE_FALSE(read.ok());
    CHECK_FALSE(read.failure().permanent());
    CHECK(read.failure().text.starts_with("read the queue file: "));
  }
  for (const std::string& bytes :
       {whole + "x", "x" + whole, whole + whole, whole.substr(whole.size() - 64), std::string(64, '\0'),
        std::string(64, '\xff'), std::string(1000, 'P'), std::string("POSTERNQ")}) {
    CAPTURE(bytes.size());
    CHECK_FALSE(read_bytes(bytes).ok());
  }
  const Fd directory{::open("/", O_RDONLY | O_CLOEXEC)};
  CHECK_FALSE(read_queue_file(directory.get()).ok());
}

TEST_CASE("states are rewritten in place, again and again, and the file stays valid") {
  const Fd file = memory_with(file_of(full_envelope(), some_variables()));
  Result<QueuedMessage> queued = read_queue_file(file.get());
  REQUIRE(queued.ok());
  const size_t size = content_of(file.get()).size();
  for (const RecipientState state : {RecipientState::done, RecipientState::failed, RecipientState::held,
                                     RecipientState::removed, RecipientState::pending}) {
    for (size_t recipient = 0; recipient < queued->states.size(); ++recipient) {
      REQUIRE(write_state(file.get(), *queued, recipient, state).ok());
      Result<QueuedMessage> read = read_queue_file(file.get());
      REQUIRE(read.ok());
      CHECK(read->states[recipient] == state);
      CHECK(read->envelope.recipients[recipient].address == queued->envelope.recipients[recipient].address);
    }
  }
  CHECK(content_of(file.get()).size() == size);
  CHECK(*message_intact(file.get(), *queued));
  const Fd unwritable{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  CHECK_FALSE(write_state(unwritable.get(), *queued, 0, RecipientState::done).ok());
}

TEST_CASE(
    "only what is surely broken is called damaged: not a newer version's file, nor one that is not read") {
  const std::string whole = file_of(full_envelope(), some_variables());
  std::string newer = whole;
  newer[whole.size() - 20] = 3;  // the version in the trailer
  Result<QueuedMessage> read = read_bytes(newer);
  REQUIRE_FALSE(read.ok());
  CHECK_FALSE(read.failure().damaged);
  CHECK(read.failure().text.find("version 3") != std::string::npos);

  const Scratch scratch;
  const Fd closed{::open(scratch.write("1", whole).c_str(), O_WRONLY | O_CLOEXEC)};
  read = read_queue_file(closed.get());
  REQUIRE_FALSE(read.ok());
  CHECK_FALSE(read.failure().damaged);
  CHECK_FALSE(message_intact(closed.get(), *read_bytes(whole)).ok());

  for (const std::string& broken : {whole.substr(1), whole.substr(0, whole.size() - 1), std::string()}) {
    read = read_bytes(broken);
    REQUIRE_FALSE(read.ok());
    CHECK(read.failure().damaged);
  }
  std::string changed = whole;
  changed[whole.size() - 30] ^= 1;  // in the trailer
  CHECK(read_bytes(changed).failure().damaged);
}
