#include "scanq/antivirus_settings.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "scratch.h"

using namespace postern;

TEST_CASE("without control files the engine has limits of its own") {
  const ScratchHome home;
  const Result<EngineSettings> settings = read_engine_settings();
  REQUIRE(settings.ok());
  CHECK(settings->directory == "/var/lib/clamav");
  CHECK(settings->max_scan_bytes == 419430400);
  CHECK(settings->max_file_bytes == 104857600);
  CHECK(settings->max_recursion == 17);
  CHECK(settings->max_files == 10000);
  CHECK(settings->max_seconds == 120);
  CHECK(settings->check_seconds == 10);
  CHECK(settings->min_signatures == 1);
  CHECK(settings->max_age_seconds == 604800);
  CHECK_FALSE(settings->stale_is_error);
  CHECK(settings->heuristics == 0);
}

TEST_CASE("what is no setting of the engine is named with its remedy") {
  struct Row {
    const char* file;
    const char* line;
    const char* why;  // empty: it is one
  };
  const Row rows[] = {
      {"avstale", "error\n", ""},
      {"avstale", "defer\n", "control/avstale:1: \"defer\" is neither warn nor error"},
      {"avheuristics", "broken macros\n", ""},
      {"avheuristics", "\n", ""},
      {"avheuristics", "broken mcros\n", "control/avheuristics:1: \"mcros\" is none of broken"},
      {"avmaxrecursion", "deep\n", "control/avmaxrecursion:1: \"deep\" is not a number"},
      {"avmaxage", "0\n", ""},
      {"avminsignatures", "-1\n", "control/avminsignatures:1: \"-1\" is not a number"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.file);
    CAPTURE(row.line);
    const ScratchHome home;
    home.write(std::string("control/") + row.file, row.line);
    const Result<EngineSettings> settings = read_engine_settings();
    CHECK(settings.ok() == (*row.why == '\0'));
    if (!settings) CHECK(settings.failure().text.find(row.why) != std::string::npos);
  }
}

TEST_CASE("only files of signatures change what they are known by") {
  const Scratch place;
  const uint64_t none = look_at_signatures(place.path()).fingerprint;
  CHECK(look_at_signatures(place.path("missing")).fingerprint == 0);
  for (const char* other : {"freshclam.dat", "daily.cvd.tmp", "tmp.12ab", ".hidden.cvd", "cvd", "notes"}) {
    place.write(other, "x");
    CHECK(look_at_signatures(place.path()).fingerprint == none);
  }
  place.write("daily.cld.new", "first");
  REQUIRE(::rename(place.path("daily.cld.new").c_str(), place.path("daily.cld").c_str()) == 0);
  const uint64_t first = look_at_signatures(place.path()).fingerprint;
  CHECK(first != none);
  place.write("daily.cld.new", "other");
  CHECK(look_at_signatures(place.path()).fingerprint == first);
  REQUIRE(::rename(place.path("daily.cld.new").c_str(), place.path("daily.cld").c_str()) == 0);
  CHECK(look_at_signatures(place.path()).fingerprint != first);
  REQUIRE(::unlink(place.path("daily.cld").c_str()) == 0);
  CHECK(look_at_signatures(place.path()).fingerprint == none);
}

TEST_CASE("the date of signatures is in the head of freshclam's files, else that of the youngest file") {
  const Scratch place;
  CHECK(look_at_signatures(place.path()).date == 0);
  const std::string own = place.write("own.ndb", "x");
  const timespec times[2] = {{1000000000, 0}, {1000000000, 0}};
  REQUIRE(::utimensat(AT_FDCWD, own.c_str(), times, 0) == 0);
  CHECK(look_at_signatures(place.path()).date == 1000000000);
  const std::string head = "ClamAV-VDB:22 Nov 2026 10-00 +0000:27000:2000000:90:X:X:builder:1795341600";
  place.write("daily.cvd", head + std::string(512 - head.size(), ' ') + "rest");
  CHECK(look_at_signatures(place.path()).date == 1795341600);
  place.write("main.cld", "no head");
  CHECK(look_at_signatures(place.path()).date == 1795341600);
}
