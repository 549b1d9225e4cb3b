#include "lib/unsubscribe_list.h"

#include <doctest/doctest.h>

using namespace postern;

TEST_CASE("each form of the global unsubscribe list matches what it says and no more") {
  std::vector<std::string> problems;
  const UnsubscribeList list = UnsubscribeList::parse(
      "# c\nUser@One.example\n@two.example\n@.three.example\nnobody@\n192.0.2.1\n2001:DB8:0::1\n@b\xc3\xbc"
      "cher.example\n",
      problems);
  CHECK(problems.empty());
  CHECK(list.size() == 7);
  struct Row {
    const char* address;
    const char* entry;
  };
  for (const Row& row :
       {Row{"user@one.example", "user@one.example"}, Row{"USER@ONE.EXAMPLE", "user@one.example"},
        Row{"\"user\"@one.example", "user@one.example"}, Row{"\"us\\er\"@one.example", "user@one.example"},
        Row{"other@one.example", ""}, Row{"user@sub.one.example", ""}, Row{"a@two.example", "@two.example"},
        Row{"a@x.two.example", ""}, Row{"a@three.example", ""}, Row{"a@x.y.three.example", "@.three.example"},
        Row{"nobody@any.example", "nobody@"}, Row{"nobody2@any.example", ""},
        Row{"a@xn--bcher-kva.example", "@xn--bcher-kva.example"},
        Row{"a@b\xc3\xbc"
            "cher.example",
            "@xn--bcher-kva.example"},
        Row{"", ""}, Row{"@", ""}, Row{"nobody", "nobody@"}}) {
    CAPTURE(row.address);
    CHECK(list.match(row.address).value_or("") == row.entry);
  }
  const UnsubscribeList hosts =
      UnsubscribeList::parse("a@b.example\n192.0.2.1\nwhat\n", problems, UnsubscribeList::Lines::hosts);
  CHECK(problems.empty());
  CHECK(hosts.size() == 1);
  CHECK(list.has_host("192.0.2.1"));
  CHECK(list.has_host("2001:db8::1"));
  CHECK(list.has_host("::ffff:192.0.2.1"));
  CHECK_FALSE(list.has_host("192.0.2.11"));
  CHECK_FALSE(list.has_host("two.example"));
}

TEST_CASE("a line that is no entry is told, and the others count") {
  std::vector<std::string> problems;
  const UnsubscribeList list =
      UnsubscribeList::parse("example.org\n@\n@.\na b@c\n300.1.1.1\na@b\n", problems);
  CHECK(problems.size() == 5);
  CHECK(problems.front().starts_with("line 1: \"example.org\" is none of"));
  CHECK(list.size() == 1);
  CHECK(list.match("a@b"));
}
