#include "queue/diagnosis.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;
using namespace std::string_literals;

TEST_CASE("a report is taken apart into status, host and reply") {
  struct Row {
    std::string report, status, mta, reply;
  };
  const Row rows[] = {
      {"mx.example.net[192.0.2.1]:25 said: 550 5.1.1 no such user", "5.1.1", "mx.example.net",
       "550 5.1.1 no such user"},
      {"mx.example.net[2001:db8::1]:25 said: 452 4.2.2 full", "5.2.2", "mx.example.net", "452 4.2.2 full"},
      {"mx.example.net said: 550 no status", "5.0.0", "mx.example.net", "550 no status"},
      {"5.1.2 no such domain", "5.1.2", "", ""},
      {"4.4.1 unable to connect", "5.4.1", "", ""},
      {"550 5.7.1 ours", "5.7.1", "", ""},
      {"2.0.0 odd", "5.0.0", "", ""},
      {"a text that has 5.1.1 too late", "5.0.0", "", ""},
      {"5.1 x", "5.0.0", "", ""},
      {"5.1.1.1 x", "5.0.0", "", ""},
      {"5.1234.1 x", "5.0.0", "", ""},
      {"55.1.1 x", "5.0.0", "", ""},
      {"3.1.1 x", "5.0.0", "", ""},
      {"5..1 x", "5.0.0", "", ""},
      {"5.1.x y", "5.0.0", "", ""},
      {"", "5.0.0", "", ""},
      {" said: ", "5.0.0", "", ""},
      {" said: 550 5.1.1 x", "5.1.1", "", "550 5.1.1 x"},
      {"a said: b said: 5.1.1", "5.0.0", "a", "b said: 5.1.1"},
      {"5.1.1\0x"s, "5.0.0", "", ""},
      {std::string(100000, '5'), "5.0.0", "", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.report.substr(0, 80));
    const Diagnosis diagnosis = diagnose(row.report);
    CHECK(diagnosis.status == row.status);
    CHECK(diagnosis.remote_mta == row.mta);
    CHECK(diagnosis.smtp_reply == row.reply);
  }
}

TEST_CASE("the class of a status is what the outcome demands") {
  CHECK(diagnose("mx.example said: 451 4.7.1 later", '4').status == "4.7.1");
  CHECK(diagnose("5.1.1 odd", '4').status == "4.1.1");
  CHECK(diagnose("mx.example[192.0.2.1]:25 said: 250 2.1.5 taken", '2').status == "2.1.5");
  CHECK(diagnose("", '2').status == "2.0.0");
  CHECK(diagnose("no status", '4').status == "4.0.0");
}

TEST_CASE("what was said is code, status and text, as far as it is there") {
  struct Row {
    const char* report;
    const char* code;
    const char* status;
    const char* text;
  };
  const Row rows[] = {
      {"mx.example[192.0.2.1]:25 said: 550 5.1.1 no such user", "550", "5.1.1", "no such user"},
      {"mx said: 451 later", "451", "", "later"},
      {"4.4.1 unable to connect", "", "4.4.1", "unable to connect"},
      {"550-5.7.26 two lines", "550", "5.7.26", "two lines"},
      {"nothing known", "", "", "nothing known"},
      {"999 5.1.1 x", "", "", "999 5.1.1 x"},
      {"550", "550", "", ""},
      {"", "", "", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.report);
    const Said said = said_in(row.report);
    CHECK(said.code == row.code);
    CHECK(said.status == row.status);
    CHECK(said.text == row.text);
  }
}

TEST_CASE("a status is told in words, its own or its subject's") {
  CHECK(status_words("5.1.0") == "Unknown address error");
  CHECK(status_words("4.1.0") == "Unknown address error");
  CHECK(status_words("5.1.1") == "Bad destination mailbox address");
  CHECK(status_words("5.7.999") == "Security or policy error");
  CHECK(status_words("5.0.0") == "Unknown error");
  CHECK(status_words("") == "Unknown error");
  CHECK(status_words("5.9.9") == "Unknown error");
}
