#include "receipt/reputation.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cstring>

#include "dnsq/dns_file.h"
#include "dnsq/dns_service.h"
#include "lib/text.h"
#include "receipt/client_notes.h"
#include "tests/unit/scratch.h"

using namespace postern;

namespace {

constexpr uint64_t kNoon = 1767268800;
constexpr uint64_t kWeek = 7 * 86400;

IpBytes address(std::string_view text) {
  const std::optional<IpBytes> bytes = parse_ip(text);
  REQUIRE(bytes.has_value());
  return *bytes;
}

std::string why_not(std::string_view lists) {
  const Result<ReputationSettings> parsed = parse_reputation_lists(lists, "lists");
  return parsed ? "" : parsed.failure().text;
}
std::string why_no_table(std::string_view table) {
  const Result<ReputationTable> parsed = ReputationTable::parse(table, "table");
  return parsed ? "" : parsed.failure().text;
}

// A real postern-dnsq on run/dnsq of the home, which answers from its file "dns".
class Dnsq {
 public:
  explicit Dnsq(const ScratchHome& home) {
    const std::string path = home.path("run/dnsq");
    const Fd listening{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listening.get(), 128) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ > 0) return;
    ServeOptions options;
    options.clients = {::getuid()};
    const std::string file = home.path("dns");
    ::_exit(serve_dns(listening.get(), options, [&]() -> Result<std::unique_ptr<DnsSource>> {
      Result<std::unique_ptr<DnsFile>> opened = DnsFile::open(file);
      if (!opened) return opened.failure();
      return std::unique_ptr<DnsSource>(std::move(*opened));
    }));
  }
  ~Dnsq() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  Dnsq(const Dnsq&) = delete;
  Dnsq& operator=(const Dnsq&) = delete;

 private:
  pid_t pid_ = 0;
};

}  // namespace

TEST_CASE("scores have one digit behind the point and stay within ten") {
  struct Case {
    const char* text;
    int tenths;
  };
  for (const Case& each :
       {Case{"0", 0}, {"-7.5", -75}, {"+3", 30}, {"10", 100}, {"-10.0", -100}, {"0.1", 1}}) {
    CAPTURE(each.text);
    CHECK(parse_tenths(each.text) == each.tenths);
    CHECK(parse_tenths(tenths_text(each.tenths)) == each.tenths);
  }
  for (const char* text : {"", "-", "10.1", "11", "1.", ".5", "1.25", "x", "--1", "1e1", "-10.5", "+ 1"}) {
    CAPTURE(text);
    CHECK(!parse_tenths(text).has_value());
  }
  CHECK(tenths_text(-75) == "-7.5");
  CHECK(tenths_text(-5) == "-0.5");
  CHECK(tenths_text(30) == "3");
}

TEST_CASE("lists have answers with scores, and a weight") {
  const Result<ReputationSettings> parsed = parse_reputation_lists(
      "# comment\nlist Zen.example.org 127.0.0.2=-8 127.0.0.4-127.0.0.7=-6.5 *=-1 weight=0.5 # why\n"
      "list wl.example.org 127.0.5.3=+4\nhistory weight=2 half-life=1d\ncache 1h\ntimeout 500\n",
      "lists");
  REQUIRE(parsed.ok());
  REQUIRE(parsed->lists.size() == 2);
  const DnsList& list = parsed->lists[0];
  CHECK(list.zone == "zen.example.org");
  CHECK(list.weight == 5);
  CHECK(worth_of(list, "127.0.0.2") == -80);
  CHECK(worth_of(list, "127.0.0.4") == -65);
  CHECK(worth_of(list, "127.0.0.7") == -65);
  CHECK(worth_of(list, "127.0.0.8") == -10);
  CHECK(!worth_of(parsed->lists[1], "127.0.0.2").has_value());
  CHECK(parsed->history_weight == 20);
  CHECK(parsed->half_life_seconds == 86400);
  CHECK(parsed->cache_seconds == 3600);
  CHECK(parsed->timeout_milliseconds == 500);
  for (const char* text :
       {"list", "list zone.example", "list zone 127.0.0.2=-1", "list a.example -5",
        "list a.example 127.0.0.2=-11", "list a.example 127.0.0.7-127.0.0.2=-1", "list a.example ::1=-1",
        "list a.example *=-1 weight=-1", "list a.example weight=1", "list .a.example *=1",
        "list a.ex\\ample *=1", "history never", "history half-life=1s", "cache 2d", "cache", "timeout 0",
        "timeout 40000", "lists a.example *=1"}) {
    CAPTURE(text);
    CHECK(why_not("cache 1h\n" + std::string(text)).starts_with("lists:2: "));
  }
  std::string many;
  for (int i = 0; i < 33; ++i) many += "list a.example *=1\n";
  CHECK(why_not(many).starts_with("lists:33: "));
}

