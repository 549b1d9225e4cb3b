#include "remote/tlsrpt_round.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <string>

#include "lib/child.h"
#include "lib/fd.h"
#include "tests/unit/scratch.h"

using namespace postern;

TEST_CASE("slow reports come behind all others, and each is tried twice at most") {
  const Scratch scratch;
  std::vector<std::string> domains;
  for (int i = 0; i < 20; ++i) domains.push_back("d" + std::to_string(i));
  for (int i = 0; i < 6; ++i) domains.push_back("slow" + std::to_string(i));
  domains.push_back("never");
  domains.push_back("failed");
  domains.push_back("not wanted");
  domains.push_back("killed");
  const std::string log = scratch.write("log", "");
  const TlsRunEnd end =
      send_in_turn(domains, now_milliseconds() + 60000, [&](const std::string& domain, int64_t patience) {
        const Fd file{::open(log.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)};
        const bool patient = patience == kTlsPatientMilliseconds;
        if (!write_all(file.get(), (patient ? "patient " : "quick ") + domain + "\n", "write"))
          return TlsTry::failed;
        if (domain == "killed") ::raise(SIGKILL);
        if (domain == "failed") return TlsTry::failed;
        if (domain == "not wanted") return TlsTry::not_wanted;
        if (domain == "never" || (domain.starts_with("slow") && !patient)) return TlsTry::slow;
        return TlsTry::sent;
      });
  CHECK(end.sent == 26);
  CHECK(end.not_wanted == 1);
  CHECK(end.failed == 3);
  const std::string tried = scratch.read("log");
  CHECK(std::count(tried.begin(), tried.end(), '\n') == 30 + 7);
  CHECK(tried.rfind("quick ") < tried.find("patient "));
}

TEST_CASE("where nothing can be noted no more is sent") {
  const Scratch scratch;
  const std::string log = scratch.write("log", "");
  const TlsRunEnd end = send_in_turn(
      std::vector<std::string>(50, "x"), now_milliseconds() + 60000, [&](const std::string&, int64_t) {
        const Fd file{::open(log.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)};
        return write_all(file.get(), "x", "write") ? TlsTry::not_noted : TlsTry::failed;
      });
  CHECK(end.failed == 50);
  CHECK(scratch.read("log").size() < 2 * kTlsReportsAtOnce);
}

TEST_CASE("when a round is over no report is begun") {
  const TlsRunEnd end =
      send_in_turn({"a", "b"}, now_milliseconds(), [](const std::string&, int64_t) { return TlsTry::sent; });
  CHECK(end.sent == 0);
  CHECK(end.failed == 2);
}
