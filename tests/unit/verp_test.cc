#include "queue/verp.h"

#include "lib/envelope.h"

#include <doctest/doctest.h>

using namespace postern;

TEST_CASE("a sender that stands for one of each recipient is made out, any other is as it is") {
  struct Row {
    const char* sender;
    const char* recipient;
    const char* own;
    const char* told;
  };
  const Row rows[] = {
      {"list-@h.example-@[]", "joe@x.example", "list-joe=x.example@h.example", "list-@h.example"},
      {"l-@h-@[]", "\"a@b\"@x", "l-\"a@b\"=x@h", "l-@h"},
      {"l-@h-@[]", "joe", "l-@h-@[]", "l-@h"},
      {"l@m@h-@[]", "joe@x", "l@mjoe=x@h", "l@m@h"},
      {"@-@[]", "joe@x", "joe=x@", "@"},
      {"l-@h", "joe@x", "l-@h", "l-@h"},
      {"-@[]", "joe@x", "-@[]", "-@[]"},
      {"x-@[]", "joe@x", "x-@[]", "x-@[]"},
      {"#@[]", "joe@x", "#@[]", "#@[]"},
      {"", "joe@x", "", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.sender);
    CHECK(sender_for(row.sender, row.recipient) == row.own);
    CHECK(told_sender(row.sender) == row.told);
  }
}

TEST_CASE("neither the null reverse-path nor a double bounce can be told") {
  CHECK(is_notification_sender(""));
  CHECK(is_notification_sender("#@[]"));
  CHECK_FALSE(is_notification_sender("l-@h-@[]"));
}
