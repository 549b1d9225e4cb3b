#include "scanq/antivirus_finding.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;
using namespace std::literals;

TEST_CASE("libclamav's heuristics that say what was not looked at are no viruses") {
  struct Row {
    const char* name;
    AntivirusKind kind;
  };
  const Row rows[] = {{"Eicar-Test-Signature", AntivirusKind::infected},
                      {"Heuristics.Limits.Exceeded.MaxFileSize", AntivirusKind::limit},
                      {"Heuristics.Limits.Exceeded", AntivirusKind::limit},
                      {"Heuristics.Encrypted.Zip", AntivirusKind::encrypted},
                      {"Heuristics.Encrypted.PDF", AntivirusKind::encrypted},
                      {"Heuristics.Broken.Media.JPEG.JFIFdupAppMarker", AntivirusKind::unscannable},
                      {"Heuristics.Broken.Executable", AntivirusKind::unscannable},
                      {"Heuristics.Phishing.Email.SpoofedDomain", AntivirusKind::infected},
                      {"Heuristics.OLE2.ContainsMacros", AntivirusKind::infected},
                      {"My.Heuristics.Encrypted.Zip", AntivirusKind::infected}};
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(judge_name(row.name).kind == row.kind);
    CHECK(judge_name(row.name).what == row.name);
  }
  CHECK(judge_name("a\nb").what == "a\\x0ab");
}

TEST_CASE("of two results the one that lets least through counts") {
  const ScanResult order[] = {{AntivirusKind::clean, ""},          {AntivirusKind::encrypted, "e"},
                              {AntivirusKind::unscannable, "RAR"}, {AntivirusKind::unscannable, "u"},
                              {AntivirusKind::limit, "l"},         {AntivirusKind::error, "x"},
                              {AntivirusKind::infected, "v"}};
  for (const ScanResult& low : order) {
    for (const ScanResult& high : order) {
      const ScanResult& expected = &low < &high ? high : low;
      CHECK(worse(low, high).what == expected.what);
      CHECK(worse(high, low).what == expected.what);
    }
  }
  CHECK(worse(order[6], {AntivirusKind::infected, "second"}).what == "v");
}

TEST_CASE("formats that the engine passes over are known by their first bytes") {
  CHECK(unreadable_format("Rar!\x1a\x07\x00x"sv) == "RAR");
  CHECK(unreadable_format("Rar!\x1a\x07\x01\x00"sv) == "RAR");
  CHECK(unreadable_format("RE~^\x07\x00"sv) == "RAR");
  CHECK(unreadable_format("1234567**ACE**x") == "ACE");
  CHECK(unreadable_format("\x28\xb5\x2f\xfd....") == "ZSTD");
  CHECK(unreadable_format("\x04\x22\x4d\x18....") == "LZ4");
  CHECK(unreadable_format("\x5d\x00\x00\x80\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00<n"sv) == "LZMA");
  CHECK(unreadable_format("\x5d\x00\x00\x80\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00<n"sv) == "LZMA");
  CHECK(unreadable_format("\x5d\x00\x00\x80\x00 and words"sv).empty());
  for (const char* other : {"", "R", "Rar!", "**ACE**", "PK\x03\x04", "1234567"})
    CHECK(unreadable_format(other).empty());
}
