#include "local/mbox.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>

#include <string>

#include "tests/unit/scratch.h"

using namespace postern;

namespace {

std::string quoted(std::string_view message, size_t piece) {
  MboxQuoting quoting;
  std::string out;
  for (size_t at = 0; at < message.size(); at += piece) quoting.feed(message.substr(at, piece), out);
  quoting.end(out);
  return out;
}

}  // namespace

TEST_CASE("From_ lines are quoted, however the message is cut") {
  struct Row {
    std::string_view message;
    std::string_view expected;
  };
  for (const Row& row : {
           Row{"", "\n"},
           Row{"a\n", "a\n\n"},
           Row{"a", "a\n\n"},
           Row{"From x\n", ">From x\n\n"},
           Row{"\nFrom x\n>From y\n>>From z\n", "\n>From x\n>>From y\n>>>From z\n\n"},
           Row{"From\nFrom", "From\nFrom\n\n"},
           Row{"from x\n From x\nxFrom x\n", "from x\n From x\nxFrom x\n\n"},
           Row{">", ">\n\n"},
           Row{"\n>>", "\n>>\n\n"},
           Row{"> From x\n", "> From x\n\n"},
           Row{"From ", ">From \n\n"},
           Row{"FFrom x\n", "FFrom x\n\n"},
           Row{"\n\n", "\n\n\n"},
       }) {
    for (const size_t piece : {1U, 2U, 3U, 5U, 100U}) {
      CAPTURE(row.message);
      CAPTURE(piece);
      CHECK(quoted(row.message, piece) == row.expected);
    }
  }
}

TEST_CASE("a From_ line is one line with two blanks at fixed places, whatever the sender") {
  CHECK(mbox_from_line("a@b", 0) == "From a@b Thu Jan  1 00:00:00 1970\n");
  CHECK(mbox_from_line("", 1000000000) == "From MAILER-DAEMON Sun Sep  9 01:46:40 2001\n");
  CHECK(mbox_from_line("a b\n\tc@d\x7f", 0) == "From a-b--c@d- Thu Jan  1 00:00:00 1970\n");
}

TEST_CASE("an mbox that ends in the middle of a message gets an empty line before the next") {
  const Scratch home;
  const Fd message = memory_with("Subject: x\n\nbody");
  struct Row {
    std::string_view before;
    std::string_view between;
  };
  for (const Row& row : {Row{"", ""}, Row{"\n", ""}, Row{"x\n\n", ""}, Row{"x\n", "\n"}, Row{"x", "\n\n"},
                         Row{"a\nb", "\n\n"}}) {
    CAPTURE(row.before);
    const std::string path = home.write("mbox", row.before, 0600);
    REQUIRE(deliver_to_mbox(path, "From a@b\n", message.get()).ok());
    CHECK(home.read("mbox") ==
          std::string(row.before) + std::string(row.between) + "From a@b\nSubject: x\n\nbody\n\n");
  }
}

TEST_CASE("an mbox that another holds is waited for, and then left alone") {
  const Scratch home;
  const std::string path = home.write("mbox", "x\n\n", 0600);
  const Fd message = memory_with("Subject: x\n");
  const Fd other{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
  const auto refused = [&] {
    Result<std::string> done = deliver_to_mbox(path, "From a@b\n", message.get(), 120);
    return !done && !done.failure().permanent() && done.failure().status == "4.2.1" &&
           home.read("mbox") == "x\n\n";
  };
  REQUIRE(::flock(other.get(), LOCK_EX) == 0);
  CHECK(refused());
  REQUIRE(::flock(other.get(), LOCK_UN) == 0);
  struct flock whole {};
  whole.l_type = F_WRLCK;
  REQUIRE(::fcntl(other.get(), F_OFD_SETLK, &whole) == 0);
  CHECK(refused());
  whole.l_type = F_UNLCK;
  REQUIRE(::fcntl(other.get(), F_OFD_SETLK, &whole) == 0);
  const size_t open = open_descriptors();
  CHECK(deliver_to_mbox(path, "From a@b\n", message.get(), 0).ok());
  CHECK(open_descriptors() == open);
}
