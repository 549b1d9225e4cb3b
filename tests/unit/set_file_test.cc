#include "scanq/set_file.h"

#include <doctest/doctest.h>

#include <string>

#include "scratch.h"

using namespace postern;
using namespace std::string_literals;

namespace {

Fd sealed(std::string_view bytes) {
  Fd file = memory_with(bytes);
  REQUIRE(seal(file.get()).ok());
  return file;
}

Output output(uint64_t mid, const Fd& message, const std::vector<Hold>& holds = {}) {
  Output made;
  made.mid = mid;
  Result<Fd> handle = twin(message);
  REQUIRE(handle.ok());
  made.message = std::move(*handle);
  made.envelope.sender = "a@example.org";
  made.envelope.recipients = {
      {.address = "b@example.net", .notify = "NEVER", .orcpt = "rfc822;b", .route = "[::1]:25"},
      {.address = "c@example.net", .notify = {}, .orcpt = {}}};
  made.envelope.ret = "HDRS";
  made.envelope.envid = "x";
  made.envelope.body = "8BITMIME";
  made.envelope.smtputf8 = true;
  made.environment.set("POSTERN_MID", std::to_string(mid));
  made.environment.set("POSTERN_TAG_X", "a=b\nc");
  made.holds = holds;
  return made;
}

std::vector<Output> some_outputs() {
  const Fd message = sealed("Subject: x\n\nbody\n");
  const Fd other = sealed("");
  std::vector<Output> outputs;
  outputs.push_back(output(17, message));
  outputs.push_back(output(18, other, {{"Virus", "Eicar\tfound"}, {"archive all", ""}}));
  outputs.push_back(output(19, message));
  return outputs;
}

std::string bytes_of(const std::vector<Output>& outputs) {
  Result<Fd> file = make_set_file(outputs);
  REQUIRE(file.ok());
  CHECK(is_sealed(file->get()));
  return content_of(file->get());
}

Result<std::vector<Output>> read_bytes(std::string_view bytes) {
  const Fd file = memory_with(bytes);
  return read_set_file(file.get());
}

// A set of these records and nothing else.
std::string with_records(const std::string& records, const std::string& messages) {
  std::string bytes = "POSTSET1";
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(records.size() >> (8 * i) & 255);
  return bytes + records + messages;
}

}  // namespace

TEST_CASE("a set gives back all that was put into it, a shared message once") {
  const std::vector<Output> outputs = some_outputs();
  const std::string bytes = bytes_of(outputs);
  CHECK(bytes.find("Subject: x") == bytes.rfind("Subject: x"));
  Result<std::vector<Output>> read = read_bytes(bytes);
  REQUIRE(read.ok());
  REQUIRE(read->size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    const Output& before = outputs[i];
    const Output& after = (*read)[i];
    CHECK(after.mid == before.mid);
    CHECK(content_of(after.message.get()) == content_of(before.message.get()));
    CHECK(is_sealed(after.message.get()));
    CHECK(after.environment.pairs() == before.environment.pairs());
    CHECK(serialise_envelope(after.envelope) == serialise_envelope(before.envelope));
    CHECK(serialise_extras(after.envelope) == serialise_extras(before.envelope));
    REQUIRE(after.holds.size() == before.holds.size());
    for (size_t k = 0; k < after.holds.size(); ++k) {
      CHECK(after.holds[k].quarantine == before.holds[k].quarantine);
      CHECK(after.holds[k].reason == before.holds[k].reason);
    }
  }
}

TEST_CASE("a set that is cut, or has more than it says, is none") {
  const std::string bytes = bytes_of(some_outputs());
  for (size_t length = 0; length < bytes.size(); ++length) {
    CAPTURE(length);
    Result<std::vector<Output>> read = read_bytes(std::string_view(bytes).substr(0, length));
    REQUIRE_FALSE(read.ok());
    CHECK_FALSE(read.failure().permanent());
  }
  CHECK_FALSE(read_bytes(bytes + "x").ok());
}

TEST_CASE("a set with anything wrong in it is none") {
  const auto records = [](std::initializer_list<const char*> lines) {
    std::string all;
    for (const char* line : lines) all.append(line).push_back('\0');
    return all;
  };
  CHECK(read_bytes(with_records(records({"m2", "Q5", "i0", "s", "tb@example.net"}), "xy")).ok());
  CHECK(read_bytes(with_records(records({"m0", "H5", "i0", "kVirus", "w", "s", "tb"}), "")).ok());
  for (const std::string& wrong : {
           records({}),
           records({"m2"}),
           records({"Q5", "i0", "s", "tb"}),                               // no message
           records({"m2", "Q5", "i1", "s", "tb"}),                         // nor that one
           records({"m2", "Q5", "i0", "s"}),                               // no recipient
           records({"m2", "Q5", "i0", "tb"}),                              // no sender
           records({"m2", "Q5", "s", "tb"}),                               // no number of a message
           records({"m2", "Q0", "i0", "s", "tb"}),                         // no mid
           records({"m2", "Q9223372036854775808", "i0", "s", "tb"}),       // nor one
           records({"m2", "Q5", "i0", "s", "tb", "Q5", "i0", "s", "tb"}),  // the same twice
           records({"m2", "Q5", "i0", "s", "tb", "m0"}),
           records({"m-2", "Q5", "i0", "s", "tb"}),
           records({"m18446744073709551615", "Q5", "i0", "s", "tb"}),
           records({"m2", "H5", "i0", "s", "tb"}),            // held, and nowhere
           records({"m2", "H5", "i0", "kVirus", "s", "tb"}),  // without a reason
           records({"m2", "H5", "i0", "wx", "s", "tb"}),      // a reason for nothing
           records({"m2", "H5", "i0", "k", "wx", "s", "tb"}),
           records({"m2", "Q5", "i0", "kVirus", "wx", "s", "tb"}),  // queued, and held
           records({"m2", "Q5", "i0", "i0", "s", "tb"}),
           records({"m2", "Q5", "i0", "s", "s", "tb"}),
           records({"m2", "Q5", "i0", "s", "nNEVER", "tb"}),  // NOTIFY of nobody
           records({"m2", "Q5", "i0", "s", "tb", "h-"}),
           records({"m2", "Q5", "i0", "s", "tb", "vnovalue"}),
           records({"m2", "Q5", "i0", "s", "tb", "v=x"}),
           records({"m2", "Q5", "i0", "s", "tb", "x"}),
           records({"m2", "Q5", "i0", "s", "tb", ""}),
           records({"m2", "Q5", "i0", "s", "tb"}) + "cut",
       }) {
    CAPTURE(wrong);
    Result<std::vector<Output>> read = read_bytes(with_records(wrong, "xy"));
    REQUIRE_FALSE(read.ok());
    CHECK_FALSE(read.failure().permanent());
  }
  std::string other_version = bytes_of(some_outputs());
  other_version[7] = '2';
  CHECK_FALSE(read_bytes(other_version).ok());
  std::string huge = with_records(records({"m2", "Q5", "i0", "s", "tb"}), "xy");
  for (size_t i = 8; i < 16; ++i) huge[i] = '\xff';
  CHECK_FALSE(read_bytes(huge).ok());
}
