#include "queue/orders.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;
using namespace std::string_literals;

TEST_CASE("an order that is written is read back") {
  const Order orders[] = {
      {.verb = Verb::flush, .time = 17, .who = "root", .rids = {{0, 0}}, .route = {}},
      {.verb = Verb::hold, .time = 0, .who = "a_b", .rids = {{0, 49999}}, .route = {}},
      {.verb = Verb::release, .time = 1, .who = "x", .rids = {{1, 1}, {3, 5}, {7, 7}}, .route = {}},
      {.verb = Verb::remove, .time = 1, .who = "x", .rids = {{2, 3}}, .route = {}},
      {.verb = Verb::bounce, .time = UINT64_MAX, .who = "x", .rids = {{2, 3}}, .route = {}},
      {.verb = Verb::reroute, .time = 1, .who = "x", .rids = {{2, 3}}, .route = "[2001:db8::1]:26"},
      {.verb = Verb::reroute, .time = 1, .who = "x", .rids = {{2, 3}}, .route = "-"},
  };
  for (const Order& order : orders) {
    const std::string line = order_line(order);
    CAPTURE(line);
    REQUIRE(line.size() > 2);
    CHECK(line.front() == '\n');
    CHECK(line.back() == '\n');
    const std::optional<Order> read = parse_order(std::string_view(line).substr(1, line.size() - 2));
    REQUIRE(read);
    CHECK(read->verb == order.verb);
    CHECK(read->time == order.time);
    CHECK(read->who == order.who);
    CHECK(read->rids == order.rids);
    CHECK(read->route == order.route);
  }
}

TEST_CASE("an order that was cut short anywhere is none") {
  const std::string line =
      order_line({.verb = Verb::remove, .time = 17, .who = "root", .rids = {{0, 3}, {12, 15}}, .route = {}});
  for (size_t length = 1; length + 1 < line.size(); ++length) {
    CAPTURE(length);
    const std::string cut = line.substr(1, length - 1);
    CHECK_FALSE(parse_order(cut));
    // What is appended behind it begins a line of its own.
    const Orders orders = replay_orders("\n" + cut + line, 20);
    CHECK(orders.recipients.size() == 8);
  }
}

TEST_CASE("what is no order is passed over") {
  for (const std::string& line : {""s,
                                  "o"s,
                                  "o hold 1 root 0"s,
                                  "o hold 1 root 0 . "s,
                                  "o hold 1 root 0 x ."s,
                                  "o hold x root 0 ."s,
                                  "o hold 1  0 ."s,
                                  "o hold 1 root  ."s,
                                  "o hold 1 root 3-1 ."s,
                                  "o hold 1 root 1, ."s,
                                  "o hold 1 root -1 ."s,
                                  "o hold 1 root a ."s,
                                  "o sing 1 root 0 ."s,
                                  "O hold 1 root 0 ."s,
                                  "o reroute 1 root 0 ."s,
                                  "o reroute 1 root 0 a b ."s,
                                  "o reroute 1 root 0 a:b ."s,
                                  "o hold 1 root 99999999999999999999 ."s,
                                  "r 0 o hold 1 root 0 ."s,
                                  "o\thold\t1\troot\t0\t."s,
                                  "o hold 1 root 0 .\r"s}) {
    CAPTURE(line);
    CHECK_FALSE(parse_order(line));
  }
}

TEST_CASE("a log is replayed in order: the last hold or release, removal or bounce, and route count") {
  const std::string log =
      "r 0 later\nt 1 100 160\no hold 1 root 0-2 .\no release 2 root 1 .\no flush 3 root 0 .\n"
      "o reroute 3 root 0,2 a.example:25 .\no reroute 4 root 2 b.example .\no reroute 5 root 0 - .\n"
      "o remove 5 root 3 .\no bounce 6 eve 3 .\no hold 1 root 0-99999999 .\no hold 7 root 3";
  const Orders orders = replay_orders(log, 4);
  CHECK(orders.flushes == 2);  // a release is tried at once too
  REQUIRE(orders.of(0) != nullptr);
  CHECK(orders.of(0)->held == true);
  CHECK(orders.of(0)->route.empty());
  CHECK(orders.of(1)->held == true);
  CHECK(orders.of(2)->route == "b.example");
  CHECK(orders.of(3)->end == Verb::bounce);
  CHECK(orders.of(4) == nullptr);
  CHECK(orders.recipients.size() == 4);
}

TEST_CASE("orders change what is pending or held, and nothing that is done") {
  RecipientOrders hold;
  hold.held = true;
  RecipientOrders release;
  release.held = false;
  RecipientOrders remove = hold;
  remove.end = Verb::remove;
  RecipientOrders bounce;
  bounce.end = Verb::bounce;
  RecipientOrders reroute;
  reroute.route = "a.example";
  using enum RecipientState;
  struct Row {
    RecipientState before;
    const RecipientOrders* orders;
    RecipientState after;
  };
  const Row rows[] = {
      {pending, nullptr, pending}, {held, nullptr, held},     {pending, &hold, held},
      {held, &hold, held},         {held, &release, pending}, {pending, &release, pending},
      {pending, &remove, removed}, {held, &remove, removed},  {pending, &bounce, failed},
      {held, &bounce, failed},     {held, &reroute, held},    {pending, &reroute, pending},
      {done, &hold, done},         {done, &remove, done},     {failed, &release, failed},
      {removed, &bounce, removed}, {done, &bounce, done},
  };
  for (const Row& row : rows) {
    CAPTURE(static_cast<char>(row.before));
    CHECK(state_by_orders(row.before, row.orders) == row.after);
  }
}

TEST_CASE("a route is a host with or without a port, or none") {
  for (const char* good :
       {"-", "a.example", "a.example:25", "192.0.2.1:65535", "[2001:db8::1]", "[::1]:2525", "my_host"}) {
    CAPTURE(good);
    CHECK(is_route(good));
  }
  for (const std::string& bad : {""s, ":25"s, "a:"s, "a:0"s, "a:65536"s, "a:smtp"s, "a:25:26"s,
                                 "2001:db8::1"s, "[::1"s, "[]"s, "[::1]x"s, "a b"s, "a\nb"s, "-x"s, "a\0"s,
                                 "caf\xc3\xa9"s, "\"a\""s, std::string(400, 'a'), "--all"s}) {
    CAPTURE(bad);
    CHECK_FALSE(is_route(bad));
  }
}

TEST_CASE("recipient numbers become ranges") {
  using Ranges = std::vector<std::pair<uint64_t, uint64_t>>;
  CHECK(to_ranges({}) == Ranges{});
  CHECK(to_ranges({4}) == Ranges{{4, 4}});
  CHECK(to_ranges({0, 1, 2, 5, 7, 8}) == Ranges{{0, 2}, {5, 5}, {7, 8}});
}
