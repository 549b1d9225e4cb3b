#include "remote/settings.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "scratch.h"

using namespace postern;

namespace {
struct File {
  std::string name, content;
};
Result<RemoteSettings> settings_with(const std::vector<File>& files) {
  const ScratchHome home;
  home.write("control/me", "mx.us.test\n");
  for (const File& file : files) home.write("control/" + file.name, file.content);
  return read_remote_settings();
}
}  // namespace

TEST_CASE("each phase has the time of RFC 5321 unless its own file says another") {
  const Result<RemoteSettings> plain = settings_with({});
  REQUIRE(plain.ok());
  CHECK(plain->timeouts.connect == 60);
  CHECK(plain->timeouts.greeting == 300);
  CHECK(plain->timeouts.data == 120);
  CHECK(plain->timeouts.end == 600);
  CHECK(plain->families == std::vector<IpFamily>{IpFamily::v6, IpFamily::v4});
  CHECK_FALSE(plain->refuse_8bit);
  CHECK(plain->timeouts.starttls == 300);
  CHECK(plain->tls_minimum == 2);
  CHECK(plain->tls_authorities == "/etc/ssl/certs");
  const Result<RemoteSettings> some = settings_with({{"timeoutconnect", "1\n"},
                                                     {"timeoutgreeting", "2\n"},
                                                     {"timeouthelo", "3\n"},
                                                     {"timeoutstarttls", "10\n"},
                                                     {"tlsminimum", "tlsv1.3\n"},
                                                     {"tlscapath", "/nowhere\n"},
                                                     {"timeoutmail", "4\n"},
                                                     {"timeoutrcpt", "5\n"},
                                                     {"timeoutdata", "6\n"},
                                                     {"timeoutblock", "7\n"},
                                                     {"timeoutdot", "8\n"},
                                                     {"timeoutrset", "9\n"},
                                                     {"ipfamilies", "IPv4\n\nprose\n"},
                                                     {"eightbitmime", "refuse\n"},
                                                     {"ehloignore", "CHUNKING  dsn\n"}});
  REQUIRE(some.ok());
  const SmtpTimeouts& t = some->timeouts;
  CHECK(std::vector<int64_t>{t.connect, t.greeting, t.hello, t.mail, t.rcpt, t.data, t.block, t.end,
                             t.reset} == std::vector<int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK(t.starttls == 10);
  CHECK(some->tls_minimum == 3);
  CHECK(some->tls_authorities == "/nowhere");
  CHECK(some->families == std::vector<IpFamily>{IpFamily::v4});
  CHECK(some->refuse_8bit);
  CHECK(some->ignored_extensions == std::vector<std::string>{"CHUNKING", "dsn"});
}

TEST_CASE("control/timeoutremote is in the place of all but timeoutconnect") {
  const Result<RemoteSettings> some =
      settings_with({{"timeoutremote", "17\n"}, {"timeoutdot", "600\n"}, {"timeoutconnect", "5\n"}});
  REQUIRE(some.ok());
  CHECK(some->timeouts.connect == 5);
  CHECK(some->timeouts.greeting == 17);
  CHECK(some->timeouts.end == 17);
  CHECK(some->timeouts.reset == 17);
}

TEST_CASE("a setting that is wrong is named") {
  for (const File& file : std::vector<File>{{"timeoutdot", "0\n"},
                                            {"timeoutdot", "86401\n"},
                                            {"timeoutdot", "soon\n"},
                                            {"timeoutremote", "\n"},
                                            {"ipfamilies", "ipv6 ipv6\n"},
                                            {"ipfamilies", "inet\n"},
                                            {"eightbitmime", "maybe\n"},
                                            {"tlsminimum", "1.2\n"},
                                            {"tlsminimum", "SSLv3\n"},
                                            {"remoteport", "65536\n"},
                                            {"helohost", "a b\n"}}) {
    CAPTURE(file.name);
    const Result<RemoteSettings> read = settings_with({file});
    REQUIRE_FALSE(read.ok());
    CHECK_FALSE(read.failure().permanent());
    CHECK(read.failure().text.find(file.name) != std::string::npos);
  }
}
