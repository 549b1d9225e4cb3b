#include "inject/sendmail_options.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;
using namespace postern::inject;

namespace {

Result<SendmailCall> parse(const std::string& words, const std::string& name = "sendmail") {
  std::vector<std::string> arguments;
  for (size_t at = 0; at < words.size();) {
    const size_t end = std::min(words.find(' ', at), words.size());
    arguments.push_back(words.substr(at, end - at));
    at = end + 1;
  }
  return parse_sendmail(name, arguments);
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
  return all;
}

}  // namespace

TEST_CASE("the command lines of cron, PHP, mutt and others are understood") {
  struct Row {
    std::string words;
    RecipientsFrom from;
    std::string sender, name, recipients, body;
    bool dot_ends;
  };
  const auto arguments = RecipientsFrom::arguments;
  const auto both = RecipientsFrom::both;
  const Row rows[] = {
      {"-FCronDaemon -i -B8BITMIME -oem root", arguments, "-", "CronDaemon", "root", "8BITMIME", false},
      {"-t -i", both, "-", "-", "", "", false},
      {"-t -i -fwww@x.y", both, "www@x.y", "-", "", "", false},
      {"-oem -oi -f a@b.c -- d@e.f g@h.i", arguments, "a@b.c", "-", "d@e.f g@h.i", "", false},
      {"-ti", both, "-", "-", "", "", false},
      {"-oi -t", both, "-", "-", "", "", false},
      {"-i -r a@b.c d@e.f", arguments, "a@b.c", "-", "d@e.f", "", false},
      {"-bm -odb -om -v -n -m -U -x -G -h 3 -L label -X /tmp/x -O Timeout=1 -C cf -Am -p x -e m -oA/x -o7 "
       "-d0.1 a@b.c",
       arguments, "-", "-", "a@b.c", "", true},
      {"a@b.c -i", arguments, "-", "-", "a@b.c", "", false},
      {"-- -i", arguments, "-", "-", "-i", "", true},
      {"-F Me -f  a", arguments, "", "Me", "a", "", true},
      {"-f <> a", arguments, "<>", "-", "a", "", true},
      {"-o i -b m a", arguments, "-", "-", "a", "", false},
      {"- a", arguments, "-", "-", "- a", "", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.words);
    Result<SendmailCall> call = parse(row.words);
    if (row.words.find("-b m") != std::string::npos) {
      CHECK_FALSE(call.ok());  // -b takes its mode in the same word
      continue;
    }
    REQUIRE(call.ok());
    CHECK(call->mode == Mode::deliver);
    CHECK(call->order.recipients_from == row.from);
    CHECK(call->order.sender.value_or("-") == row.sender);
    CHECK(call->order.name.value_or("-") == row.name);
    CHECK(joined(call->order.arguments) == row.recipients);
    CHECK(call->order.body == row.body);
    CHECK(call->order.dot_ends == row.dot_ends);
  }
}

TEST_CASE("the modes are what they are called") {
  CHECK(parse("-bs")->mode == Mode::smtp);
  CHECK(parse("-bp")->mode == Mode::list_queue);
  CHECK(parse("", "mailq")->mode == Mode::list_queue);
  CHECK(parse("", "newaliases")->mode == Mode::new_aliases);
  CHECK(parse("-bi")->mode == Mode::new_aliases);
  CHECK(parse("-I")->mode == Mode::new_aliases);
  const struct {
    std::string words, selectors;
  } flushes[] = {{"-q", "--all"},
                 {"-qRa@b.c", "--recipient a@b.c"},
                 {"-qRb.c", "--site b.c"},
                 {"-qI4711", "--mid 4711"},
                 {"-qSs@x.y", "--sender s@x.y"}};
  for (const auto& row : flushes) {
    CAPTURE(row.words);
    REQUIRE(parse(row.words).ok());
    CHECK(parse(row.words)->mode == Mode::flush_queue);
    CHECK(joined(parse(row.words)->selectors) == row.selectors);
  }
}

TEST_CASE("what RFC 3461 adds goes into the envelope") {
  Result<SendmailCall> call = parse("-N success,delay -R hdrs -V a+b\xff a@b.c");
  REQUIRE(call.ok());
  CHECK(call->order.notify == "SUCCESS,DELAY");
  CHECK(call->order.ret == "HDRS");
  CHECK(call->order.envid == "a+2Bb+FF");
  CHECK(parse("-Nnever a")->order.notify == "NEVER");
}

TEST_CASE("what is not offered or not understood is refused, and says why") {
  struct Row {
    std::string words, status, word;
  };
  const Row rows[] = {
      {"-bd", "5.3.3", "daemon"},
      {"-bD", "5.3.3", "daemon"},
      {"-bv a", "5.3.3", "-bv"},
      {"-q30m", "5.3.3", "30m"},
      {"-bx", "5.5.4", "-bx"},
      {"-b", "5.5.4", "-b"},
      {"-z", "5.5.4", "-z"},
      {"-f", "5.5.4", "-f"},
      {"-N sometimes a", "5.5.4", "-N"},
      {"-N never,delay a", "5.5.4", "-N"},
      {"-R all a", "5.5.4", "-R"},
      {"-B 9BIT a", "5.5.4", "-B"},
      {"-qX", "5.5.4", "-q"},
      {"-qR", "5.5.4", "-q"},
      {"-V " + std::string(101, 'x'), "5.5.4", "-V"},
      {"-\x01", "5.5.4", "\\x01"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.words);
    Result<SendmailCall> call = parse(row.words);
    REQUIRE_FALSE(call.ok());
    CHECK(call.failure().status == row.status);
    CHECK(call.failure().text.find(row.word) != std::string::npos);
  }
}

TEST_CASE("exit codes are those of sysexits.h") {
  const struct {
    const char* code;
    const char* status;
    int exit_code;
  } rows[] = {
      {"250", "2.0.0", 0},  {"451", "4.3.0", 75}, {"452", "4.3.1", 75}, {"554", "5.7.1", 69},
      {"550", "5.1.1", 67}, {"554", "5.1.2", 68}, {"554", "5.5.4", 64}, {"552", "5.3.4", 65},
      {"554", "5.1.3", 65}, {"554", "9.9.9", 69},
  };
  for (const auto& row : rows) {
    CAPTURE(row.status);
    CHECK(sendmail_exit_code({.code = row.code, .status = row.status, .text = ""}) == row.exit_code);
  }
}
