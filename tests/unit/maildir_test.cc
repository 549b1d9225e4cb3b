#include "local/maildir.h"

#include <dirent.h>
#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "lib/fd.h"

using namespace postern;

namespace {

std::vector<std::string> files_in(const std::string& path) {
  std::vector<std::string> names;
  DIR* directory = ::opendir(path.c_str());
  REQUIRE(directory != nullptr);
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  ::closedir(directory);
  return names;
}

struct Maildir {
  std::string path;
  Maildir() {
    char name[] = "/tmp/maildir-test.XXXXXX";
    path = std::string(::mkdtemp(name)) + "/";
    for (const char* part : {"tmp", "new", "cur"}) REQUIRE(::mkdir((path + part).c_str(), 0700) == 0);
  }
  ~Maildir() {
    for (const std::string part : {"tmp", "new", "cur"}) {
      if (::access((path + part).c_str(), F_OK) != 0) continue;
      for (const std::string& name : files_in(path + part)) ::unlink((path + part + "/" + name).c_str());
      ::rmdir((path + part).c_str());
    }
    ::rmdir(path.c_str());
  }
};

}  // namespace

TEST_CASE("a Maildir name has seconds, microseconds, process, count and a host without / and :") {
  struct Row {
    uint64_t microseconds;
    int64_t pid;
    uint64_t count;
    std::string host;
    const char* name;
  };
  for (const Row& row :
       {Row{1700000000123456, 789, 1, "mx.example.org", "1700000000.M123456P789Q1.mx.example.org"},
        {1700000000000001, 1, 20, "a/b:c", "1700000000.M1P1Q20.a\\057b\\072c"},
        {0, 0, 0, "", "0.M0P0Q0."},
        {1, 1, 1, "../../etc/passwd", "0.M1P1Q1...\\057..\\057etc\\057passwd"}}) {
    CAPTURE(row.name);
    CHECK(maildir_name(row.microseconds, row.pid, row.count, row.host) == row.name);
  }
}

TEST_CASE("a message in a Maildir is whole, has its first lines in front, and leaves tmp/ empty") {
  const Maildir maildir;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{65536}, size_t{200001}}) {
    CAPTURE(size);
    const std::string body(size, 'x');
    Result<Fd> message = memory_file_with("message", body);
    REQUIRE(message.ok());
    Result<std::string> path = deliver_to_maildir(maildir.path, "First: line\n", message->get());
    REQUIRE(path.ok());
    CHECK(path->starts_with(maildir.path + "new/"));
    Result<std::string> file = read_file(*path, 1 << 20);
    REQUIRE(file.ok());
    CHECK(*file == "First: line\n" + body);
    struct stat status {};
    REQUIRE(::stat(path->c_str(), &status) == 0);
    CHECK((status.st_mode & 077) == 0);
  }
  CHECK(files_in(maildir.path + "new").size() == 4);
  CHECK(files_in(maildir.path + "tmp").empty());
}

TEST_CASE("a Maildir that is not whole is a temporary failure, says how to make it, and gets nothing") {
  Result<Fd> message = memory_file_with("message", "Subject: x\n\n");
  REQUIRE(message.ok());
  for (const std::string part : {"tmp", "new"}) {
    CAPTURE(part);
    const Maildir maildir;
    REQUIRE(::rmdir((maildir.path + part).c_str()) == 0);
    Result<std::string> path = deliver_to_maildir(maildir.path, "", message->get());
    REQUIRE_FALSE(path.ok());
    CHECK_FALSE(path.failure().permanent());
    CHECK(path.failure().status == "4.2.1");
    CHECK(path.failure().text.find("mkdir") != std::string::npos);
    CHECK(files_in(maildir.path + (part == "tmp" ? "new" : "tmp")).empty());
  }
  Result<std::string> nowhere = deliver_to_maildir("/nonexistent/Maildir/", "", message->get());
  REQUIRE_FALSE(nowhere.ok());
  CHECK_FALSE(nowhere.failure().permanent());
}
