#include "local/assign.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "lib/fd.h"

using namespace postern;

namespace {

// A users/cdb in a directory of its own.
struct Table {
  std::string directory;
  std::string path;
  explicit Table(std::string_view assign) {
    char name[] = "/tmp/assign-test.XXXXXX";
    directory = ::mkdtemp(name);
    path = directory + "/cdb";
    Result<AssignTable> table = parse_assign(assign, "assign");
    REQUIRE(table.ok());
    Result<void> wrote = write_cdb(path, table->records);
    REQUIRE(wrote.ok());
  }
  ~Table() {
    ::unlink(path.c_str());
    ::rmdir(directory.c_str());
  }
};

constexpr std::string_view kAssign =
    "=joe:joe:1001:1002:/home/joe:::\n"
    "=Joe-List:lists:1003:1003:/home/lists:-:joe:\n"
    "+joe-:joe:1001:1002:/home/joe:-::\n"
    "+joe-sales-:sales:1005:1005:/home/sales:-:x-:\n"
    "+a.:dots:1006:1006:/home/dots:::\n"
    "+:alias:1007:1007:/var/alias:-::\n"
    ".\n";

}  // namespace

TEST_CASE("users/assign: the exact address comes first, then the longest wildcard") {
  const Table table(kAssign);
  struct Row {
    const char* local;
    const char* user;
    unsigned uid;
    const char* home;
    const char* dash;
    const char* ext;
  };
  for (const Row& row : {Row{"joe", "joe", 1001, "/home/joe", "", ""},
                         {"JOE", "joe", 1001, "/home/joe", "", ""},
                         {"joe-list", "lists", 1003, "/home/lists", "-", "joe"},
                         {"joe-", "joe", 1001, "/home/joe", "-", ""},
                         {"joe-Shop", "joe", 1001, "/home/joe", "-", "Shop"},
                         {"joe-list-x", "joe", 1001, "/home/joe", "-", "list-x"},
                         {"joe-sales-uk", "sales", 1005, "/home/sales", "-", "x-uk"},
                         {"a.b", "dots", 1006, "/home/dots", "", "b"},
                         {"ab", "alias", 1007, "/var/alias", "-", "ab"},
                         {"joel", "alias", 1007, "/var/alias", "-", "joel"},
                         {"", "alias", 1007, "/var/alias", "-", ""},
                         {"joe\xc3\xa9-\n", "alias", 1007, "/var/alias", "-", "joe\xc3\xa9-\n"}}) {
    CAPTURE(row.local);
    Result<std::optional<MailboxUser>> found = find_assigned_user(table.path, row.local);
    REQUIRE(found.ok());
    REQUIRE(found->has_value());
    CHECK((*found)->user == row.user);
    CHECK((*found)->uid == row.uid);
    CHECK((*found)->home == row.home);
    CHECK((*found)->dash == row.dash);
    CHECK((*found)->ext == row.ext);
  }
}

TEST_CASE("users/assign: an address that nobody has is not found, however long it is") {
  const Table table("=joe:joe:1001:1001:/home/joe:::\n+ann-:ann:1002:1002:/home/ann:-::\n.\n");
  for (const std::string local : {"jo", "joe-x", "joe\1", "ann", "", "-"}) {
    CAPTURE(local);
    Result<std::optional<MailboxUser>> found = find_assigned_user(table.path, local);
    REQUIRE(found.ok());
    CHECK_FALSE(found->has_value());
  }
  CHECK_FALSE(find_assigned_user(table.path, std::string(100000, 'a'))->has_value());
  CHECK_FALSE(find_assigned_user(table.path, std::string("joe\0x", 5))->has_value());
}

TEST_CASE("users/assign: where no users/cdb is, nobody is assigned") {
  Result<std::optional<MailboxUser>> found = find_assigned_user("/nonexistent/cdb", "joe");
  REQUIRE(found.ok());
  CHECK_FALSE(found->has_value());
}

TEST_CASE("users/assign: a users/cdb that others may write is not believed") {
  const Table table(kAssign);
  REQUIRE(::chmod(table.path.c_str(), 0666) == 0);
  CHECK_FALSE(find_assigned_user(table.path, "joe").ok());
}

