#include "smtpd/stress.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

using namespace postern;
using namespace postern::smtpd;

TEST_CASE("stress begins at its share of the places and ends a tenth below") {
  struct Row {
    Stress now;
    size_t taken;
    size_t places;
    size_t many_from;
    Stress then;
  };
  for (const Row& row :
       {Row{Stress::none, 0, 200, 150, Stress::none}, Row{Stress::none, 149, 200, 150, Stress::none},
        Row{Stress::none, 150, 200, 150, Stress::many}, Row{Stress::none, 200, 200, 150, Stress::full},
        Row{Stress::many, 199, 200, 150, Stress::many}, Row{Stress::many, 200, 200, 150, Stress::full},
        Row{Stress::full, 181, 200, 150, Stress::full}, Row{Stress::full, 180, 200, 150, Stress::many},
        Row{Stress::many, 131, 200, 150, Stress::many}, Row{Stress::many, 130, 200, 150, Stress::none},
        Row{Stress::full, 0, 200, 150, Stress::none}, Row{Stress::none, 1, 1, 1, Stress::full},
        Row{Stress::full, 0, 1, 1, Stress::none}, Row{Stress::full, 300, 200, 150, Stress::full},
        Row{Stress::none, 199, 200, 200, Stress::none}}) {
    const size_t taken = row.taken;
    const size_t places = row.places;
    CAPTURE(taken);
    CAPTURE(places);
    CHECK(stress_of(row.now, row.taken, row.places, row.many_from) == row.then);
  }
}

TEST_CASE("the sign tells its level, also behind an exec") {
  Result<StressSign> made = StressSign::open(10000);
  REQUIRE(made.ok());
  StressSign& sign = *made;
  CHECK(sign.level() == Stress::none);
  for (const Stress level :
       {Stress::many, Stress::many, Stress::full, Stress::none, Stress::full, Stress::many}) {
    sign.say(level);
    CHECK(sign.level() == level);
  }
  CHECK(sign.patience(Stress::many) == 10000);
  CHECK(sign.patience(Stress::full) == 2000);
  CHECK(StressSign::open(1000)->patience(Stress::full) == 1000);

  sign.keep_over_exec(true);
  CHECK(::fcntl(sign.descriptor(Stress::full), F_GETFD) == 0);
  const int inherited[] = {::dup(sign.descriptor(Stress::many)), ::dup(sign.descriptor(Stress::full))};
  ::setenv("POSTERN_SMTPD_STRESS",
           (std::to_string(inherited[0]) + " " + std::to_string(inherited[1])).c_str(), 1);
  Result<StressSign> behind = StressSign::open(10000);
  REQUIRE(behind.ok());
  CHECK(::getenv("POSTERN_SMTPD_STRESS") == nullptr);
  CHECK(behind->level() == Stress::many);
  behind->say(Stress::full);
  CHECK(sign.level() == Stress::full);
  CHECK(::fcntl(behind->descriptor(Stress::many), F_GETFD) == FD_CLOEXEC);
  sign.keep_over_exec(false);
  CHECK(::fcntl(sign.descriptor(Stress::full), F_GETFD) == FD_CLOEXEC);
}

TEST_CASE("what is no pair of descriptors makes new ones") {
  for (const char* said : {"", "1", "0 1", "-1 -1", "99999 99998", "x y", "4 5 6"}) {
    CAPTURE(said);
    ::setenv("POSTERN_SMTPD_STRESS", said, 1);
    Result<StressSign> sign = StressSign::open(1000);
    REQUIRE(sign.ok());
    sign->say(Stress::full);
    CHECK(sign->level() == Stress::full);
  }
  CHECK(StressSign().level() == Stress::none);
  StressSign().say(Stress::full);
}
