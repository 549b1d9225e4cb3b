#include "service/check_domains.h"

#include "lib/cdb_table.h"
#include "receipt/compile_tables.h"
#include "scratch.h"

using namespace postern;

TEST_CASE("a domain that is delivered here and not accepted is named with the remedy") {
  const ScratchHome home;
  home.write("control/rcpthosts", "example.org\n.below.example\n");
  home.write("control/locals", "example.org\nlost.example\n");
  home.write("control/virtualdomains",
             "v.example:alice\nuser@u.example:bob\nx.below.example:carol\n.w.example:dan\nmore.example:eve\n:"
             "rest\n");
  REQUIRE(write_cdb(home.path("control/morercpthosts.cdb"), {{"more.example", ""}}).ok());
  const std::vector<std::string> problems = unreachable_domains();
  REQUIRE(problems.size() == 4);
  CHECK(problems[0] ==
        home.path("control/locals") +
            ": mail from outside for \"lost.example\" is refused; add the domain to control/rcpthosts");
  CHECK(problems[1].find("virtualdomains: mail from outside for \"v.example\"") != std::string::npos);
  CHECK(problems[2].find("\"u.example\"") != std::string::npos);
  CHECK(problems[3].find("\".w.example\"") != std::string::npos);
}

TEST_CASE("without rcpthosts the locals are accepted, and nothing is wrong") {
  const ScratchHome home;
  home.write("control/locals", "example.org\n");
  CHECK(unreachable_domains().empty());
}

TEST_CASE("a recipient table stands in the place of rcpthosts") {
  const ScratchHome home;
  home.write("control/rcpthosts", "lost.example\n");
  home.write("control/locals", "example.org\nlost.example\nshut.example\n");
  home.write("control/rat", "shut.example REJECT\nexample.org, shut.example ACCEPT\n");
  std::vector<std::string> doubts;
  REQUIRE(compile_recipient_table("rat", doubts).ok());
  const std::vector<std::string> problems = unreachable_domains();
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].ends_with("\"lost.example\" is refused; add the domain to control/rat"));
  CHECK(problems[1].find("shut.example") != std::string::npos);
}
