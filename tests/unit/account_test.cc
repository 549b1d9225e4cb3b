#include "local/account.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <string>

#include "scratch.h"

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

namespace {

struct Account {
  uid_t uid;
  gid_t gid;
  std::string home;
};

Result<std::optional<MailboxUser>> mailbox_of(Account account) {
  passwd entry{};
  entry.pw_uid = account.uid;
  entry.pw_gid = account.gid;
  entry.pw_dir = account.home.data();
  return mailbox_of_account("joe", entry);
}

}  // namespace

TEST_CASE("accounts: an ordinary one without its home waits, one of the system has no mailbox") {
  const ScratchHome home;
  home.write("file", "x");
  const std::string missing = home.path() + "/not-mounted/joe";
  for (const std::string& wrong : {missing, home.path() + "/file", home.path() + "/file/joe", std::string(),
                                   std::string("home/joe"), std::string("/home/\xff\n")}) {
    CAPTURE(wrong);
    Result<std::optional<MailboxUser>> ordinary = mailbox_of({54321, 54321, wrong});
    REQUIRE_FALSE(ordinary.ok());
    CHECK_FALSE(ordinary.failure().permanent());
    CHECK(ordinary.failure().status == "4.3.0");
    CHECK(ordinary.failure().text.find('\n') == std::string::npos);
    Result<std::optional<MailboxUser>> of_the_system = mailbox_of({999, 999, wrong});
    REQUIRE(of_the_system.ok());
    CHECK_FALSE(of_the_system->has_value());
  }
  for (const Account& none : {Account{65534, 65534, "/nonexistent"}, Account{0, 54321, missing},
                              Account{54321, 0, missing}, Account{0, 0, "/root"}}) {
    CAPTURE(none.uid);
    CAPTURE(none.home);
    Result<std::optional<MailboxUser>> account = mailbox_of(none);
    REQUIRE(account.ok());
    CHECK_FALSE(account->has_value());
  }
}

TEST_CASE("accounts: whose home is another's has no mailbox") {
  const ScratchHome home;
  Result<std::optional<MailboxUser>> account = mailbox_of({54321, 54321, home.path()});
  REQUIRE(account.ok());
  CHECK_FALSE(account->has_value());
}

TEST_CASE("accounts: who owns his home has a mailbox") {
  const ScratchHome home;
  const uid_t uid = ::getuid() == 0 ? 54321 : ::getuid();
  if (::getuid() == 0) REQUIRE(::chown(home.path().c_str(), uid, 54321) == 0);
  Result<std::optional<MailboxUser>> account = mailbox_of({uid, 54321, home.path()});
  REQUIRE(account.ok());
  REQUIRE(account->has_value());
  CHECK((*account)->user == "joe");
  CHECK((*account)->uid == uid);
  CHECK((*account)->home == home.path());
}