TEST_CASE("the longest network of the table counts") {
  const Result<ReputationTable> table =
      ReputationTable::parse("192.0.2.0/24 -4\n192.0.2.7 +9.5\n2001:db8::/32 -1\n0.0.0.0/0 1\n", "table");
  REQUIRE(table.ok());
  CHECK(table->find(address("192.0.2.1"))->score == -40);
  CHECK(table->find(address("192.0.2.7"))->score == 95);
  CHECK(table->find(address("192.0.2.7"))->line == 2);
  CHECK(table->find(address("198.51.100.1"))->score == 10);
  CHECK(table->find(address("2001:db8:1::1"))->score == -10);
  CHECK(!table->find(address("2001:db9::1")).has_value());
  for (const char* text : {"192.0.2.0/24", "192.0.2.0/24 -4 5", "192.0.2.0/33 1", "2001:db8::/129 1",
                           "192.0.2.1/24 1", "192.0.2 1", "example.org 1", "192.0.2.0/ 1", "192.0.2.1 x"}) {
    CAPTURE(text);
    CHECK(why_no_table("\n" + std::string(text)).starts_with("table:2: "));
  }
  CHECK(why_no_table("192.0.2.1 1\n192.0.2.1/32 2").starts_with("table:2: "));
}

TEST_CASE("an address is turned round below a list's zone") {
  CHECK(list_name(address("192.0.2.99"), "l.example") == "99.2.0.192.l.example");
  CHECK(list_name(address("::ffff:192.0.2.99"), "l.example") == "99.2.0.192.l.example");
  CHECK(list_name(address("2001:db8:1:2:3:4:567:89ab"), "l.example") ==
        "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.l.example");
  for (const char* answer :
       {"127.255.255.254", "127.255.255.1", "192.0.2.1", "126.0.0.1", "128.0.0.1", "x", "::1"}) {
    CAPTURE(answer);
    CHECK(is_list_trouble(answer));
  }
  CHECK(!is_list_trouble("127.0.0.2"));
  CHECK(!is_list_trouble("127.255.254.1"));
}

TEST_CASE("experience decays, and says nothing while it is small") {
  const Scratch scratch;
  Result<ReputationHistory> history = ReputationHistory::open(scratch.path("history"), true);
  REQUIRE(history.ok());
  const IpBytes client = address("192.0.2.1");
  CHECK(!score_of(history->experience(client, kNoon, kWeek)).has_value());
  history->note(client, {.spam = 8}, kNoon, kWeek);
  CHECK(history->experience(client, kNoon, kWeek).spam == doctest::Approx(8));
  CHECK(history->experience(client, kNoon + kWeek, kWeek).spam == doctest::Approx(4));
  history->note(client, {.accepted = 1, .spam = 1}, kNoon + kWeek, kWeek);
  CHECK(history->experience(client, kNoon + kWeek, kWeek).spam == doctest::Approx(5));
  CHECK(history->experience(client, kNoon, kWeek).spam == doctest::Approx(5));  // the clock went back
  CHECK(!score_of(history->experience(client, kNoon + 20 * kWeek, kWeek)).has_value());
  CHECK(history->experience(address("192.0.2.2"), kNoon, kWeek).spam == 0);
  // one site's addresses
  history->note(address("2001:db8:1:2::1"), {.virus = 4}, kNoon, kWeek);
  CHECK(history->experience(address("2001:db8:1:2:ffff::9"), kNoon, kWeek).virus == doctest::Approx(4));
  CHECK(history->experience(address("2001:db8:1:3::1"), kNoon, kWeek).virus == 0);

  CHECK(!score_of({.accepted = 2}).has_value());
  CHECK(score_of({.virus = 0.9999}) == -27);
  CHECK(score_of({.virus = 2}) == -43);
  CHECK(score_of({.accepted = 10}) == 28);
  CHECK(score_of({.accepted = 1e6}) == 50);
  CHECK(score_of({.spam = 10}) == -56);
  CHECK(score_of({.virus = 1e6}) == -100);
  CHECK(score_of({.unknown = 6}) == -27);
  CHECK(score_of({.unknown = 1e6}) == -29);
  CHECK(score_of({.accepted = 5, .unknown = 1e6}) == -29);
  CHECK(score_of({.spam = 2, .unknown = 1e6}) == -29);  // the two alone say nothing yet
  CHECK(score_of({.spam = 10, .unknown = 1e6}) == -56);
  CHECK(score_of({.accepted = 5, .spam = 5}) == 0);
}

