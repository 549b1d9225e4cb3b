#include "service/check_control.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "receipt/hat_files.h"
#include "scratch.h"
#include "service/control_defaults.h"

using namespace postern;

namespace {

ControlReport report_of(const std::string& name) {
  Result<std::vector<ControlReport>> reports = check_control();
  REQUIRE(reports.ok());
  const auto found =
      std::find_if(reports->begin(), reports->end(), [&](const ControlReport& r) { return r.name == name; });
  REQUIRE(found != reports->end());
  return *found;
}

}  // namespace

TEST_CASE("without files every setting is at its default and nothing is wrong") {
  const ScratchHome home;
  Result<std::vector<ControlReport>> reports = check_control();
  REQUIRE(reports.ok());
  CHECK(reports->size() > 20);
  for (const ControlReport& report : *reports) {
    CAPTURE(report.name);
    CHECK(report.is_default);
    CHECK(report.problems.empty());
    CHECK_FALSE(report.value.empty());
  }
  CHECK(std::is_sorted(reports->begin(), reports->end(),
                       [](const auto& a, const auto& b) { return a.name < b.name; }));
}

TEST_CASE("the default files that are installed are known and right") {
  const ScratchHome home;
  for (const ControlDefault& file : control_defaults())
    home.write("control/" + std::string(file.name), file.content);
  std::vector<std::string> warnings;
  const Result<std::string> table = make_hat(
      "", [](const auto&) { return std::vector<AddressPrefix>(); }, warnings);
  REQUIRE(table.ok());
  CHECK(warnings.empty());
  REQUIRE(write_hat(home.path("control/hat.bin"), *table).ok());
  for (const ControlDefault& file : control_defaults()) {
    CAPTURE(file.name);
    const ControlReport report = report_of(std::string(file.name));
    CHECK_FALSE(report.is_default);
    CHECK(report.problems.empty());
  }
}

