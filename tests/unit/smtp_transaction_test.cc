#include "remote/smtp_transaction.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "scratch.h"

using namespace postern;

namespace {

Target target(bool lmtp) {
  return {.host = "mx.test", .address = "192.0.2.1", .port = 25, .lmtp = lmtp, .source = {}, .hello = {}};
}

struct Outcome {
  TransactionEnd end;
  bool usable;
};

// What becomes of a small message to two recipients, with a server that has CHUNKING and PIPELINING, says
// `replies` behind its reply to EHLO, those behind a 354 only once it has the message, and then ends the
// connection. `said`: what we said.
Outcome outcome_of(const std::string& replies, bool lmtp = false, std::string* said = nullptr) {
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  const Fd server(pair[1]);
  RemoteSettings settings;
  settings.hello = "me.test";
  const std::unique_ptr<SmtpSession> session =
      SmtpSession::over(Fd(pair[0]), target(lmtp), 1, settings.timeouts);
  const std::string hello = "220 hi\r\n250-hi\r\n250-PIPELINING\r\n250 CHUNKING\r\n";
  static constexpr std::string_view kGoOn = "354 go on\r\n";
  const size_t go_on = replies.find(kGoOn);
  const size_t at_once = go_on == std::string::npos ? replies.size() : go_on + kGoOn.size();
  REQUIRE(write_all(server.get(), hello + replies.substr(0, at_once), "write").ok());
  std::string heard;
  std::thread later([&] {
    char byte = 0;
    while (at_once < replies.size() && !heard.ends_with("\r\n.\r\n") &&
           ::recv(server.get(), &byte, 1, 0) == 1)
      heard += byte;
    (void)write_all(server.get(), replies.substr(at_once), "write");
    ::shutdown(server.get(), SHUT_WR);
  });
  const bool greeted = session->greet(settings).ok();
  const Fd file = memory_with("Subject: x\n\nbody\n");
  OutgoingMessage message;
  message.fd = file.get();
  message.size = 17;
  message.envelope.sender = "s@y.test";
  message.envelope.recipients = {{"a@x.test", "", ""}, {"b@x.test", "", ""}};
  TransactionEnd end = send_message(*session, message);
  const bool usable = session->usable;
  session->quit();
  later.join();
  REQUIRE(greeted);
  if (said != nullptr) *said = heard;
  return {std::move(end), usable};
}

std::string letters(const TransactionEnd& end) {
  std::string all;
  for (const RecipientResult& result : end.results) all += result.letter;
  return all;
}

const std::string kOk = "250 2.0.0 ok\r\n";

}  // namespace

TEST_CASE("a chunk that was sent and got no reply is tried nowhere else at once") {
  for (const std::string& replies :
       {std::string(), kOk, kOk + kOk, kOk + kOk + kOk, std::string("what?\r\n")}) {
    CAPTURE(replies);
    const Outcome outcome = outcome_of(replies);
    CHECK_FALSE(outcome.end.trouble);
    CHECK_FALSE(outcome.end.without_chunking);
    CHECK(outcome.end.again.empty());
    CHECK(letters(outcome.end) == "ss");
    CHECK_FALSE(outcome.usable);
  }
  CHECK(outcome_of("451 4.7.1 greylisted\r\n").end.trouble);
  CHECK(letters(outcome_of(kOk + "550 5.1.1 no\r\n" + kOk).end) == "hs");
}

TEST_CASE("a server that does not know BDAT is noted, whatever it said to MAIL and RCPT") {
  struct Row {
    std::string mail, rcpt, bdat, letters;
    bool without_chunking, usable;
    size_t again;
  };
  const Row rows[] = {
      {"550 5.7.1 no", "503 5.5.1 no", "500 5.5.1 what?", "hh", true, false, 0},
      {"550 5.7.1 no", "503 5.5.1 no", "502 5.5.1 what?", "hh", true, false, 0},
      {"550 5.7.1 no", "503 5.5.1 no", "503 5.5.1 no", "hh", false, true, 0},
      {"550 5.7.1 no", "503 5.5.1 no", "250 2.0.0 ok", "hh", false, false, 0},
      {"250 2.0.0 ok", "550 5.1.1 no", "500 5.5.1 what?", "hh", true, false, 0},
      {"250 2.0.0 ok", "250 2.0.0 ok", "504 5.5.4 what?", "ss", true, false, 2},
      {"250 2.0.0 ok", "250 2.0.0 ok", "250 2.0.0 ok", "rr", false, true, 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.mail);
    CAPTURE(row.bdat);
    const Outcome outcome =
        outcome_of(row.mail + "\r\n" + row.rcpt + "\r\n" + row.rcpt + "\r\n" + row.bdat + "\r\n");
    CHECK_FALSE(outcome.end.trouble);
    CHECK(letters(outcome.end) == row.letters);
    CHECK(outcome.end.without_chunking == row.without_chunking);
    CHECK(outcome.usable == row.usable);
    CHECK(outcome.end.again.size() == row.again);
  }
}

TEST_CASE("an LMTP server answers for each recipient that it took") {
  const std::string begun = kOk + kOk + kOk + "354 go on\r\n";
  struct Row {
    std::string replies, letters;
    bool usable;
  };
  const Row rows[] = {
      {begun + kOk + kOk, "rr", true},
      {begun + "452 4.2.2 full\r\n" + kOk, "sr", true},
      {begun + kOk + "550 5.2.1 no\r\n", "rh", true},
      {begun + "550 5.2.1 no\r\n552 5.2.2 full\r\n", "hh", true},
      // The connection ends: what was said stands.
      {begun + kOk, "rs", false},
      {begun, "ss", false},
      {begun + "421 4.3.2 going\r\n", "ss", false},
      {begun + kOk + "421 4.3.2 going\r\n", "rs", false},
      // One that was refused has no reply behind the message.
      {kOk + "550 5.1.1 no\r\n" + kOk + "354 go on\r\n" + kOk, "hr", true},
      {kOk + kOk + "450 4.2.1 later\r\n354 go on\r\n550 5.2.1 no\r\n", "hs", true},
      // Nobody was taken: 503 it must be; a server that goes on all the same is left.
      {kOk + "550 5.1.1 no\r\n550 5.1.1 no\r\n503 5.5.1 no\r\n", "hh", true},
      {kOk + "550 5.1.1 no\r\n550 5.1.1 no\r\n354 go on\r\n", "hh", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.replies);
    const Outcome outcome = outcome_of(row.replies, true);
    CHECK_FALSE(outcome.end.trouble);
    CHECK(letters(outcome.end) == row.letters);
    CHECK(outcome.usable == row.usable);
  }
  std::string said;
  outcome_of(begun + kOk + kOk, true, &said);
  CHECK(said.starts_with("LHLO me.test\r\nMAIL FROM:<s@y.test>"));
  CHECK(said.ends_with("DATA\r\nSubject: x\r\n\r\nbody\r\n.\r\n"));
}
