#include "lib/bounce_template.h"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <string>

#include "scratch.h"

using namespace postern;
using namespace std::string_literals;

TEST_CASE("a template has a subject and a text for each action that it knows") {
  const std::string text =
      "# German\n\n[failed]\nSubject: Unzustellbar: gr\xc3\xbc\xc3\x9f\n\nVon $Host:\r\n\n$Recipients\n\n"
      "[delayed]\nSubject: Versp\xc3\xa4tet\n\n[x] bis $Until, $$5\n";
  Result<BounceTemplate> words = parse_bounce_template(text, "f");
  REQUIRE(words.ok());
  REQUIRE(words->size() == 2);
  CHECK(words->at("failed").subject == "Unzustellbar: gr\xc3\xbc\xc3\x9f");
  CHECK(words->at("failed").text == "Von $Host:\n\n$Recipients\n");
  CHECK(words->at("delayed").text == "[x] bis $Until, $$5\n");
  CHECK(parse_bounce_template("", "f")->empty());
}

TEST_CASE("a template that is wrong names the line and the remedy") {
  struct Row {
    std::string text, says;
  };
  const Row rows[] = {
      {"hello\n", "line 1: it stands in no section"},
      {"[lost]\n", "line 1: it stands in no section"},
      {"[failed]\n", "line 2: a section begins with"},
      {"[failed]\nsubject: x\n", "line 2: a section begins with"},
      {"[failed]\nSubject: \n", "line 2: a section begins with"},
      {"[failed]\nSubject: " + std::string(201, 'x') + "\n", "line 2: a section begins with"},
      {"[failed]\nSubject: x\ntext\n", "line 3: an empty line belongs"},
      {"[failed]\nSubject: x\n\n\n[delayed]\n", "line 5: the section above it has no text"},
      {"[failed]\nSubject: x\n\n", "line 4: the section above it has no text"},
      {"[failed]\nSubject: x\n\nt\n[failed]\n", "line 5: there is such a section before it"},
      {"[failed]\nSubject: x\n\n$Recipient\n", "line 4: there is no variable $Recipient"},
      {"[failed]\nSubject: x\n\n\xe9\n", "line 4: it is not UTF-8"},
      {"[failed]\nSubject: x\n\na\x01\n", "line 4: it has a control character"},
      {"[failed]\nSubject: x\n\n"s + '\0' + "\n", "line 4: it has a control character"},
      {"[failed]\nSubject: x\n\n" + std::string(501, 'x') + "\n", "line 4: it is over 500 bytes"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Result<BounceTemplate> words = parse_bounce_template(row.text, "control/templates/bounce-de");
    REQUIRE_FALSE(words.ok());
    CHECK(words.failure().text.find("read control/templates/bounce-de " + row.says) == 0);
  }
  const ScratchHome home;
  CHECK_FALSE(read_bounce_template("de").ok());
  REQUIRE(::mkdir(home.path("control/templates").c_str(), 0755) == 0);
  home.write("control/templates/bounce-de", "[failed]\nSubject: x\n\ny\n");
  CHECK(read_bounce_template("de").ok());
}
