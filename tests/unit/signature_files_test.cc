#include <doctest/doctest.h>

#include <string>

#include "service/check_signatures.h"
#include "service/signature_files.h"

using namespace postern;

namespace {

const std::string kHead =
    "ClamAV-VDB:07 Sep 2026 09-24 -0400:27821:2077000:90:0123456789abcdef0123456789abcdef:dsig/with+b64:"
    "builder:1788787445";

}  // namespace

TEST_CASE("the head of a database says its version, its number of signatures and when it was made") {
  for (const std::string& bytes :
       {kHead, kHead + std::string(400, ' '), kHead + std::string(400, '\0'), kHead + "  \n"}) {
    CAPTURE(bytes);
    const std::optional<DatabaseHead> head = parse_database_head(bytes);
    REQUIRE(head.has_value());
    CHECK(head->version == 27821);
    CHECK(head->signatures == 2077000);
    CHECK(head->made == 1788787445);
  }
}

TEST_CASE("without the seconds the time in words counts") {
  const std::optional<DatabaseHead> head =
      parse_database_head("ClamAV-VDB:07 Sep 2026 09-24 -0400:27821:2077000:90:x:y:builder");
  REQUIRE(head.has_value());
  CHECK(head->made == 1788787440);
  const std::optional<DatabaseHead> no_time = parse_database_head("ClamAV-VDB:yesterday:1:2");
  REQUIRE(no_time.has_value());
  CHECK(no_time->made == 0);
}

TEST_CASE("what is no head of a database is none") {
  for (const std::string& bytes :
       {std::string(), std::string("ClamAV-VDB:"), std::string("ClamAV-VDB:::"), std::string(512, '\0'),
        std::string(512, ':'), std::string("ClamAV-VDB:x:1"), std::string("ClamAV-VDB:x:1:-2:3"),
        std::string("ClamAV-VDB:x:99999999999999999999999:2:3"), "x" + kHead,
        std::string("ClamAV-VDB:x:1:2:3:4:5:6:18446744073709551615"), std::string(300, 'a')}) {
    CAPTURE(bytes);
    CHECK_FALSE(parse_database_head(bytes).has_value());
  }
}

TEST_CASE("any cut of a head, and any byte of it changed, is read without a fault") {
  for (size_t length = 0; length < kHead.size(); ++length)
    (void)parse_database_head(std::string_view(kHead).substr(0, length));
  for (size_t at = 0; at < kHead.size(); ++at) {
    for (const char byte : {'\0', ':', '\xff', '-', '9'}) {
      std::string changed = kHead;
      changed[at] = byte;
      (void)parse_database_head(changed);
    }
  }
  CHECK(parse_database_head(kHead).has_value());
}

TEST_CASE("the age of the newest database counts, not that of main.cvd or of the operator's files") {
  const uint64_t day = 86400;
  const uint64_t now = 1000 * day;
  std::vector<SignatureFile> files = {
      {.name = "daily.cld", .head = DatabaseHead{1, 1, now - 2 * day}, .changed = now},
      {.name = "main.cvd", .head = DatabaseHead{1, 1, now - 900 * day}, .changed = now},
      {.name = "mine.hdb", .head = {}, .changed = now - day}};
  REQUIRE(newest_of(files) != nullptr);
  CHECK(newest_of(files)->name == "daily.cld");
  CHECK(report_files("/d", files, now, 3 * day).problems.empty());
  CHECK(report_files("/d", files, now, day).problems.size() == 1);
  CHECK(report_files("/d", files, now, 0).problems.empty());
  CHECK(report_files("/d", {files[2]}, now, day / 2).problems.size() == 1);
  CHECK(report_files("/d", {}, now, day).problems.size() == 1);
  CHECK(newest_of({}) == nullptr);
  // A clock that went back is no fault of the signatures.
  CHECK(report_files("/d", files, now - 500 * day, day).problems.empty());
}

TEST_CASE("the resident's answer is printed, and its state is a problem when it is not ready") {
  const SignatureReport good =
      report_resident("engine 1.4.6\nsignatures 12\nversion 7\nmade 0\nstate ready\n", 1700000000);
  REQUIRE(good.lines.size() == 1);
  CHECK(good.lines[0] == "signatures: in use: 12, version 7, ClamAV 1.4.6");
  CHECK(good.problems.empty());
  CHECK(report_resident("state stale: old\n", 1).problems.size() == 1);
  CHECK(report_resident("", 1).lines.size() == 1);
  CHECK(report_resident("\n \nstate\n", 1).problems.empty());
}
