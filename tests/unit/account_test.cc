#include "local/account.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;

TEST_CASE("accounts: root, names without an account and hostile names have no mailbox") {
  for (const std::string& name :
       {std::string("root"), std::string("ROOT"), std::string("root-list"), std::string(""), std::string("-"),
        std::string("no-such-account-here"), std::string("../etc"), std::string(100000, '-'),
        std::string(5000, 'a'), std::string("a\0b", 3), std::string("daemon:x"), std::string("\xff\xfe")}) {
    CAPTURE(name.substr(0, 40));
    Result<std::optional<MailboxUser>> account = find_account(name);
    REQUIRE(account.ok());
    CHECK_FALSE(account->has_value());
  }
}
