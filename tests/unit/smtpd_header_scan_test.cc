#include "smtpd/header_scan.h"

#include <doctest/doctest.h>

using namespace postern::smtpd;

namespace {

HeaderScan scan(std::string_view message, size_t chunk) {
  HeaderScan header;
  while (!message.empty()) {
    header.take(message.substr(0, chunk));
    message.remove_prefix(std::min(chunk, message.size()));
  }
  header.finish();
  return header;
}

}  // namespace

TEST_CASE("the header is scanned up to the first empty line") {
  struct Case {
    std::string message;
    unsigned hops;
    std::string message_id;
    std::string subject;
  };
  const Case cases[] = {
      {"", 0, "", ""},
      {"\n", 0, "", ""},
      {"Subject: a\n\nbody\n", 0, "", "a"},
      {"subject:a\nMESSAGE-ID: <x@y>\n\n", 0, "<x@y>", "a"},
      {"Received: a\n\tby b\nReceived: c\n\nReceived: d\n", 2, "", ""},
      {"Subject: one\n two\n\tthree\nX: y\n\n", 0, "", "one two\tthree"},
      {"Subject: first\nSubject: second\n\n", 0, "", "first"},
      {"Subject: no end", 0, "", "no end"},
      {"Received: no end", 1, "", ""},
      {"Message-ID:\n <folded@y>\n\n", 0, "<folded@y>", ""},
      {"Subject : blank before the colon\n\n", 0, "", "blank before the colon"},
      {"not a field\nReceived: a\n\n", 1, "", ""},
      {" folded without a field\nReceived: a\n\n", 1, "", ""},
      {"X-Received: a\nReceivedX: b\n\n", 0, "", ""},
      {"\nReceived: a\nSubject: b\n", 0, "", ""},
      {"Subject: " + std::string(100000, 'x') + "\nReceived: a\n\n", 1, "", std::string(991, 'x')},
      {"Subject: \xff\x01\n\n", 0, "", "\xff\x01"},
      {":\n:\n\n", 0, "", ""},
  };
  for (const Case& c : cases) {
    for (const size_t chunk : {size_t{1}, size_t{2}, size_t{7}, size_t{65536}}) {
      CAPTURE(c.message.substr(0, 60));
      CAPTURE(chunk);
      const HeaderScan header = scan(c.message, chunk);
      CHECK(header.hops() == c.hops);
      CHECK(header.message_id() == c.message_id);
      CHECK(header.subject() == c.subject);
    }
  }
}

TEST_CASE("a header is measured up to the line that is no part of one") {
  struct Case {
    std::string message;
    uint64_t size_bytes;
  };
  const Case cases[] = {
      {"", 0},
      {"\nbody\n", 1},
      {"a: b\n\nbody\n", 6},
      {"a: b\n c\n\nbody\n", 9},
      {"a: b\nbody without a blank line\nc: d\n", 5 + 26},
      {"X: " + std::string(5000, 'x') + "\n\n", 5005},
      {"X:\n " + std::string(5000, 'x') + "\n\n", 5006},
  };
  for (const Case& c : cases) {
    for (const size_t chunk : {size_t{1}, size_t{7}, size_t{65536}}) {
      CAPTURE(c.message.substr(0, 60));
      CHECK(scan(c.message, chunk).size_bytes() == c.size_bytes);
    }
  }
  CHECK(scan(std::string(100000, 'x'), 100).size_bytes() <= 1100);
}
