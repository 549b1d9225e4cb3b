#include "scanq/antivirus_policy.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;

namespace {

const AntivirusVerdict kVirus{AntivirusKind::infected, "V", {}};

// "what first second; …"
std::string in_words(const std::vector<AntivirusAction>& actions) {
  std::string text;
  for (const AntivirusAction& action : actions) {
    text += std::to_string(static_cast<int>(action.what));
    if (!action.first.empty()) text += " " + action.first;
    if (!action.second.empty()) text += " " + action.second;
    text += "; ";
  }
  return text;
}

std::string of(std::string_view text, AntivirusKind kind, std::string_view direction, const char* name = "") {
  const Result<AntivirusPolicy> policy = parse_antivirus_policy(text);
  return policy ? in_words(policy->of({kind, name, {}}, direction)) : policy.failure().text;
}

std::string number(AntivirusDo what) {
  return std::to_string(static_cast<int>(what));
}

}  // namespace

TEST_CASE("without settings each verdict has its default") {
  for (const std::string_view text : {"", "# nothing\n\n"}) {
    CHECK(of(text, AntivirusKind::infected, "in") == "10 Virus; 8; ");
    CHECK(of(text, AntivirusKind::infected, "") == "10 Virus; 8; ");
    CHECK(of(text, AntivirusKind::infected, "out").starts_with("11 554 5.7.1 "));
    CHECK(of(text, AntivirusKind::infected, "local").starts_with("11 554 5.7.1 "));
    CHECK(of(text, AntivirusKind::encrypted, "in") == "3 X-Postern-Antivirus encrypted ($VirusName); 9; ");
    CHECK(of(text, AntivirusKind::unscannable, "in") == "10 Unscannable; ");
    CHECK(of(text, AntivirusKind::unscannable, "in", "RAR") == "10 Unscannable; ");
    CHECK(of(text, AntivirusKind::limit, "in") == "10 Unscannable; ");
    CHECK(of(text, AntivirusKind::error, "in") == number(AntivirusDo::defer) + "; ");
    CHECK(of(text, AntivirusKind::clean, "in") == number(AntivirusDo::pass) + "; ");
  }
}

TEST_CASE("lines with a direction take the place of those without one") {
  const std::string text =
      "infected quarantine A\n  infected@out,local\tdelete  \ninfected header X-V a b\nrar pass\n"
      "unscannable@in reject 550 no $Verdict\n";
  CHECK(of(text, AntivirusKind::infected, "in") == "10 A; 3 X-V a b; ");
  CHECK(of(text, AntivirusKind::infected, "out") == number(AntivirusDo::drop) + "; ");
  CHECK(of(text, AntivirusKind::infected, "local") == number(AntivirusDo::drop) + "; ");
  CHECK(of(text, AntivirusKind::unscannable, "in") == "11 550 no $Verdict; ");
  CHECK(of(text, AntivirusKind::unscannable, "out") == "10 Unscannable; ");
  CHECK(of(text, AntivirusKind::unscannable, "in", "RAR archive") == "9; ");
  CHECK(of("unscannable delete\n", AntivirusKind::unscannable, "in", "RAR") ==
        number(AntivirusDo::drop) + "; ");
}

TEST_CASE("lines that only add to it leave what becomes of the message as it is") {
  CHECK(of("infected notify admin virus\n", AntivirusKind::infected, "in") == "7 admin virus; 10 Virus; 8; ");
  CHECK(of("infected subject [V]\ninfected stop\n", AntivirusKind::infected, "in") == "2 [V]; 8; 10 Virus; ");
  CHECK(of("infected notify admin v\n", AntivirusKind::infected, "out").find("; 11 554") !=
        std::string::npos);
  CHECK(of("encrypted archive E\n", AntivirusKind::encrypted, "in") == "6 E; 9; ");
  for (const char* line : {"repair", "replace", "redirect a@b", "route h", "pass"}) {
    CAPTURE(line);
    CHECK(of(std::string("infected ") + line, AntivirusKind::infected, "in").find("10 Virus") ==
          std::string::npos);
  }
}

