#include "local/trace_fields.h"
#include "lib/local_part.h"

#include <doctest/doctest.h>

#include <string>

#include "lib/fd.h"

using namespace postern;

TEST_CASE("Return-Path: every sender makes exactly one line, quoted where it must be") {
  struct Row {
    std::string sender;
    const char* line;
  };
  for (const Row& row : {Row{"", "Return-Path: <>\n"},
                         {"a@example.org", "Return-Path: <a@example.org>\n"},
                         {"a.b+c@example.org", "Return-Path: <a.b+c@example.org>\n"},
                         {"a b@example.org", "Return-Path: <\"a b\"@example.org>\n"},
                         {"\"a b\"@example.org", "Return-Path: <\"a b\"@example.org>\n"},
                         {"a\"b@example.org", "Return-Path: <\"a\\\"b\"@example.org>\n"},
                         {"\"a\\\"@example.org", "Return-Path: <\"\\\"a\\\\\\\"\"@example.org>\n"},
                         {"a..b@example.org", "Return-Path: <\"a..b\"@example.org>\n"},
                         {"a@b@example.org", "Return-Path: <\"a@b\"@example.org>\n"},
                         {"root", "Return-Path: <root>\n"},
                         {"@example.org", "Return-Path: <\"\"@example.org>\n"},
                         {"a@example.org\nBcc: x", "Return-Path: <a@example.org_Bcc: x>\n"},
                         {std::string("a\0b@example.org\r", 16), "Return-Path: <a_b@example.org_>\n"},
                         {"j\xc3\xb6@example.org", "Return-Path: <j\xc3\xb6@example.org>\n"}}) {
    CAPTURE(row.sender);
    CHECK(return_path_line(row.sender) == row.line);
  }
}

TEST_CASE("Delivered-To: control bytes cannot add a line") {
  CHECK(delivered_to_line("joe", "example.org") == "Delivered-To: joe@example.org\n");
  CHECK(delivered_to_line("joe\nX: y", "example.org\r\n") == "Delivered-To: \"joe_X: y\"@example.org__\n");
  CHECK(delivered_to_line("joe smith", "example.org") == "Delivered-To: \"joe smith\"@example.org\n");
}

TEST_CASE("a local-part is looked up without its quotes") {
  CHECK(unquote_local_part("joe") == "joe");
  CHECK(unquote_local_part("\"joe\"") == "joe");
  CHECK(unquote_local_part("\"joe \\\"x\\\\\"") == "joe \"x\\");
  CHECK(unquote_local_part("\"joe") == "\"joe");
  CHECK(unquote_local_part("\"") == "\"");
  CHECK(unquote_local_part("") == "");
}

TEST_CASE("a loop is found by a whole line of the header, and by nothing else") {
  const std::string line = "Delivered-To: joe@example.org\n";
  struct Row {
    std::string message;
    bool looping;
  };
  for (const Row& row : {
           Row{"", false},
           {"\n", false},
           {line, true},
           {"Delivered-To: joe@example.org", true},
           {"Subject: x\n" + line + "\nbody\n", true},
           {"Subject: x\ndelivered-to: Joe@Example.ORG\n\nbody\n", true},
           {"Subject: x\n\n" + line, false},
           {"\n" + line, false},
           {"Subject: x\n Delivered-To: joe@example.org\n\n", false},
           {"X-Delivered-To: joe@example.org\n\n", false},
           {"Delivered-To: joe@example.org.uk\n\n", false},
           {"Delivered-To: joe@example.or\n\n", false},
           {"Delivered-To: joe@example.org \n\n", false},
           {std::string("Delivered-To: joe@example.org\0\n\n", 32), false},
           {std::string(65536, 'x') + "\n" + line + "\n", true},
           {std::string(65520, 'x') + "\n" + line + "\n", true},
           {std::string(65535, 'x') + "\n" + line + "\n", true},
           {std::string(65535, 'x') + "\n\n" + line + "\n", false},
           {std::string(1000000, 'x') + line, false},
       }) {
    CAPTURE(row.message.substr(0, 80));
    CAPTURE(row.message.size());
    Result<Fd> message = memory_file_with("message", row.message);
    REQUIRE(message.ok());
    Result<bool> looping = header_has_line(message->get(), line);
    REQUIRE(looping.ok());
    CHECK(*looping == row.looping);
  }
}
