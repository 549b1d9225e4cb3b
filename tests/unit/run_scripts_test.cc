#include "service/run_scripts.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>

#include "lib/child.h"
#include "scratch.h"

using namespace postern;

namespace {

// Runs the script with an envdir, setuidgid and multilog that print their words, one a line.
std::string words_of(const Scratch& scratch, const std::string& script) {
  REQUIRE((::mkdir(scratch.path("bin").c_str(), 0755) == 0 || errno == EEXIST));
  for (const char* name : {"envdir", "setuidgid", "multilog"}) {
    scratch.write(std::string("bin/") + name, "#!/bin/sh\nfor word; do echo \"[$word]\"; done\n", 0755);
  }
  scratch.write("bin/id", "#!/bin/sh\necho 1017\n", 0755);
  ChildOptions child;
  child.arguments = {"/bin/sh", scratch.write("run", script)};
  child.environment.set("PATH", scratch.path("bin") + ":/usr/bin:/bin");
  child.directory = scratch.path();
  Result<ChildEnd> end = run_child(std::move(child), now_milliseconds() + 20000, 65536);
  REQUIRE(end.ok());
  CHECK(end->exit_code == 0);
  return end->output;
}

Instance some_instance(const std::string& home, bool split) {
  return {.home = home,
          .programs = "/opt/it's here/bin",
          .listen = {"127.0.0.1", "2525"},
          .submission = {"::1", "5870"},
          .smtps = {"127.0.0.2", "4650"},
          .split = split};
}

}  // namespace

TEST_CASE("a home directory reaches every program as one word, whatever it is called") {
  const Scratch scratch;
  for (const std::string& name :
       {std::string("plain"), std::string("with blank"), std::string("it's"), std::string("a\"b"),
        std::string("$(touch pwned)"), std::string("`touch pwned`"), std::string("; touch pwned #"),
        std::string("a\nb"), std::string("*"), std::string("back\\slash")}) {
    CAPTURE(name);
    const std::string home = scratch.path() + "/homes/" + name;
    for (const bool split : {false, true}) {
      const Instance instance = some_instance(home, split);
      for (const Service& service : services()) {
        CAPTURE(service.name);
        const std::string words = words_of(scratch, run_script(instance, service));
        if (service.program.empty()) {
          const std::string where = service.name == "submission" ? "[::1]:5870"
                                    : service.name == "smtps"    ? "127.0.0.2:4650"
                                                                 : "127.0.0.1:2525";
          CHECK(words.find("[tcp:" + where + "]") != std::string::npos);
          CHECK(words.find("[/opt/it's here/bin/postern-smtpd]") != std::string::npos);
        } else {
          const std::string program = service.program.substr(0, service.program.find(' '));
          CHECK(words.find("[/opt/it's here/bin/" + program + "]") != std::string::npos);
        }
        CHECK(words_of(scratch, log_run_script(instance, service))
                  .find("[" + home + "/log/" + service.name + "]") != std::string::npos);
      }
    }
  }
  CHECK(scratch.read("pwned") == "(no such file)");
}

TEST_CASE("no control file's text is in a command: the programs read it themselves") {
  const Scratch scratch;
  for (const Service& service : services()) {
    CAPTURE(service.name);
    const std::string script = run_script(some_instance(scratch.path(), false), service);
    CHECK(script.find("control/concurrency") == std::string::npos);
    if (service.name == "lspawn" || service.name == "rspawn")
      CHECK(script.find("--workers") == std::string::npos);
  }
}

TEST_CASE("with the privilege split each service has its user, its clients and its own socket") {
  const Scratch scratch;
  for (const Service& service : services()) {
    CAPTURE(service.name);
    const std::string split = words_of(scratch, run_script(some_instance("/home", true), service));
    const std::string whole = words_of(scratch, run_script(some_instance("/home", false), service));
    CHECK(whole.find("setuidgid") == std::string::npos);
    CHECK(whole.find("--clients") == std::string::npos);
    CHECK(whole.starts_with("[./env]\n[softlimit]\n[-a]\n"));
    if (service.program.empty()) {
      CHECK(split.find("[setuidgid]\n[posternd]\n") != std::string::npos);
      continue;
    }
    CHECK((split.find("[setuidgid]\n[" + service.user + "]\n") != std::string::npos) ==
          (service.user != "root"));
    CHECK((split.find("[--clients]\n[1017") != std::string::npos) == !service.clients.empty());
    const std::string everybody =
        std::string(service.for_everybody ? "[--everybody]\n" : "") + (service.stream ? "[--stream]\n" : "");
    CHECK((split.find("/postern-bind]\n" + everybody + "[" + service.name + "]\n[" + service.user +
                      ":postern]\n") != std::string::npos) == service.has_socket());
    CHECK((split.find("--everybody") != std::string::npos) ==
          (service.name == "pickup" || service.name == "clamd"));
  }
}