TEST_CASE("all workers see one history, and none of its notes is lost") {
  const Scratch scratch;
  Result<ReputationHistory> history = ReputationHistory::open(scratch.path("history"), true);
  REQUIRE(history.ok());
  const IpBytes client = address("192.0.2.1");
  constexpr int kWorkers = 4;
  for (int i = 0; i < kWorkers; ++i) {
    if (::fork() != 0) continue;
    for (int n = 0; n < 5000; ++n) history->note(client, {.accepted = 1}, kNoon, kWeek);
    ::_exit(0);
  }
  int status = 0;
  while (::wait(&status) > 0) CHECK(status == 0);
  CHECK(history->experience(client, kNoon, kWeek).accepted == doctest::Approx(kWorkers * 5000));
  Result<ReputationHistory> again = ReputationHistory::open(scratch.path("history"), false);
  REQUIRE(again.ok());
  CHECK(again->experience(client, kNoon, kWeek).accepted == doctest::Approx(kWorkers * 5000));
}

TEST_CASE("a full set forgets who was not heard of for longest; a strange file is made anew") {
  const Scratch scratch;
  CHECK(!ReputationHistory::open(scratch.path("history"), false).ok());
  scratch.write("history", "something else");
  CHECK(!ReputationHistory::open(scratch.path("history"), false).ok());
  Result<ReputationHistory> history = ReputationHistory::open(scratch.path("history"), true);
  REQUIRE(history.ok());
  const IpBytes first = address("192.0.2.1");
  history->note(first, {.spam = 5}, kNoon, kWeek);
  for (unsigned i = 0; i < 300000; ++i)
    history->note(address("10." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) + "." +
                          std::to_string(i & 255)),
                  {.accepted = 1}, kNoon + 1, kWeek);
  CHECK(history->experience(first, kNoon, kWeek).spam == 0);
}

TEST_CASE("what the lists said is kept for its time and its settings") {
  const Scratch scratch;
  Result<ReputationHistory> history = ReputationHistory::open(scratch.path("history"), true);
  REQUIRE(history.ok());
  const IpBytes client = address("192.0.2.1");
  CHECK(!history->list_answer(client, kNoon, 1).has_value());
  history->keep_list_answer(client, {-75}, kNoon, 60, 1);
  CHECK(history->list_answer(client, kNoon + 59, 1)->score == -75);
  CHECK(!history->list_answer(client, kNoon + 60, 1).has_value());
  CHECK(!history->list_answer(client, kNoon + 1, 2).has_value());
  history->note(client, {.spam = 1}, kNoon + 1, kWeek);
  CHECK(history->list_answer(client, kNoon + 1, 1)->score == -75);
  history->keep_list_answer(client, {}, kNoon, 60, 1);
  REQUIRE(history->list_answer(client, kNoon, 1).has_value());
  CHECK(!history->list_answer(client, kNoon, 1)->score.has_value());
}