TEST_CASE("all actions are taken with their arguments") {
  CHECK(of("infected repair\ninfected replace\ninfected subject [a  b]\ninfected header X-A  b c\n"
           "infected redirect v@example.org\ninfected route h.example:2525\ninfected archive Virus copies\n"
           "infected notify sender t.1\ninfected notify recipients t\ninfected notify a@b t\ninfected stop\n"
           "infected defer later $MID\n",
           AntivirusKind::infected, "in") ==
        "0; 1; 2 [a  b]; 3 X-A b c; 4 v@example.org; 5 h.example:2525; 6 Virus copies; 7 sender t.1; "
        "7 recipients t; 7 a@b t; 8; 12 later $MID; ");
  CHECK(of("infected reject\n", AntivirusKind::infected, "in") == "11; ");
  CHECK(of("infected reject 5.7.1 text\n", AntivirusKind::infected, "in") == "11 5.7.1 text; ");
  CHECK(of("infected route [::1]:25\n", AntivirusKind::infected, "in") == "5 [::1]:25; ");
}

TEST_CASE("a line that is wrong is named with its number and the remedy") {
  struct Row {
    const char* line;
    const char* remedy;
  };
  const Row rows[] = {
      {"virus delete", "begin it with clean, infected"},
      {"infected", "there is no such action; write repair, replace"},
      {"infected remove", "there is no such action"},
      {"infected@up delete", "in, out or local"},
      {"infected@ delete", "in, out or local"},
      {"infected repair now", "takes nothing"},
      {"infected subject", "write the text"},
      {"infected subject \xff", "printing UTF-8"},
      {"infected subject a\x01", "printing UTF-8"},
      {"infected subject $Nobody", "no variable $Nobody"},
      {"infected header X-A", "name and its value"},
      {"infected header X: b", "without the colon"},
      {"infected redirect host.example", "use route"},
      {"infected redirect a@b c@d", "write one address"},
      {"infected route a@b", "write a host"},
      {"infected route h:99999", "write a host"},
      {"infected route [::1", "write a host"},
      {"infected archive", "letters, digits"},
      {"infected quarantine a/b", "letters, digits"},
      {"infected quarantine -a", "letters, digits"},
      {"infected notify", "sender, recipients"},
      {"infected notify nobody t", "sender, recipients"},
      {"infected notify admin", "control/templates"},
      {"infected notify admin ../x", "control/templates"},
      {"infected notify admin .x", "control/templates"},
      {"infected reject 450 x", "use defer"},
      {"infected reject 5 x", "5yz"},
      {"clean repair", "nothing is known"},
      {"error replace", "nothing is known"},
      {"infected pass\ninfected delete", "keep one of them"},
      {"infected stop\ninfected stop", "keep one of them"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    const std::string text = std::string("# first\n") + row.line + "\n";
    const Result<AntivirusPolicy> policy = parse_antivirus_policy(text);
    REQUIRE_FALSE(policy.ok());
    const std::string& why = policy.failure().text;
    CHECK(why.find(row.remedy) != std::string::npos);
    const std::string at = std::string(row.line).find('\n') == std::string::npos ? ":2: " : ":3: ";
    CHECK(why.starts_with("read control/antivirus" + at));
    CHECK_FALSE(policy.failure().permanent());
  }
  CHECK(parse_antivirus_policy("infected archive " + std::string(56, 'a')).ok());
  CHECK_FALSE(parse_antivirus_policy("infected archive " + std::string(57, 'a')).ok());
  CHECK_FALSE(parse_antivirus_policy(std::string(70000, '#')).ok());
  std::string many;
  for (int i = 0; i < 60; ++i) many += "infected header X-" + std::to_string(i) + " a\n";
  CHECK_FALSE(parse_antivirus_policy(many).ok());
}

TEST_CASE("variables are expanded once, and a dollar sign is itself") {
  const AntivirusVariables variables{"infected", "$MID", "found", "a.exe", "17", "mx", "today"};
  CHECK(expand_antivirus_text("$Verdict $VirusName $Finding $FileName $MID $Host $Date", variables) ==
        "infected $MID found a.exe 17 mx today");
  CHECK(expand_antivirus_text("$$MID $5 $ $", variables) == "$MID $5 $ $");
  CHECK(expand_antivirus_text("$Other", variables) == "$Other");
  CHECK(expand_antivirus_text("", variables).empty());
}
