#include "lib/call.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "lib/child.h"
#include "scratch.h"

using namespace postern;

namespace {

// The words of a setting that runs that script.
std::string program(const Scratch& scratch, const std::string& script) {
  static int number = 0;
  return "/bin/sh " + scratch.write("script" + std::to_string(number++), script);
}

Result<Reply> call(const std::string& setting, int64_t milliseconds = 20000, const Request& request = {}) {
  return call_program(setting, request, now_milliseconds() + milliseconds);
}

bool is_alive(const std::string& pid) {
  const std::string path = "/proc/" + pid + "/stat";
  Result<std::string> stat = read_file(path, 4096);
  return stat.ok() && stat->find(") Z ") == std::string::npos;
}

}  // namespace

TEST_CASE("a path form answers with its exit code and what it prints") {
  const ScratchHome home;
  Result<Reply> reply = call(program(home, "printf 'line 1\\nline 2'; exit 31"));
  REQUIRE(reply.ok());
  CHECK(reply->exit_code == 31);
  CHECK(reply->output == "line 1\nline 2");
  reply = call("  /bin/sh -c true  ");
  REQUIRE(reply.ok());
  CHECK(reply->exit_code == 0);
  CHECK(reply->output.empty());
}

TEST_CASE("a path form gets arguments behind its own, its descriptors and only the request's variables") {
  const ScratchHome home;
  const Fd message = memory_with("the message");
  const Fd extra = memory_with("the extra");
  Request request{.arguments = {"two words", "", "$(id)"},
                  .environment = {},
                  .fds = {{message.get(), 0}, {extra.get(), 5}}};
  request.environment.set("POSTERN_MID", "17");
  ::lseek(message.get(), 0, SEEK_SET);
  ::lseek(extra.get(), 0, SEEK_SET);
  ::setenv("POSTERN_UNIT_SECRET", "x", 1);
  Result<Reply> reply = call(
      program(home,
              "cat; echo; cat <&5; echo; for a; do echo \"[$a]\"; done; echo \"$POSTERN_MID $POSTERN_HOME\"\n"
              "echo \"${POSTERN_UNIT_SECRET-unset}\"") +
          " own",
      20000, request);
  ::unsetenv("POSTERN_UNIT_SECRET");
  REQUIRE(reply.ok());
  CHECK(reply->output ==
        "the message\nthe extra\n[own]\n[two words]\n[]\n[$(id)]\n17 " + home.path() + "\nunset\n");
}

TEST_CASE("a path form has none of our descriptors but those that were passed") {
  const ScratchHome home;
  const Fd ours{::open(home.write("ours", "x").c_str(), O_RDONLY | O_CLOEXEC)};
  const Fd passed{::open(home.write("passed", "x").c_str(), O_RDONLY | O_CLOEXEC)};
  const Request request{.arguments = {}, .environment = {}, .fds = {{passed.get(), 3}}};
  Result<Reply> reply = call(program(home, "ls -l /proc/$$/fd"), 20000, request);
  REQUIRE(reply.ok());
  CHECK(reply->output.find(" 3 -> " + home.path("passed")) != std::string::npos);
  CHECK(reply->output.find("/passed") == reply->output.rfind("/passed"));
  CHECK(reply->output.find("/ours") == std::string::npos);
  CHECK(reply->output.find(" 0 -> /dev/null") != std::string::npos);
}

TEST_CASE("a path form that prints too much, is killed or does not exist is a temporary failure") {
  const ScratchHome home;
  const std::string exactly = "dd if=/dev/zero bs=65536 count=1 2>/dev/null";
  Result<Reply> reply = call(program(home, exactly));
  REQUIRE(reply.ok());
  CHECK(reply->output.size() == kReplyLimitBytes);
  const std::string missing = home.path("missing");
  const std::string not_executable = home.write("plain", "x", 0644);
  struct Row {
    std::string setting;
    int exit_code;
  };
  const Row rows[] = {
      {program(home, exactly + "; echo x"), 0},
      {program(home, "kill -9 $$"), 0},
      {program(home, "kill -15 $$"), 0},
      {missing, 120},
      {missing + " with arguments", 120},
      {"postern-of-no-such-name", 120},
      {not_executable, 120},
      {"/", 120},
      {"", 55},
      {" \t\n", 55},
      {std::string(5000, 'x'), 120},
  };
  const size_t before = open_descriptors();
  for (const Row& row : rows) {
    CAPTURE(row.setting.substr(0, 80));
    reply = call(row.setting);
    REQUIRE_FALSE(reply.ok());
    CHECK_FALSE(reply.failure().permanent());
    CHECK(reply.failure().exit_code == row.exit_code);
    CHECK(open_descriptors() == before);
  }
}

