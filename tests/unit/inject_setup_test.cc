#include "inject/setup.h"

#include <doctest/doctest.h>

#include "scratch.h"

using namespace postern;
using namespace postern::inject;

TEST_CASE("hosts come from the environment, then control files, then control/me") {
  const ScratchHome home;
  home.write("control/me", "mx.home.example\n");
  Environment environment;
  Result<Setup> setup = read_setup(environment);
  REQUIRE(setup.ok());
  CHECK(setup->completion.default_host == "mx.home.example");
  CHECK(setup->completion.default_domain == "home.example");
  CHECK(setup->completion.plus_domain == "home.example");
  CHECK(setup->id_host == "mx.home.example");
  CHECK_FALSE(setup->author_user.empty());
  home.write("control/defaulthost", "mail\nprose\n");
  home.write("control/defaultdomain", "x.y\n");
  home.write("control/plusdomain", "p.q\n");
  home.write("control/idhost", "id+\n");
  home.write("control/databytes", "17\n");
  setup = read_setup(environment);
  CHECK(setup->completion.default_host == "mail");
  CHECK(setup->id_host == "id.p.q");
  CHECK(setup->message_limit_bytes == 17);
  CHECK(made_address("a", "", setup->completion) == "a@mail.x.y");
  CHECK(made_address("a b\n\"", "h", setup->completion) == "\"a b\\\"\"@h.x.y");
  CHECK(made_address("a", "h\n> <x@y", setup->completion) == "a@hxy.x.y");
  environment.set("QMAILDEFAULTHOST", "dh");
  environment.set("QMAILDEFAULTDOMAIN", "dd");
  environment.set("QMAILPLUSDOMAIN", "pd");
  environment.set("QMAILIDHOST", "ih");
  setup = read_setup(environment);
  CHECK(setup->completion.default_host == "dh");
  CHECK(setup->completion.default_domain == "dd");
  CHECK(setup->completion.plus_domain == "pd");
  CHECK(setup->id_host == "ih.dd");
  home.write("control/me", "example.org\n");
  CHECK(read_setup({})->completion.default_domain == "x.y");
}

TEST_CASE("the first variable that is set names the user, the host and the person") {
  const ScratchHome home;
  Environment environment;
  for (const char* name : {"LOGNAME", "USER", "MAILUSER", "QMAILUSER"}) {
    environment.set(name, std::string(name) + "-x");
    CHECK(read_setup(environment)->author_user == std::string(name) + "-x");
    CHECK(read_setup(environment)->sender_user == std::string(name) + "-x");
  }
  environment.set("QMAILUSER", "");
  CHECK(read_setup(environment)->author_user == "MAILUSER-x");
  environment.set("QMAILSUSER", "s");
  environment.set("MAILHOST", "h1");
  environment.set("QMAILSHOST", "h2");
  environment.set("NAME", "n1");
  environment.set("QMAILNAME", "n2");
  environment.set("QMAILINJECT", "sf");
  Result<Setup> setup = read_setup(environment);
  CHECK(setup->sender_user == "s");
  CHECK(setup->author_host == "h1");
  CHECK(setup->sender_host == "h2");
  CHECK(setup->author_name == "n2");
  CHECK(setup->letter('f'));
  CHECK_FALSE(setup->letter('c'));
}

TEST_CASE("what is wrong with a file is said") {
  const ScratchHome home;
  home.write("control/databytes", "many\n");
  CHECK(read_setup({}).failure().text.find("control/databytes") != std::string::npos);
  home.write("control/databytes", "0\n");
  Environment environment;
  environment.set("QMAILMFTFILE", home.path("nowhere"));
  CHECK(read_setup(environment).failure().text.find("nowhere") != std::string::npos);
}
