#include "inject/turns.h"

#include <doctest/doctest.h>

using namespace postern::inject;

namespace {

void come_and_ask(Turns& turns, int connection, uid_t uid) {
  REQUIRE_FALSE(turns.arrive(connection, uid).has_value());
  turns.ask(connection);
}

}  // namespace

TEST_CASE("one user has a part of the places, and the rest is for the others") {
  Turns turns({.serving = 4, .serving_of_user = 2, .waiting = 100, .waiting_of_user = 50});
  for (int i = 0; i < 10; ++i) come_and_ask(turns, i, 1);
  CHECK(turns.next() == 0);
  CHECK(turns.next() == 1);
  CHECK_FALSE(turns.next().has_value());
  come_and_ask(turns, 20, 2);
  CHECK(turns.next() == 20);
  turns.done(1);
  CHECK(turns.next() == 2);
  CHECK_FALSE(turns.next().has_value());
  come_and_ask(turns, 30, 3);
  CHECK(turns.next() == 30);
  come_and_ask(turns, 40, 4);
  CHECK_FALSE(turns.next().has_value());  // all places are taken
  turns.done(2);
  CHECK(turns.next() == 40);
}

TEST_CASE("users with the same number in service take turns") {
  Turns turns({.serving = 1, .serving_of_user = 1, .waiting = 100, .waiting_of_user = 50});
  for (int i = 0; i < 3; ++i) come_and_ask(turns, i, 1);
  come_and_ask(turns, 10, 2);
  come_and_ask(turns, 11, 2);
  const int expected[] = {0, 10, 1, 11, 2};
  for (const int connection : expected) {
    const std::optional<int> next = turns.next();
    REQUIRE(next == connection);
    turns.done(*next < 10 ? 1 : 2);
  }
  CHECK_FALSE(turns.next().has_value());
}

TEST_CASE("who is there and asks nothing holds no place") {
  Turns turns({.serving = 1, .serving_of_user = 1, .waiting = 100, .waiting_of_user = 50});
  for (int i = 0; i < 20; ++i) CHECK_FALSE(turns.arrive(i, 1).has_value());
  come_and_ask(turns, 50, 2);
  CHECK(turns.next() == 50);
  turns.done(2);
  CHECK_FALSE(turns.next().has_value());
  turns.ask(7);
  CHECK(turns.next() == 7);
}

TEST_CASE("too many connections of one user are turned away, those of others are not") {
  Turns turns({.serving = 1, .serving_of_user = 1, .waiting = 6, .waiting_of_user = 4});
  for (int i = 0; i < 4; ++i) CHECK_FALSE(turns.arrive(i, 1).has_value());
  CHECK(turns.arrive(4, 1) == 4);
  CHECK_FALSE(turns.arrive(10, 2).has_value());
  CHECK_FALSE(turns.arrive(11, 2).has_value());
  // The house is full: the last one of the user with most makes room for another user.
  CHECK(turns.arrive(20, 3) == 3);
  turns.leave(3);
  // A user who has as many as anybody is turned away himself.
  CHECK(turns.arrive(30, 1) == 30);
  turns.leave(30);
  turns.ask(20);
  CHECK(turns.next() == 20);
}

TEST_CASE("what is unknown changes nothing") {
  Turns turns({.serving = 1, .serving_of_user = 1, .waiting = 2, .waiting_of_user = 2});
  turns.leave(7);
  turns.ask(7);
  turns.done(7);
  CHECK_FALSE(turns.next().has_value());
  come_and_ask(turns, 1, 1);
  CHECK(turns.next() == 1);
}