TEST_CASE("a deadline kills the program and its whole process group") {
  const ScratchHome home;
  const std::string setting = program(home, "sleep 1000 & echo $! > " + home.path("grandchild") +
                                                "; echo $$ > " + home.path("child") + "; wait");
  const int64_t start = now_milliseconds();
  const size_t before = open_descriptors();
  Result<Reply> reply = call(setting, 400);
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.failure().exit_code == 52);
  CHECK_FALSE(reply.failure().permanent());
  CHECK(now_milliseconds() - start >= 390);
  CHECK(now_milliseconds() - start < 10000);
  CHECK(open_descriptors() == before);
  for (const char* who : {"child", "grandchild"}) {
    CAPTURE(who);
    std::string pid = home.read(who);
    REQUIRE(pid.ends_with("\n"));
    pid.pop_back();
    for (int tries = 0; tries < 200 && is_alive(pid); ++tries) ::usleep(10000);
    CHECK_FALSE(is_alive(pid));
  }
  CHECK_FALSE(call("/bin/sleep 1000", -5).ok());
}

TEST_CASE("what a program leaves running does not hold up its answer") {
  const ScratchHome home;
  const int64_t start = now_milliseconds();
  Result<Reply> reply = call(program(home, "sleep 1000 & echo $! > " + home.path("left") + "; echo done"));
  REQUIRE(reply.ok());
  CHECK(reply->output == "done\n");
  CHECK(now_milliseconds() - start < 10000);
  ::kill(std::stoi(home.read("left")), SIGKILL);
}

TEST_CASE("a request over 64 KiB is refused in the path form as in the other") {
  const ScratchHome home;
  Request request;
  request.arguments = {std::string(kRequestLimitBytes, 'x')};
  for (const char* setting : {"/bin/true", "@nobody"}) {
    CAPTURE(setting);
    Result<Reply> reply = call(setting, 200, request);
    REQUIRE_FALSE(reply.ok());
    CHECK_FALSE(reply.failure().permanent());
  }
}

TEST_CASE("a resident that is not there is a temporary failure within the deadline") {
  const ScratchHome home;
  const size_t before = open_descriptors();
  home.write("run/plainfile", "x");
  for (const std::string& name :
       {std::string("@nobody"), std::string("@plainfile"), std::string("@"), std::string("@../x")}) {
    CAPTURE(name);
    const int64_t start = now_milliseconds();
    Result<Reply> reply = call(name, 300);
    REQUIRE_FALSE(reply.ok());
    CHECK_FALSE(reply.failure().permanent());
    CHECK(reply.failure().exit_code == 56);
    CHECK(now_milliseconds() - start < 5000);
  }
  Result<Reply> reply = call("@" + std::string(200, 'x'), 300);
  REQUIRE_FALSE(reply.ok());
  CHECK_FALSE(reply.failure().permanent());
  CHECK(open_descriptors() == before);
}

TEST_CASE("a resident that takes the request and does not answer is a temporary failure") {
  const ScratchHome home;
  const size_t before = open_descriptors();
  {
    const Fd listening{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = home.path("run/mute");
    std::memcpy(address.sun_path, path.data(), path.size());
    REQUIRE(::bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listening.get(), 8) == 0);
    Result<Reply> reply = call("@mute", 200);
    REQUIRE_FALSE(reply.ok());
    CHECK(reply.failure().exit_code == 52);
    CHECK_FALSE(reply.failure().permanent());
  }
  CHECK(open_descriptors() == before);
}
