#include "scanq/antivirus_scan.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "scanq/antivirus_scratch.h"

using namespace postern;

namespace {

// Finds "BAD" at the start of what it is given, and cannot read what begins with "ODD".
struct FakeScanner {
  std::vector<std::string> seen;
  ScanResult operator()(std::string_view bytes) {
    seen.emplace_back(bytes);
    if (bytes.starts_with("BAD")) return {AntivirusKind::infected, "Fake"};
    if (bytes.starts_with("ODD")) return {AntivirusKind::unscannable, "odd"};
    return {};
  }
};

AntivirusVerdict scan_with(FakeScanner& fake, std::string_view message) {
  return scan_message(message, {}, [&](std::string_view bytes, MailParser) { return fake(bytes); });
}

}  // namespace

TEST_CASE("the body or the parts are scanned and then the whole message, until a virus is found") {
  struct Row {
    const char* message;
    AntivirusKind kind;
    size_t scans;
  };
  const Row rows[] = {
      {"Subject: x\n\nhello", AntivirusKind::clean, 2},
      {"Subject: x\n\nBAD", AntivirusKind::infected, 2},
      {"BAD\n\nBAD", AntivirusKind::infected, 1},
      {"BAD: x\n\nx", AntivirusKind::infected, 1},
      {"BAD: x\nContent-Type: text/html\n\nx", AntivirusKind::infected, 2},
      {"Subject: x\n\nODD", AntivirusKind::unscannable, 2},
      {"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b\n\nBAD\n--b--\n", AntivirusKind::infected,
       2},
      {"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nODD\n--b\n\nBAD\n--b--\n",
       AntivirusKind::infected, 2},
      {"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nODD\n--b\n\nx\n--b--\n",
       AntivirusKind::unscannable, 3},
      {"Content-Type: text/html\n\nBAD", AntivirusKind::infected, 1},
      {"Content-Type: multipart/mixed; boundary=b\n\nBAD", AntivirusKind::infected, 1},
      {"ODD: x\nContent-Transfer-Encoding: base64\n\nQkFE", AntivirusKind::infected, 1},
  };
  for (const Row& row : rows) {
    const std::string message = row.message;
    CAPTURE(message);
    FakeScanner fake;
    CHECK(scan_with(fake, message).kind == row.kind);
    CHECK(fake.seen.size() == row.scans);
    if (row.kind != AntivirusKind::infected)
      CHECK(std::count(fake.seen.begin(), fake.seen.end(), message) == 1);
  }
}

TEST_CASE("a virus that is exempt is passed over, and no other one behind it") {
  const std::string head = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nBAD\n--b\n\nx\n--b--\n";
  const auto look = [](std::string_view bytes, MailParser) {
    if (bytes.starts_with("BAD")) return ScanResult{AntivirusKind::infected, "Fake"};
    if (bytes.starts_with("WORSE")) return ScanResult{AntivirusKind::infected, "Other"};
    return ScanResult{};
  };
  const AntivirusVerdict one = scan_message(head, {}, look, "Fake");
  CHECK(one.kind == AntivirusKind::clean);
  CHECK(one.passed_over);
  CHECK(scan_message(head, {}, look).name == "Fake");
  CHECK(scan_message(head, {}, look, "Fak").name == "Fake");
  // `WORSE` uuencoded, behind the end of the parts.
  const AntivirusVerdict two = scan_message(head + "\nbegin 644 x\n%5T]24T4\n`\nend\n", {}, look, "Fake");
  CHECK(two.kind == AntivirusKind::infected);
  CHECK(two.name == "Other");
}

TEST_CASE("when all that may be spent on a message is spent, the rest is not looked at") {
  const std::string many = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b\n\nBAD\n--b--\n";
  unsigned scans = 0;
  const AntivirusVerdict verdict = scan_message(many, {}, [&](std::string_view, MailParser) {
    ++scans;
    return ScanResult{AntivirusKind::limit, "no time", true};
  });
  CHECK(scans == 1);
  CHECK(verdict.kind == AntivirusKind::limit);
}

TEST_CASE("the engine's own mail parser is off for a plain message alone") {
  for (const auto& [message, off] :
       {std::pair{"Subject: x\n\nhello\n", 1}, std::pair{"Content-Type: text/html\n\nhello\n", 0}}) {
    unsigned times = 0;
    (void)scan_message(message, {}, [&](std::string_view bytes, MailParser parser) {
      if (parser == MailParser::off) ++times;
      CHECK((parser == MailParser::on || bytes.starts_with("Subject")));
      return ScanResult{};
    });
    CHECK(times == static_cast<unsigned>(off));
  }
}

TEST_CASE("a file is taken apart as a message where it begins like one") {
  const std::string mail = "Subject: x\nContent-Transfer-Encoding: base64\n\nQkFE";
  for (const auto& tried :
       {std::pair{mail, AntivirusKind::infected}, std::pair{"From a@b Mon\n" + mail, AntivirusKind::infected},
        std::pair{"\x7f"
                  "ELF " +
                      mail,
                  AntivirusKind::clean},
        std::pair{std::string("BAD"), AntivirusKind::infected},
        std::pair{std::string(": x"), AntivirusKind::clean},
        std::pair{std::string(), AntivirusKind::clean}}) {
    const auto& file = tried.first;
    const auto& kind = tried.second;
    CAPTURE(file);
    FakeScanner fake;
    const AntivirusVerdict verdict =
        scan_file(file, {}, [&](std::string_view bytes, MailParser) { return fake(bytes); });
    CHECK(verdict.kind == kind);
  }
}

TEST_CASE("more parts than the limit make a message unscannable, unless a virus is in those before") {
  const std::string many =
      "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b\n\ny\n--b\n\nz\n--b--\n";
  FakeScanner fake;
  const AntivirusVerdict result =
      scan_message(many, {.parts = 2}, [&](std::string_view bytes, MailParser) { return fake(bytes); });
  CHECK(result.kind == AntivirusKind::limit);
  CHECK(result.name == "it has more than 2 MIME parts");
}

TEST_CASE("scratch directories go with their owner, and those of ended processes with the next") {
  std::string parent = "/tmp/postern-scratch-test.XXXXXX";
  REQUIRE(::mkdtemp(parent.data()) != nullptr);
  const std::string orphan = parent + "/postern-antivirus.999999999.abcdef";
  const std::string other = parent + "/something-else";
  const std::string ours = parent + "/postern-antivirus." + std::to_string(::getpid()) + ".abcdef";
  for (const std::string& path : {orphan, other, ours, orphan + "/inner"})
    REQUIRE(::mkdir(path.c_str(), 0700) == 0);
  REQUIRE(::symlink(other.c_str(), (orphan + "/link").c_str()) == 0);
  sweep_scratch(parent);
  CHECK(::access(orphan.c_str(), F_OK) != 0);
  CHECK(::access(other.c_str(), F_OK) == 0);
  CHECK(::access(ours.c_str(), F_OK) == 0);
  for (const std::string& path : {other, ours, parent}) CHECK(::rmdir(path.c_str()) == 0);
}
