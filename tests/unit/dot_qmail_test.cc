#include "local/dot_qmail.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <string>

#include "local/dot_qmail_file.h"
#include "tests/unit/scratch.h"

using namespace postern;

namespace {

std::string shown(std::string_view text, bool forward_only = false) {
  Result<DotQmail> file = parse_dot_qmail(text, ".qmail", forward_only);
  if (!file)
    return (file.failure().permanent() ? "permanent " : "") + file.failure().status + " " +
           file.failure().text;
  std::string all = file->list ? "list;" : "";
  for (const Instruction& order : file->instructions) {
    all += "pfbm"[static_cast<int>(order.action)];
    all += "[" + order.text + "]";
  }
  return all;
}

// The home is where files are looked for, and tests run elsewhere.
class InHome : public Scratch {
 public:
  InHome() {
    REQUIRE(::getcwd(before_.data(), before_.size()) != nullptr);
    REQUIRE(::chdir(path().c_str()) == 0);
  }
  ~InHome() { CHECK(::chdir(before_.data()) == 0); }

 private:
  std::array<char, 4096> before_{};
};

std::string found(std::string_view dash, std::string_view ext) {
  Result<DotQmailFile> file = find_dot_qmail(dash, ext);
  if (!file) return file.failure().status + " " + file.failure().text;
  return file->name + (file->matched ? "[" + *file->matched + "]" : "") + (file->forward_only ? "x" : "");
}

}  // namespace

TEST_CASE("each line of a .qmail file is one instruction, in order") {
  struct Row {
    std::string_view text;
    std::string_view expected;
  };
  for (const Row& row : {
           Row{"", ""},
           Row{"#\n# x\n", ""},
           Row{"./Maildir/\n", "m[./Maildir/]"},
           Row{"./Maildir/", "m[./Maildir/]"},
           Row{"./Mailbox \t\n", "b[./Mailbox]"},
           Row{"/var/mail/joe\n", "b[/var/mail/joe]"},
           Row{"|preline x | y\n", "p[preline x | y]"},
           Row{"|\n", "p[]"},
           Row{"&a@b\na@c\n9@d\n", "f[a@b]f[a@c]f[9@d]"},
           Row{"\"a b\"@c\n", "f[\"a b\"@c]"},
           Row{"a@b\n\n\nc@d\n", "f[a@b]f[c@d]"},
           Row{"joe\n", "f[joe]"},
           Row{"+list\na@b\n", "list;f[a@b]"},
           Row{"+other\n./M/\n", "m[./M/]"},
       }) {
    CAPTURE(row.text);
    CHECK(shown(row.text) == row.expected);
  }
}

TEST_CASE("a fault in a .qmail file is temporary and names line and remedy") {
  struct Row {
    std::string_view text;
    std::string_view part;
  };
  using namespace std::string_view_literals;
  for (const Row& row : {
           Row{"\n./Maildir/\n", "4.2.1 follow .qmail:1: the first line is blank"},
           Row{"a@b\n& c@d\n", ".qmail:2: \" c@d\" has a blank"},
           Row{"a@b (Joe)\n", ":1: "},
           Row{"<a@b>\n", "write the address alone"},
           Row{"&\n", "names no address"},
           Row{"a\x01@b\n", "\\x01"},
           Row{"a@b\0c\n"sv, "NUL"},
           Row{"+list\n./Maildir/\n", "4.7.0 follow .qmail:2: a file behind +list"},
           Row{"+list\n|x\n", "a program behind +list"},
       }) {
    CAPTURE(row.text);
    CHECK(shown(row.text).find(row.part) != std::string::npos);
  }
  CHECK(shown(std::string(2000, 'a') + "@b\n").find("longer") != std::string::npos);
  CHECK(shown("a@b\n./Maildir/\n", true).find(".qmail:2: a file, but the file is executable") !=
        std::string::npos);
  CHECK(shown("a@b\n", true) == "f[a@b]");
}

TEST_CASE("a list of more addresses than the queue takes is refused") {
  std::string text;
  for (int i = 0; i < 50001; ++i) text += "a@b\n";
  CHECK(shown(text).find(":50001: more than 50000") != std::string::npos);
}

TEST_CASE("the .qmail file of an address: its own, then -default, the longest first") {
  const InHome home;
  CHECK(found("", "") == "");
  CHECK(found("-", "a").starts_with("5.1.1 "));
  home.write(".qmail-default", "#\n");
  home.write(".qmail-a-default", "#\n");
  home.write(".qmail-a-b:c", "#\n");
  home.write(".qmail-b-", "#\n", 0744);
  CHECK(found("-", "a-b.c") == ".qmail-a-b:c");
  CHECK(found("-", "A-B.C") == ".qmail-a-b:c");
  CHECK(found("-", "A-B.CD") == ".qmail-a-default[B.CD]");
  CHECK(found("-", "a-") == ".qmail-a-default[]");
  CHECK(found("-", "a") == ".qmail-default[a]");
  CHECK(found("-", "b-") == ".qmail-b-x");
  CHECK(found("-", "") == ".qmail-default[]");
  CHECK(found("-", std::string(1000, 'n')) == ".qmail-default[" + std::string(1000, 'n') + "]");
  CHECK(found("-", "../x") == ".qmail-default[../x]");
  CHECK(safe_extension("../Etc/Passwd") == "::/etc/passwd");
  home.write(".qmail", "");
  CHECK(found("", "") == ".qmail");
  CHECK(found("", "ignored") == "");
}

TEST_CASE("a .qmail file that others may write, or that cannot be read, makes mail wait") {
  const InHome home;
  for (const mode_t mode : {0646U, 0666U}) {
    CAPTURE(mode);
    home.write(".qmail", "./Maildir/\n", 0600);
    REQUIRE(::chmod(".qmail", mode) == 0);
    CHECK(found("", "").starts_with("4.7.0 "));
  }
  REQUIRE(::chmod(".qmail", 0664) == 0);
  CHECK(found("", "") == ".qmail");
  REQUIRE(::unlink(".qmail") == 0);
  REQUIRE(::symlink(".qmail", ".qmail") == 0);
  CHECK(found("", "").starts_with("4."));
  REQUIRE(::unlink(".qmail") == 0);
  REQUIRE(::mkdir(".qmail", 0700) == 0);
  CHECK(found("", "") == "");
  REQUIRE(::rmdir(".qmail") == 0);
  REQUIRE(::mkfifo(".qmail", 0600) == 0);
  CHECK(found("", "") == "");
  REQUIRE(::unlink(".qmail") == 0);
  home.write(".qmail", std::string(kDotQmailLimitBytes + 1, '#'));
  CHECK(found("", "").starts_with("4.2.1 "));
}

TEST_CASE("the sender of forwards changes only for a list with an owner, never for a bounce") {
  const InHome home;
  const auto sender = [](std::string_view from) {
    Result<std::string> made = forward_sender(from, "Joe-list", "-", "list", "example.org");
    return made ? *made : made.failure().text;
  };
  CHECK(sender("a@b") == "a@b");
  home.write(".qmail-list-owner", "");
  CHECK(sender("a@b") == "Joe-list-owner@example.org");
  home.write(".qmail-list-owner-default", "");
  CHECK(sender("a@b") == "Joe-list-owner-@example.org-@[]");
  CHECK(sender("") == "");
  CHECK(sender("#@[]") == "#@[]");
}