TEST_CASE("what is wrong is named by file and line, with the remedy") {
  struct Row {
    std::string name, content, problem;  // problem: empty when there is none
  };
  const Row rows[] = {
      {"databytes", "1000\nprose\n", ""},
      {"databytes", "10 MB\n", ":1: \"10 MB\" is not a number; write decimal digits only"},
      {"stresspercent", "most\n", ":1: \"most\" is not a number; write decimal digits only"},
      {"timeoutstress", "-1\n", ":1: \"-1\" is not a number; write decimal digits only"},
      {"concurrencyperip", "many\n", ":1: \"many\" is not a number; write decimal digits only"},
      {"tcp.smtp",
       "127.:allow,RELAYCLIENT=\"\"\n192.0.2.1-9:deny\n2001:db8:1:deny\n2001:db8::1:deny\n:allow\n# all\n",
       ":3: \"2001:db8:1:deny\" is never met: it is no address; write one, or a prefix that ends with "
       "a dot or a colon"},
      {"tcp.smtp", "=.example.org:deny\n",
       ":1: \"=.example.org:deny\" is never met: smtpd asks nobody for the client's host name or user; write "
       "the address, or a prefix of it"},
      {"tcp.smtp", "joe@192.0.2.1:deny\n",
       ":1: \"joe@192.0.2.1:deny\" is never met: smtpd asks nobody for the client's host name or user; write "
       "the address, or a prefix of it"},
      {"tcp.smtp", "2001:db8::/32:deny\n",
       ":1: \"2001:db8::/32:deny\" is never met: a network is written as a prefix; write 192.0.2. or "
       "2001:db8:"},
      {"tcp.smtp", "2001:0DB8::1:deny\n",
       ":1: \"2001:0DB8::1:deny\" is never met: addresses are compared as text; write 2001:db8::1"},
      {"tcp.smtp", "192.0.2.1\n", ":1: \"192.0.2.1\" is no rule; write ADDRESS:allow or ADDRESS:deny"},
      {"reputationlists", "# lists\nlist bl.example 127.0.0.2=-8 weight=0.5\n", ""},
      {"reputationlists", "# lists\nlist bl.example 127.0.0.2=-18\n",
       ":2: \"list bl.example 127.0.0.2=-18\" is wrong; 127.0.0.2=-18: write an answer of the list, = and a "
       "score "
       "from -10 to 10"},
      {"reputationtable", "192.0.2.0/24 -7.5\n", ""},
      {"reputationtable", "192.0.2.1/24 -7.5\n",
       ":1: \"192.0.2.1/24 -7.5\" is wrong; its address has bits behind the network's: write 192.0.2.0"},
      {"senderrateexceptions", "list@example.org\n@example.net\n", ""},
      {"senderrateexceptions", "example.net\n",
       ":1: \"example.net\" has no @; write user@domain, @domain or @.domain"},
      {"tlsminimum", "TLSv1.3\n", ""},
      {"tlsminimum", "1.3\n", ":1: \"1.3\" is no version of TLS; write TLSv1.2 or TLSv1.3"},
      {"tlscapath", "/nowhere\n", ":1: \"/nowhere\" is not a directory; make it, or name the right one"},
      {"ipfamilies", "ipv4\n", ""},
      {"ipfamilies", "IPv4 ipv6\n", ""},
      {"ipfamilies", "ipv4 ipv4\n", ":1: \"ipv4 ipv4\" is no order of address families"},
      {"ipfamilies", "inet6\n", ":1: \"inet6\" is no order of address families"},
      {"ipfamilies", "\n", ":1: \"\" is no order of address families"},
      {"eightbitmime", "refuse\n", ""},
      {"eightbitmime", "convert\n", ":1: \"convert\" is neither of two words; write send or refuse"},
      {"databytes", "", ":1: \"\" is not a number"},
      {"databytes", "-1", ":1: \"-1\" is not a number"},
      {"me", "mx.example.org\n", ""},
      {"me", "mx example\n", ":1: \"mx example\" is not a host name"},
      {"me", "a@b", ":1: \"a@b\" is not a host name"},
      {"locals", "# ours\nexample.org\n.example.net\n", ""},
      {"locals", "example.org\n\nuser@example.net\n", ":3: \"user@example.net\" is not a domain"},
      {"listen", "[::1]:25", ""},
      {"listen", "25", ":1: \"25\" is not ADDR:PORT"},
      {"resolver", "localhost:53", ":1: \"localhost:53\" is not ADDR:PORT"},
      {"avstale", "error", ""},
      {"avstale", "defer", ":1: \"defer\" is neither of two words; write warn or error"},
      {"avheuristics", "broken macros", ""},
      {"avheuristics", "brokn",
       ":1: \"brokn\" has a word that is not known; write none, or some of broken, brokenmedia, macros, "
       "partitions, cloakedurls, sslmismatch"},
      {"avmaxage", "a week", ":1: \"a week\" is not a number; write decimal digits only"},
      {"clamdb", "/", ""},
      {"clamdb", "/no/such/directory", ":1: \"/no/such/directory\" is not a directory"},
      {"smtproutes", "example.org:host:26\n:\n", ""},
      {"smtproutes", "\nexample.org host\n",
       ":2: \"example.org host\" is wrong: it has no colon; write DOMAIN:HOST"},
      {"smtproutes", "a.test:b.test tls=maybe\n",
       ":1: \"a.test:b.test tls=maybe\" is wrong: tls=maybe is no level"},
      {"altsrchost", "@a.test bulk\npool bulk 192.0.2.1\n", ""},
      {"altsrchost", "# ours\n@a.test bulk\n", ":2: \"bulk\" is neither an address nor the name of a pool"},
      {"virtualdomains", "# ours\nshop.example:shop\n:all\n", ""},
      {"virtualdomains", "\nshop.example\n", ":2: \"shop.example\" has no colon"},
      {"doublebounceto", "\n\nprose\n", ""},
      {"defaultdomain.Public", "example.org\n", ""},
      {"defaultdomain.Public", "a b\n", ":1: \"a b\" is not a host name"},
      {"senderexceptions", "# friends\na@b.example accept\n", ": it is newer than senderexceptions.cdb"},
      {"stages", "antivirus @antivirus\n", ""},
      {"stages", "antivirus\n", ":1: \"antivirus\" names no program"},
      {"dnsq", "\n", ":1: \"\" is empty"},
      {"retryfirst", "6\x1b[2J0", ":1: \"6\\x1b[2J0\" is not a number"},
      {"retryfirst", std::string("60\0", 3), ":1: \"60\\x00\" is not a number"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CAPTURE(row.content);
    const ScratchHome home;
    home.write("control/rcpthosts", "example.org\n.example.net\nshop.example\n");
    home.write("control/" + row.name, row.content);
    const ControlReport report = report_of(row.name);
    CHECK_FALSE(report.is_default);
    REQUIRE(report.problems.size() == (row.problem.empty() ? 0 : 1));
    if (row.problem.empty()) continue;
    CHECK(report.problems[0].starts_with(home.path("control/" + row.name) + row.problem));
    CHECK(report.problems[0].find("; ") != std::string::npos);
  }
}

TEST_CASE("bounce profiles are looked at as a whole, with what they name and what names them") {
  const ScratchHome home;
  home.write("control/bounceprofiles", "# ours\nDEFAULT max_retries=7\nfast initial_retry=5\n");
  ControlReport report = report_of("bounceprofiles");
  CHECK(report.problems.empty());
  CHECK(report.value == "DEFAULT max_retries=7, fast initial_retry=5");
  home.write("control/destinations", "far.example bounce_profile=Fast\nnear.example bounce_profile=slow\n");
  report = report_of("bounceprofiles");
  REQUIRE(report.problems.size() == 1);
  CHECK(report.problems[0] == home.path("control/bounceprofiles") +
                                  ": control/destinations names the profile slow; add a line for it");
  REQUIRE(::unlink(home.path("control/bounceprofiles").c_str()) == 0);
  report = report_of("bounceprofiles");
  CHECK(report.is_default);
  CHECK(report.problems.size() == 2);
  home.write("control/bounceprofiles", "slow\nfast template=de\n");
  report = report_of("bounceprofiles");
  REQUIRE(report.problems.size() == 1);
  CHECK(report.problems[0].find("control/templates/bounce-de") != std::string::npos);
  home.write("control/bounceprofiles", "slow\n\nfast max_retries=x\n");
  report = report_of("bounceprofiles");
  REQUIRE(report.problems.size() == 1);
  CHECK(report.problems[0] ==
        home.path("control/bounceprofiles") + ":3: max_retries=x: it is a number from 0 to 1000000");
}

TEST_CASE("files that nobody reads are found, hidden ones and compiled tables are not complained of") {
  const ScratchHome home;
  home.write("control/rcpthost", "example.org\n");
  home.write("control/.swp", "x");
  home.write("control/tcp.smtp.cdb", std::string("\0\1\2", 3));
  CHECK(report_of("rcpthost").problems.size() == 1);
  CHECK(report_of("tcp.smtp.cdb").problems.empty());
  Result<std::vector<ControlReport>> reports = check_control();
  for (const ControlReport& report : *reports) CHECK(report.name != ".swp");
}

TEST_CASE("a file that cannot be read and a home without control are said") {
  {
    const ScratchHome home;
    REQUIRE(::mkdir(home.path("control/me").c_str(), 0755) == 0);
    CHECK(report_of("me").problems.size() == 1);
    REQUIRE(::rmdir(home.path("control/me").c_str()) == 0);
    REQUIRE(::rmdir(home.path("control").c_str()) == 0);
    Result<std::vector<ControlReport>> reports = check_control();
    REQUIRE_FALSE(reports.ok());
    CHECK(reports.failure().permanent());
    CHECK(reports.failure().text.find("postern-init") != std::string::npos);
  }
}
