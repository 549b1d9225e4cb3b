#include <doctest/doctest.h>

#include <string>

#include "quarantine/quarantine_list.h"
#include "quarantine/quarantine_release.h"
#include "quarantine/quarantine_store.h"

using namespace postern;

TEST_CASE("a quarantine's name is one plain directory's name") {
  for (const char* name : {"Virus", "Spam", "Policy 2", "a-b_c", "0"}) {
    CAPTURE(name);
    CHECK(valid_quarantine_name(name));
  }
  for (const char* name :
       {"", " ", " a", "a ", "-a", ".", "..", "a/b", "../a", "a.b", "a\tb", "a\nb", "\xc3\xa4", "a\"b"}) {
    CAPTURE(name);
    CHECK_FALSE(valid_quarantine_name(name));
  }
  CHECK(valid_quarantine_name(std::string(64, 'x')));
  CHECK_FALSE(valid_quarantine_name(std::string(65, 'x')));
  CHECK_FALSE(valid_quarantine_name(std::string_view("a\0b", 3)));
}

TEST_CASE("a field of a header is found, unfolded and never looked for in the body") {
  struct Row {
    const char* header;
    const char* value;
  };
  const Row rows[] = {
      {"Subject: hello\n\n", "hello"},
      {"A: b\nSUBJECT :  spaced  \nC: d\n\n", "spaced"},
      {"Subject: one\n two\n\tthree\nTo: x\n\n", "one two three"},
      {"Subject:\r\n folded\r\n\r\n", " folded"},
      {"Subject: first\nSubject: second\n\n", "first"},
      {"A: b\n Subject: of a fold\n\n", ""},
      {"A: b\n\nSubject: body\n", ""},
      {"Subject-X: no\n\n", ""},
      {"Subject: no end", "no end"},
      {"", ""},
      {"\n\n", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.header);
    CHECK(header_value(row.header, "subject") == row.value);
  }
}

TEST_CASE("a held message is one line that nothing in it can forge") {
  QueuedMessage message;
  message.message_size = 1234;
  message.born = 1136214245ULL * 1000000 + 999999;
  message.envelope.sender = "a\tb@example.org";
  message.envelope.recipients = {{"x@example.net", {}, {}}, {"y>\n@example.net", {}, {}}};
  message.kept.set("POSTERN_REASON", "odd\nreason");
  CHECK(held_line(7, "Virus", message, "sub\tject\\") ==
        "7\tVirus\t2006-01-02T15:04:05Z\t1234\t<a\\x09b@example.org>\t<x@example.net>,<y>\\x0a@example.net>\t"
        "sub\\x09ject\\x5c\todd\\x0areason\n");
  message.envelope = {};
  message.kept = {};
  CHECK(held_line(7, "Virus", message, "") == "7\tVirus\t2006-01-02T15:04:05Z\t1234\t<>\t\t\t\n");
}

TEST_CASE("what is kept says where and why, and nothing of the request alone") {
  Environment request;
  for (const char* name : {"POSTERN_MID", "POSTERN_DIRECTION", "TCPREMOTEIP", "POSTERN_HOME", "PATH", "HOME",
                           "POSTERN_EXTRAS", "POSTERN_TAG_A", "POSTERN_QUEUE"}) {
    request.set(name, "v");
  }
  const Environment kept = held_variables(request, "Virus", std::string(2000, 'r'));
  for (const char* name : {"POSTERN_MID", "POSTERN_DIRECTION", "TCPREMOTEIP", "POSTERN_TAG_A"})
    CHECK(kept.get(name) == "v");
  for (const char* name : {"POSTERN_HOME", "PATH", "HOME", "POSTERN_EXTRAS", "POSTERN_QUEUE"})
    CHECK_FALSE(kept.get(name));
  CHECK(kept.get("POSTERN_QUARANTINE") == "Virus");
  CHECK(kept.get("POSTERN_REASON")->size() == kReasonLimit);

  QueuedMessage message;
  message.kept = kept;
  const Environment released = release_environment(message, "Virus", 513);
  CHECK(released.get("POSTERN_MID") == "513");
  CHECK(released.get("POSTERN_RELEASED") == "Virus");
  CHECK(released.get("POSTERN_DIRECTION") == "v");
  for (const char* name : {"POSTERN_TAG_A", "POSTERN_REASON", "POSTERN_QUARANTINE"})
    CHECK_FALSE(released.get(name));
}

TEST_CASE("spam is released into the queue, everything else to the scanner") {
  Environment environment;
  CHECK(release_target("Spam", environment) == "@queue");
  for (const char* name : {"Virus", "Policy", "spam", "Spam 2"})
    CHECK(release_target(name, environment) == "@scanq");
  environment.set("POSTERN_RELEASE_TO", "/bin/scanner");
  CHECK(release_target("Virus", environment) == "/bin/scanner");
  CHECK(release_target("Spam", environment) == "@queue");
  environment.set("POSTERN_QUEUE", "/bin/queue");
  CHECK(release_target("Spam", environment) == "/bin/queue");
}
