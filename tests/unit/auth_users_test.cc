#include <doctest/doctest.h>
#include <sys/wait.h>

#include "auth/failures.h"
#include "auth/key.h"
#include "auth/password_hash.h"
#include "auth/prepare.h"
#include "auth/user_table.h"
#include "tests/unit/scratch.h"

using namespace postern;
using namespace postern::auth;

TEST_CASE("the examples of RFC 4013, and names in one form") {
  struct Row {
    const char* text;
    const char* prepared;  // null: it cannot be
  };
  for (const Row& row : {Row{"I\xc2\xadX", "IX"}, Row{"user", "user"}, Row{"USER", "USER"},
                         Row{"\xc2\xaa", "a"}, Row{"\xe2\x85\xa8", "IX"}, Row{"\x07", nullptr},
                         Row{"a\xc2\xa0"
                             "b",
                             "a b"},
                         Row{"", nullptr}, Row{"\xff", nullptr}, Row{"a\xef\xbf\xbd", nullptr},
                         Row{"\xc2\xad", nullptr}, Row{"e\xcc\x81", "\xc3\xa9"}}) {
    CAPTURE(row.text);
    const std::optional<Secret> prepared = prepare_password(row.text);
    CHECK(prepared.has_value() == (row.prepared != nullptr));
    if (prepared && row.prepared != nullptr) CHECK(prepared->view() == row.prepared);
  }
  CHECK(prepare_name("Alice@Example.ORG") == "alice@example.org");
  CHECK_FALSE(prepare_name("a:b").has_value());
  CHECK_FALSE(prepare_name("a\nb").has_value());
  for (const char* name : {" alice", "alice ", "a  b",
                           "\xc2\xa0"
                           "alice",
                           " "})
    CHECK_FALSE(prepare_name(name).has_value());
  CHECK(prepare_name("a b") == "a b");
  CHECK_FALSE(prepare_password(std::string(kMostPasswordBytes + 1, 'x')).has_value());
}

TEST_CASE("a hash is of its password alone") {
  const Result<std::string> hash = hash_password(Secret("pencil"));
  REQUIRE(hash.ok());
  CHECK(hash->starts_with("$y$"));
  CHECK(password_matches(Secret("pencil"), *hash));
  for (const char* other : {"Pencil", "pencil ", "pencil\0x", ""})
    CHECK(password_matches(Secret(other), *hash) == (std::string_view(other) == "pencil"));
  CHECK_FALSE(password_matches(Secret(std::string_view("pencil\0x", 8)), *hash));
  for (const char* odd : {"", "*", "*0", "x", "pencil"}) CHECK_FALSE(password_matches(Secret("pencil"), odd));
  CHECK_FALSE(password_matches(Secret("?"), kNobodysHash));
}

TEST_CASE("the table of users is read, changed and written") {
  const std::string verifier = verifier_text(*make_verifier("x", "0123456789abcdef", 4096));
  const std::string text = "alice:$y$hash:" + verifier + "\nbob@example.org::" + verifier + "\ncarol:$y$c:\n";
  Result<UserTable> table = UserTable::parse("# comment\n\n" + text, "users");
  REQUIRE(table.ok());
  CHECK(table->text() == text);
  REQUIRE(table->find("bob@example.org") != nullptr);
  CHECK(table->find("bob@example.org")->hash.empty());
  CHECK(table->find("BOB@example.org") == nullptr);
  const auto has_hash = [](const User& user) { return !user.hash.empty(); };
  for (const char* name : {"a", "b", "nobody", "somebody"}) {
    const User* other = table->stand_in(name, has_hash);
    REQUIRE(other != nullptr);
    CHECK(other == table->stand_in(name, has_hash));
    CHECK(!other->hash.empty());
  }
  CHECK(table->remove("carol"));
  CHECK_FALSE(table->remove("carol"));
  table->set({.name = "alice", .hash = "new", .verifier = ""});
  CHECK(table->find("alice")->hash == "new");
  for (const char* broken : {"alice", "alice:x", "Alice:x:", ":x:", "a:x:SCRAM-SHA-256$1", "a\x01:x:"}) {
    CAPTURE(broken);
    const Result<UserTable> bad = UserTable::parse(broken, "users");
    REQUIRE(!bad.ok());
    CHECK(bad.failure().text.starts_with("users:1: "));
  }
  Scratch scratch;
  CHECK(UserTable::read(scratch.path("none")).ok());
  CHECK_FALSE(UserTable::read(scratch.write("open", text, 0644)).ok());
  CHECK(UserTable::read(scratch.write("closed", text, 0600)).ok());
}

TEST_CASE("the key is made once") {
  ScratchHome home;
  ::mkdir(home.path("secrets").c_str(), 0700);
  CHECK_FALSE(Key::of_instance().ok());
  ::mkdir(home.path("secrets/posterni").c_str(), 0700);
  const Result<Key> key = Key::of_instance();
  REQUIRE(key.ok());
  const Result<Key> again = Key::of_instance();
  REQUIRE(again.ok());
  CHECK(key->derived("a", "b") == again->derived("a", "b"));
  CHECK(key->derived("a", "b") != key->derived("ab", ""));
  CHECK(again->open(key->seal("state", 1), 2) == "state");
}

TEST_CASE("failures are counted by address, forgotten in time, and by all processes together") {
  const Key key(std::string(32, 'k'));
  Failures failures(key);
  constexpr uint64_t kNow = 1795000000;
  CHECK(failures.of("192.0.2.1", kNow) == 0);
  for (uint64_t i = 1; i <= 5; ++i) CHECK(failures.add("192.0.2.1", kNow) == i);
  CHECK(failures.of("192.0.2.2", kNow) == 0);
  CHECK(failures.of("192.0.2.1", kNow + Failures::kForgetSeconds) == 4);
  CHECK(failures.of("192.0.2.1", kNow + 5 * Failures::kForgetSeconds) == 0);
  CHECK(failures.add("192.0.2.1", kNow + 9 * Failures::kForgetSeconds) == 1);
  failures.add("2001:db8::1", kNow);
  CHECK(failures.of("2001:db8::ffff:1", kNow) == 1);
  CHECK(failures.of("2001:db8:0:1::1", kNow) == 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    failures.add("192.0.2.3", kNow);
    ::_exit(0);
  }
  ::waitpid(pid, nullptr, 0);
  CHECK(failures.of("192.0.2.3", kNow) == 1);
  // More addresses than there is room for: nothing grows, and who fails most stays longest.
  for (int i = 0; i < 50; ++i) failures.add("198.51.100.7", kNow);
  for (unsigned i = 0; i < 100000; ++i)
    failures.add(
        "10." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) + "." + std::to_string(i & 255),
        kNow);
  CHECK(failures.of("198.51.100.7", kNow) == 50);
  CHECK(delay_milliseconds(0) == 0);
  CHECK(delay_milliseconds(1) == 500);
  CHECK(delay_milliseconds(3) == 2000);
  CHECK(delay_milliseconds(1000) == 8000);
}

TEST_CASE("a made-up salt is as long as those of users") {
  const Key key(std::string(32, 'k'));
  for (const size_t bytes : {size_t{1}, size_t{16}, size_t{33}, kMostSaltBytes})
    CHECK(key.made_up_verifier("nobody", 4096, bytes).salt.size() == bytes);
  CHECK(key.made_up_verifier("nobody", 4096, 64).salt == key.made_up_verifier("nobody", 4096, 64).salt);
}