TEST_CASE("users/assign: a damaged users/cdb is a temporary failure and never a mailbox") {
  const Table table(kAssign);
  Result<std::string> whole = read_file(table.path, 1 << 20);
  REQUIRE(whole.ok());
  for (const size_t length : {size_t{0}, size_t{1}, size_t{2047}, size_t{2048}}) {
    CAPTURE(length);
    REQUIRE(::truncate(table.path.c_str(), static_cast<off_t>(length)) == 0);
    Result<std::optional<MailboxUser>> found = find_assigned_user(table.path, "joe");
    if (found.ok()) {
      CHECK_FALSE(found->has_value());
    } else {
      CHECK_FALSE(found.failure().permanent());
    }
  }
  // Every byte turned over once: whatever comes, it is never root.
  for (size_t at = 0; at < whole->size(); at += 3) {
    std::string damaged = *whole;
    damaged[at] = static_cast<char>(~damaged[at]);
    ::unlink(table.path.c_str());
    FILE* file = ::fopen(table.path.c_str(), "w");
    REQUIRE(file != nullptr);
    ::fwrite(damaged.data(), 1, damaged.size(), file);
    ::fclose(file);
    Result<std::optional<MailboxUser>> found = find_assigned_user(table.path, "joe-list");
    if (found.ok() && found->has_value()) CHECK((*found)->uid != 0);
  }
}

TEST_CASE("users/assign: a wrong line is refused with its number and a remedy") {
  struct Row {
    std::string text;
    const char* says;
  };
  for (const Row& row : {
           Row{"=joe:joe:1:1:/home/joe:::\n", "assign:2: the last line, a dot alone, is missing"},
           {"", "assign:1: the last line, a dot alone, is missing"},
           {"=joe:joe:1:1:/home/joe:::", "is missing"},
           {"=joe:joe:1:1:/home/joe::\n.\n", "assign:1: it needs seven fields"},
           {"=joe:joe:1:1:/home/joe::::\n.\n", "assign:1: it needs seven fields"},
           {"=joe:joe:1:1:/home/joe:::x\n.\n", "assign:1: it needs seven fields"},
           {"\n.\n", "assign:1: it must begin with ="},
           {"# a comment\n.\n", "assign:1: it must begin with ="},
           {"=a:a:1:1:/a:::\njoe:joe:1:1:/home/joe:::\n.\n", "assign:2: it must begin with ="},
           {"=joe:joe:0:1:/home/joe:::\n.\n", "never delivered as root"},
           {"=joe:joe:00:1:/home/joe:::\n.\n", "never delivered as root"},
           {"=joe:joe:1:0:/home/joe:::\n.\n", "gid \"0\""},
           {"=joe:joe:4294967296:1:/home/joe:::\n.\n", "uid \"4294967296\""},
           {"=joe:joe:4294967295:1:/home/joe:::\n.\n", "uid \"4294967295\""},
           {"=joe:joe:65535:1:/home/joe:::\n.\n", "uid \"65535\""},
           {"=joe:joe:-1:1:/home/joe:::\n.\n", "uid \"-1\""},
           {"=joe:joe:+1:1:/home/joe:::\n.\n", "uid \"+1\""},
           {"=joe:joe::1:/home/joe:::\n.\n", "uid \"\""},
           {"=joe::1:1:/home/joe:::\n.\n", "the user is empty"},
           {"=joe:joe:1:1:home/joe:::\n.\n", "must begin with /"},
           {"=joe:joe:1:1::::\n.\n", "must begin with /"},
           {std::string("=joe:joe:1:1:/home/j\0e:::\n.\n", 28), "NUL"},
           {"=joe:\x1b[2J:x:1:/home/joe:::\n.\n", "\\x1b[2J"},
       }) {
    CAPTURE(row.text);
    Result<AssignTable> table = parse_assign(row.text, "assign");
    REQUIRE_FALSE(table.ok());
    CHECK(table.failure().permanent());
    CAPTURE(table.failure().text);
    CHECK(table.failure().text.find(row.says) != std::string::npos);
  }
}

TEST_CASE(
    "users/assign: what stands behind the dot is not read, and the second line of an address is doubted") {
  Result<AssignTable> table = parse_assign(
      "=joe:first:1:1:/a:::\n=JOE:second:2:2:/b:::\n+joe:wild:3:3:/c:::\n.\nrubbish\n", "assign");
  REQUIRE(table.ok());
  CHECK(table->records.size() == 4);
  REQUIRE(table->doubts.size() == 1);
  CHECK(table->doubts[0].starts_with("assign:2: line 1 "));
}

TEST_CASE("users/cdb: its records are those of qmail-newu") {
  Result<AssignTable> table =
      parse_assign("=Joe:joe:7:8:/h:-:e:\n+Joe-:joe:7:8:/h:-:p:\n+x.:x:7:8:/h:::\n.\n", "assign");
  REQUIRE(table.ok());
  REQUIRE(table->records.size() == 4);
  CHECK(table->records[0].first == std::string("!joe\0", 5));
  CHECK(table->records[0].second == std::string("joe\0"
                                                "7\0"
                                                "8\0"
                                                "/h\0"
                                                "-\0"
                                                "e",
                                                14));
  CHECK(table->records[1].first == "!joe-");
  CHECK(table->records[3].first.empty());
  CHECK(table->records[3].second == "-.");
}
