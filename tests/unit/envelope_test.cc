#include "lib/envelope.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;
using namespace std::string_literals;

namespace {

Envelope two_recipients() {
  Envelope envelope;
  envelope.sender = "a@example.org";
  envelope.recipients = {{"b@example.net", "", ""}, {"c@example.net", "", ""}};
  return envelope;
}

}  // namespace

TEST_CASE("an envelope comes back as it was written") {
  Envelope envelope = two_recipients();
  CHECK(serialise_envelope(envelope) == "Fa@example.org\0Tb@example.net\0Tc@example.net\0\0"s);
  Result<Envelope> read = parse_envelope(serialise_envelope(envelope));
  REQUIRE(read.ok());
  CHECK(read->sender == envelope.sender);
  REQUIRE(read->recipients.size() == 2);
  CHECK(read->recipients[1].address == "c@example.net");

  envelope.sender.clear();
  read = parse_envelope(serialise_envelope(envelope));
  REQUIRE(read.ok());
  CHECK(read->sender.empty());
}

TEST_CASE("an envelope with a broken form is refused, for now or for good") {
  struct Row {
    std::string bytes;
    int exit_code;  // 0: it is well formed
  };
  const std::string longest(kAddressLimitBytes, 'x');
  const Row rows[] = {
      {"F\0Tb\0\0"s, 0},
      {"Fa\0T\0\0"s, 0},
      {"Fa\nb\0T\xff\r\n\0\0"s, 0},
      {"F" + longest + "\0T"s + longest + "\0\0"s, 0},
      {"F" + longest + "x\0Tb\0\0"s, 11},
      {"Fa\0T"s + longest + "x\0\0"s, 11},
      {std::string(kEnvelopeLimitBytes + 1, '\0'), 11},
      {"", 91},
      {"F", 91},
      {"\0"s, 91},
      {"Fa\0"s, 91},
      {"Fa\0\0"s, 91},
      {"Fa\0Tb\0"s, 91},
      {"Fa\0Tb"s, 91},
      {"Fa\0Tb\0\0x"s, 91},
      {"Fa\0Tb\0\0\0"s, 91},
      {"Fa\0Fb\0Tc\0\0"s, 91},
      {"fa\0Tb\0\0"s, 91},
      {"Ta\0\0"s, 91},
      {"Fa\0tb\0\0"s, 91},
      {"Fa\nTb\n\n", 91},
      {" Fa\0Tb\0\0"s, 91},
  };
  for (const Row& row : rows) {
    CAPTURE(row.bytes.substr(0, 60));
    CAPTURE(row.bytes.size());
    Result<Envelope> read = parse_envelope(row.bytes);
    REQUIRE(read.ok() == (row.exit_code == 0));
    if (read) continue;
    CHECK(read.failure().exit_code == row.exit_code);
    CHECK(read.failure().permanent() == (row.exit_code == 11));
  }
}

TEST_CASE("every cut of an envelope is found") {
  const std::string whole = serialise_envelope(two_recipients());
  for (size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK_FALSE(parse_envelope(whole.substr(0, length)).ok());
  }
}

TEST_CASE("there is a limit to the recipients") {
  std::string bytes = "F\0"s;
  for (size_t i = 0; i < kRecipientLimit; ++i) bytes += "Tx\0"s;
  CHECK(parse_envelope(bytes + "\0"s).ok());
  Result<Envelope> read = parse_envelope(bytes + "Tx\0\0"s);
  REQUIRE_FALSE(read.ok());
  CHECK(read.failure().exit_code == 11);
}

TEST_CASE("extras at their defaults are not written at all") {
  CHECK(serialise_extras(two_recipients()).empty());
  Envelope envelope = two_recipients();
  CHECK(parse_extras("", envelope).ok());
  CHECK(serialise_extras(envelope).empty());
}

TEST_CASE("extras come back as they were written") {
  Envelope envelope = two_recipients();
  envelope.ret = "HDRS";
  envelope.envid = "QQ314159";
  envelope.body = "8BITMIME";
  envelope.smtputf8 = true;
  envelope.recipients[0].notify = "SUCCESS,FAILURE";
  envelope.recipients[1].orcpt = "rfc822;c+40example.net";
  const std::string bytes = serialise_extras(envelope);
  CHECK(
      bytes ==
      "rHDRS\0eQQ314159\0b8BITMIME\0u\0tb@example.net\0nSUCCESS,FAILURE\0tc@example.net\0orfc822;c+40example.net\0"s);
  Envelope read = two_recipients();
  REQUIRE(parse_extras(bytes, read).ok());
  CHECK(read.ret == "HDRS");
  CHECK(read.envid == "QQ314159");
  CHECK(read.body == "8BITMIME");
  CHECK(read.smtputf8);
  CHECK(read.recipients[0].notify == "SUCCESS,FAILURE");
  CHECK(read.recipients[0].orcpt.empty());
  CHECK(read.recipients[1].orcpt == "rfc822;c+40example.net");
  CHECK(serialise_extras(read) == bytes);
}

TEST_CASE("extras of a newer program or of an unknown recipient are passed over") {
  Envelope envelope = two_recipients();
  REQUIRE(
      parse_extras("xnew\0nNEVER\0tunknown@example.net\0nNEVER\0orfc822;x\0zmore\0tc@example.net\0nDELAY\0"s,
                   envelope)
          .ok());
  CHECK(envelope.recipients[0].notify.empty());
  CHECK(envelope.recipients[1].notify == "DELAY");
  CHECK(envelope.recipients.size() == 2);
  CHECK(envelope.sender == "a@example.org");
}

TEST_CASE("extras that are cut short are refused") {
  for (const std::string& bytes :
       {"\0"s, "r"s, "rHDRS"s, "rHDRS\0\0"s, "rHDRS\0tb@example.net"s, "\0rHDRS\0"s}) {
    CAPTURE(bytes);
    Envelope envelope = two_recipients();
    Result<void> parsed = parse_extras(bytes, envelope);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.failure().exit_code == 91);
    CHECK_FALSE(parsed.failure().permanent());
  }
}

TEST_CASE("recipients of one address keep each their own extras, and many are read in time") {
  Envelope envelope;
  for (size_t i = 0; i < kRecipientLimit; ++i) {
    envelope.recipients.push_back(
        {std::to_string(i / 2) + "@example.net", "NEVER", "rfc822;" + std::to_string(i)});
  }
  const std::string bytes = serialise_extras(envelope);
  Result<Envelope> read = parse_envelope(serialise_envelope(envelope));
  REQUIRE(read.ok());
  REQUIRE(parse_extras(bytes, *read).ok());
  CHECK(serialise_extras(*read) == bytes);
}
