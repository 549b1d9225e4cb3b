#include "local/forward.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/scratch.h"

using namespace postern;

TEST_CASE("SUCCESS leaves NOTIFY when an address is expanded") {
  CHECK(notify_without_success("") == "");
  CHECK(notify_without_success("NEVER") == "NEVER");
  CHECK(notify_without_success("SUCCESS") == "NEVER");
  CHECK(notify_without_success("success,FAILURE") == "FAILURE");
  CHECK(notify_without_success("FAILURE,SUCCESS,DELAY") == "FAILURE,DELAY");
}

TEST_CASE("extras go on with a forward as far as they may") {
  using namespace std::string_view_literals;
  const std::string_view extras = "rFULL\0eid\0b8BITMIME\0u\0told@x\0nSUCCESS,DELAY\0orfc822;old@x\0"sv;
  const auto made = [&](Notices notices) {
    Result<Envelope> envelope = forward_envelope(extras, "s@t", {"a@b", "c@d"}, notices);
    REQUIRE(envelope.ok());
    CHECK(envelope->sender == "s@t");
    CHECK(envelope->recipients.size() == 2);
    CHECK(envelope->body == "8BITMIME");
    CHECK(envelope->smtputf8);
    const Recipient& last = envelope->recipients.back();
    return envelope->ret + " " + envelope->envid + " " + last.notify + " " + last.orcpt;
  };
  CHECK(made(Notices::pass_on) == "FULL id SUCCESS,DELAY rfc822;old@x");
  CHECK(made(Notices::expand) == "FULL id DELAY rfc822;old@x");
  CHECK(made(Notices::keep) == "   ");
  CHECK_FALSE(forward_envelope("tno end", "s", {"a@b"}, Notices::expand).ok());
}

TEST_CASE("an address without a domain is one of this host") {
  const ScratchHome home;
  home.write("control/me", "mx.example.org\n");
  Result<Envelope> envelope = forward_envelope("", "", {"joe"}, Notices::pass_on);
  REQUIRE(envelope.ok());
  CHECK(envelope->recipients.front().address == "joe@mx.example.org");
}
