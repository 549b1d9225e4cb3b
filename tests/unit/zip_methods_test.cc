#include "scanq/zip_methods.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;

namespace {

// A member's header with that method and version, and some content.
std::string member(unsigned method, unsigned version = 20) {
  std::string header = "PK\3\4";
  for (const unsigned word : {version, 0U, method}) {
    header += static_cast<char>(word & 0xff);
    header += static_cast<char>(word >> 8);
  }
  return header + std::string(18, '\0') + "content";
}

}  // namespace

TEST_CASE("a zip with a member that libclamav cannot unpack is known by the member's header") {
  for (const unsigned method : {0U, 6U, 8U, 9U, 12U, 99U}) CHECK_FALSE(has_unreadable_member(member(method)));
  for (const unsigned method : {1U, 10U, 14U, 93U, 95U, 98U}) {
    CAPTURE(method);
    CHECK(has_unreadable_member(member(method, 63)));
    CHECK(has_unreadable_member(member(8) + member(method)));
  }
}

TEST_CASE("packed bytes that look like a header are none, and what is cut short is read to its end") {
  CHECK_FALSE(has_unreadable_member(member(8) + member(14, 200)));
  CHECK_FALSE(has_unreadable_member(member(8) + member(0x1234)));
  CHECK_FALSE(has_unreadable_member("PK\3\4\x14"));
  CHECK_FALSE(has_unreadable_member(""));
}
