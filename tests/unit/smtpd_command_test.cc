#include "smtpd/command.h"

#include <doctest/doctest.h>

using namespace postern::smtpd;

TEST_CASE("a command line is a verb in any case and an argument") {
  struct Case {
    std::string line;
    Verb verb;
    const char* argument;
  };
  const Case cases[] = {
      {"EHLO a.example", Verb::ehlo, "a.example"},
      {"ehlo   a.example  ", Verb::ehlo, "a.example"},
      {"HELO", Verb::helo, ""},
      {"Mail FROM:<a@b>", Verb::mail, "FROM:<a@b>"},
      {"RCPT TO:<a@b>", Verb::rcpt, "TO:<a@b>"},
      {"DATA", Verb::data, ""},
      {"DATA ", Verb::data, ""},
      {"DATAX", Verb::unknown, ""},
      {"RSET", Verb::rset, ""},
      {"NOOP x y", Verb::noop, "x y"},
      {"QUIT", Verb::quit, ""},
      {"VRFY a", Verb::vrfy, "a"},
      {"HELP", Verb::help, ""},
      {"EXPN a", Verb::expn, "a"},
      {"STARTTLS", Verb::starttls, ""},
      {"AUTH PLAIN x", Verb::auth, "PLAIN x"},
      {"BDAT 10 LAST", Verb::bdat, "10 LAST"},
      {"ETRN x", Verb::unknown, "x"},
      {"VRFY \xc3\xa4 SMTPUTF8", Verb::vrfy, "\xc3\xa4 SMTPUTF8"},
      {"NOOP \xc3\xa4", Verb::forbidden_bytes, ""},
      {"MAIL FROM:<a\x7f@b>", Verb::forbidden_bytes, ""},
      {"GET / HTTP/1.1", Verb::not_smtp, "/ HTTP/1.1"},
      {"", Verb::unknown, ""},
      {" EHLO a", Verb::unknown, "EHLO a"},
      {"EHLO:a", Verb::unknown, ""},
      // Hostile ones.
      {std::string("EHLO a\0b", 8), Verb::forbidden_bytes, ""},
      {"EHLO a\rb", Verb::forbidden_bytes, ""},
      {"EHLO\ta", Verb::forbidden_bytes, ""},
      {"\x16\x03\x01", Verb::forbidden_bytes, ""},
      {"MAIL FROM:<\xc3\xa4@b>", Verb::mail, "FROM:<\xc3\xa4@b>"},
      {"DATA\x7f", Verb::forbidden_bytes, ""},
      {std::string(100000, 'A'), Verb::unknown, ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.line.substr(0, 60));
    const Command command = parse_command(c.line);
    CHECK(command.verb == c.verb);
    CHECK(command.argument == c.argument);
  }
}

TEST_CASE("a greeting name has no blanks and no header syntax in it") {
  for (const std::string name : {"a", "a.example", "[127.0.0.1]", "[IPv6:::1]", "some_host", "-", "it's"}) {
    CAPTURE(name);
    CHECK(is_greeting_name(name));
  }
  for (const std::string& name : {std::string(), std::string("a b"), std::string("a(b"), std::string("<a>"),
                                  std::string("a\"b"), std::string("a;b"), std::string("a\nb"),
                                  std::string("a\0b", 3), std::string("\xc3\xa4"), std::string(256, 'a')}) {
    CAPTURE(name);
    CHECK_FALSE(is_greeting_name(name));
  }
}

TEST_CASE("BDAT takes a size and LAST") {
  struct Case {
    const char* argument;
    Reply reply;
    uint64_t size_bytes;
    bool last;
  };
  const Case cases[] = {
      {"0", Reply::chunk_ok, 0, false},
      {"12", Reply::chunk_ok, 12, false},
      {"12 LAST", Reply::chunk_ok, 12, true},
      {"12  last", Reply::chunk_ok, 12, true},
      {"18446744073709551615 LAST", Reply::chunk_ok, UINT64_MAX, true},
      {"12 FIRST", Reply::bad_chunk_keyword, 12, false},
      {"12 LAST x", Reply::bad_chunk_keyword, 12, false},
      {"", Reply::bad_chunk_size, 0, false},
      {"LAST", Reply::bad_chunk_size, 0, false},
      {"-1", Reply::bad_chunk_size, 0, false},
      {"+1", Reply::bad_chunk_size, 0, false},
      {"0x10", Reply::bad_chunk_size, 0, false},
      {"1.0", Reply::bad_chunk_size, 0, false},
      {"18446744073709551616", Reply::bad_chunk_size, 0, false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.argument);
    const ChunkArgument chunk = parse_chunk(c.argument);
    CHECK(chunk.reply == c.reply);
    CHECK(chunk.size_bytes == c.size_bytes);
    if (c.reply == Reply::chunk_ok) CHECK(chunk.last == c.last);
  }
}

TEST_CASE("what VRFY is asked is ASCII, or UTF-8 that says so") {
  CHECK(is_plain_or_announced_utf8("a"));
  CHECK(is_plain_or_announced_utf8("a SMTPUTF8"));
  CHECK(is_plain_or_announced_utf8("\xc3\xa4 smtputf8"));
  CHECK_FALSE(is_plain_or_announced_utf8("\xc3\xa4"));
  CHECK_FALSE(is_plain_or_announced_utf8("\xff SMTPUTF8"));
}

TEST_CASE("every reply has a code, and a status of the same class but for 354") {
  for (int i = 0; i <= static_cast<int>(Reply::not_configured); ++i) {
    CAPTURE(i);
    const postern::SmtpReply reply = smtp_reply(static_cast<Reply>(i));
    CHECK(reply.code.size() == 3);
    CHECK_FALSE(reply.text.empty());
    CHECK(reply_line(reply).ends_with("\r\n"));
    CHECK(reply_line(reply).size() <= 512);
    if (reply.code == "354") {
      CHECK(reply.status.empty());
    } else {
      CHECK(reply.status.substr(0, 2) == reply.code.substr(0, 1) + ".");
    }
  }
}
