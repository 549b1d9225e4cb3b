#include "queue/bounce_request.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;
using namespace std::string_literals;

namespace {

BounceRequest two_failed() {
  return {.mid = 17,
          .sender = "a@example.org",
          .envid = "id",
          .arrival = 1136214245,
          .full = true,
          .recipients = {{"b@example.net", "rfc822;b", Action::failed, "5.1.1 no"},
                         {"c@example.net", "", Action::relayed, ""}}};
}

}  // namespace

TEST_CASE("a bounce request comes back as it was written") {
  const std::string bytes = serialise_bounce_request(two_failed());
  CHECK(
      bytes ==
      "m17\0sa@example.org\0eid\0a1136214245\0l0\0f\0rb@example.net\0orfc822;b\0kfailed\0d5.1.1 no\0rc@example.net\0o\0krelayed\0d\0"s);
  Result<BounceRequest> read = parse_bounce_request(bytes);
  REQUIRE(read.ok());
  CHECK(read->mid == 17);
  CHECK(read->sender == "a@example.org");
  CHECK(read->arrival == 1136214245);
  CHECK(read->full);
  REQUIRE(read->recipients.size() == 2);
  CHECK(read->recipients[0].orcpt == "rfc822;b");
  CHECK(read->recipients[0].why == "5.1.1 no");
  CHECK(serialise_bounce_request(*read) == bytes);
}

TEST_CASE("a reason with a NUL in it makes no record of its own") {
  BounceRequest request = two_failed();
  request.recipients[0].why = "5.1.1 no\0rforged@example.net"s;
  Result<BounceRequest> read = parse_bounce_request(serialise_bounce_request(request));
  REQUIRE(read.ok());
  CHECK(read->recipients.size() == 2);
  CHECK(read->recipients[0].why == "5.1.1 no");
}

TEST_CASE("a bounce request that is broken is refused for now") {
  for (const std::string& bytes : {""s,
                                   "m17"s,
                                   "m17\0"s,
                                   "m17\0sx\0"s,
                                   "rb\0"s,
                                   "m0\0rb\0"s,
                                   "mx\0rb\0"s,
                                   "m-1\0rb\0"s,
                                   "m17\0xwhat\0rb\0"s,
                                   "m17\0\0rb\0"s,
                                   "m17\0ob\0rb\0"s,
                                   "m17\0rb\0kgone\0"s,
                                   "m17\0rb\0k\0"s,
                                   "m17\0kfailed\0rb\0"s,
                                   "m17\0dwhy\0rb\0"s,
                                   "m17\0rb"s,
                                   "\0m17\0rb\0"s,
                                   "m9223372036854775808\0rb\0"s,
                                   "M17\0rb\0"s,
                                   "\xff\0"s}) {
    CAPTURE(bytes);
    Result<BounceRequest> read = parse_bounce_request(bytes);
    REQUIRE_FALSE(read.ok());
    CHECK_FALSE(read.failure().permanent());
  }
  const std::string whole = serialise_bounce_request(two_failed());
  size_t taken = 0;
  for (size_t length = 0; length < whole.size(); ++length)
    taken += parse_bounce_request(whole.substr(0, length)).ok() ? 1 : 0;
  CHECK(taken == 7);  // the cuts at a record's end, from the first recipient on
}

TEST_CASE("who is told, until when and in which alphabet come back too") {
  BounceRequest request = two_failed();
  request.sender.clear();
  request.to = "postmaster@example.org";
  request.last_try = 1136217845;
  request.smtputf8 = true;
  Result<BounceRequest> read = parse_bounce_request(serialise_bounce_request(request));
  REQUIRE(read.ok());
  CHECK(read->addressee() == "postmaster@example.org");
  CHECK(read->last_try == 1136217845);
  CHECK(read->smtputf8);
  CHECK(read->tells_of(Action::failed));
  CHECK(read->tells_of(Action::relayed));
  CHECK_FALSE(read->tells_of(Action::delayed));
  CHECK(two_failed().addressee() == "a@example.org");
}

TEST_CASE("what a profile says comes back as it was written, and no template is a path") {
  BounceRequest request = two_failed();
  request.copy_bytes = 10240;
  request.plain = true;
  request.bounce_template = "de";
  request.sign = true;
  const std::string bytes = serialise_bounce_request(request);
  Result<BounceRequest> read = parse_bounce_request(bytes);
  REQUIRE(read.ok());
  CHECK(read->copy_bytes == 10240);
  CHECK(read->plain);
  CHECK(read->bounce_template == "de");
  CHECK(read->sign);
  CHECK(serialise_bounce_request(*read) == bytes);
  CHECK_FALSE(parse_bounce_request("m17\0sa@b\0g../x\0rc@d\0"s).ok());
}