TEST_CASE("a score is made of the table, the lists and the history") {
  const ScratchHome home;
  home.write("dns",
             "2.2.0.192.bl.example A 127.0.0.2\n3.2.0.192.bl.example A 127.0.0.9\n"
             "4.2.0.192.bl.example A 127.255.255.254\n5.2.0.192.bl.example A SERVFAIL\n"
             "2.2.0.192.wl.example A 127.0.1.1\n5.2.0.192.wl.example A 127.0.1.3\n");
  const Dnsq dnsq(home);
  home.write("control/reputationlists",
             "list bl.example 127.0.0.2=-8 weight=0.5\nlist wl.example 127.0.1.1=1 127.0.1.3=3\ncache 0s\n"
             "timeout 20000\n");
  home.write("control/reputationtable", "192.0.2.200 -9\n");
  Reputation reputation;
  REQUIRE(reputation.load());
  const auto score = [&](std::string_view ip) { return reputation.score(address(ip), false).tenths; };
  CHECK(score("192.0.2.200") == -90);
  CHECK(score("192.0.2.2") == -30);
  CHECK(!score("192.0.2.3").has_value());  // an answer that has no score
  CHECK(!score("192.0.2.1").has_value());
  CHECK(!score("192.0.2.4").has_value());  // a list that does not serve us is no listing
  CHECK(score("192.0.2.5") == 30);         // nor does one that fails hide the other
  ::mkdir(home.path("db").c_str(), 0755);
  ::mkdir(home.path("db/repd").c_str(), 0755);
  reputation.open_history(true);
  REQUIRE(reputation.note(address("192.0.2.2"), {.spam = 10}));
  CHECK(score("192.0.2.2") == -86);
  const Score explained = reputation.score(address("192.0.2.2"), true);
  REQUIRE(explained.reasons.size() == 3);
  CHECK(explained.reasons[0] == "list bl.example 127.0.0.2 -4");
  CHECK(explained.reasons[1] == "list wl.example 127.0.1.1 1");
  CHECK(explained.reasons[2] == "history accepted 0 spam 10 virus 0 unknown 0 -5.6");
  // a broken file changes nothing; a good one counts at once
  home.write("control/reputationtable", "192.0.2.200 rubbish\n");
  CHECK(reputation.load());
  CHECK(score("192.0.2.200") == -90);
  home.write("control/reputationtable", "192.0.2.2 10\n192.0.2.200 5\n");
  CHECK(reputation.load());
  CHECK(score("192.0.2.200") == 50);
  CHECK(score("192.0.2.2") == 100);
}

TEST_CASE("events are named, with a number where there were several") {
  const Result<Experience> seen = parse_events({"note", "x", "accepted=3", "spam", "unknown=2", "spam"}, 2);
  REQUIRE(seen.ok());
  CHECK(seen->accepted == 3);
  CHECK(seen->spam == 2);
  CHECK(seen->virus == 0);
  CHECK(seen->unknown == 2);
  for (const char* word : {"", "ham", "spam=", "spam=-1", "spam=x", "spam=1000001", "=1"}) {
    CAPTURE(word);
    CHECK(!parse_events({"note", "x", word}, 2).ok());
  }
  CHECK(!parse_events({"note", "x"}, 2).ok());
}

TEST_CASE("a session notes what came of its messages, the worst of each") {
  struct Case {
    QueueAnswer answer;
    MessageEvent event;
  };
  const Case cases[] = {
      {{0, "", ""}, MessageEvent::none},  // put straight into the queue, or dropped
      {{31, "", ""}, MessageEvent::none},
      {{0, "", "17 queued 2 recipients\n"}, MessageEvent::accepted},
      {{0, "", "17 quarantined Virus\n"}, MessageEvent::virus},
      {{0, "", "17 queued 1 recipients\n18 quarantined Spam\n"}, MessageEvent::spam},
      {{0, "", "17 quarantined Policy\n"}, MessageEvent::none},
      {{82, "D554 no", "17 refused antivirus: 554 5.7.1 no\n"}, MessageEvent::virus},
      {{82, "D554 no", "17 refused filter: 554 5.7.1 antivirus: no\n"}, MessageEvent::none},
      {{82, "Z451 no", "17 deferred antivirus: 451 4.7.1 no\n"}, MessageEvent::none},
      {{0, "", "17 dropped antispam: spam\n18 refused antivirus: 554\n"}, MessageEvent::virus},
      {{0, "", "rubbish\n\n17\n"}, MessageEvent::none},
  };
  for (const Case& each : cases) {
    CAPTURE(each.answer.output);
    CHECK(message_event(each.answer) == each.event);
  }
  MailFlowPolicy policy;
  ClientNotes notes(policy, "192.0.2.1");
  CHECK(notes.text().empty());
  for (const Case& each : cases) notes.message(each.answer);
  notes.recipient_refused();
  CHECK(notes.text() == "accepted=1 spam=1 virus=3 unknown=1");
}
