#include <doctest/doctest.h>

#include "lib/text.h"
#include "receipt/alias_table.h"
#include "receipt/compile_tables.h"
#include "receipt/domain_map.h"
#include "receipt/recipient_settings.h"
#include "receipt/recipient_table.h"
#include "tests/unit/scratch.h"

using namespace postern;

namespace {

using Parser = Result<CdbRecords> (*)(std::string_view, std::string_view, std::vector<std::string>&);

std::string fault(Parser parse, std::string_view text) {
  std::vector<std::string> doubts;
  Result<CdbRecords> records = parse(text, "t", doubts);
  if (!records) CHECK(records.failure().permanent());
  return records ? "" : records.failure().text;
}

// A table compiled from text, to be asked.
class Compiled {
 public:
  Compiled(Parser parse, std::string_view text) {
    std::vector<std::string> doubts;
    Result<CdbRecords> records = parse(text, "t", doubts);
    REQUIRE_MESSAGE(records.ok(), (records ? "" : records.failure().text));
    REQUIRE(write_cdb(scratch_.path("t.cdb"), *records).ok());
    Result<std::optional<LineTable>> opened = LineTable::open_file(scratch_.path("t.cdb"), "t");
    REQUIRE(opened.ok());
    REQUIRE(opened->has_value());
    table_ = std::move(*opened);
  }
  std::optional<LineMatch> find(std::string_view address) {
    Result<std::optional<LineMatch>> match = table_->find(address);
    REQUIRE(match.ok());
    return *match;
  }
  size_t line(std::string_view address) {
    const std::optional<LineMatch> match = find(address);
    return match ? match->line : 0;
  }

 private:
  Scratch scratch_;
  std::optional<LineTable> table_;
};

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& one : list) text += (text.empty() ? "" : " ") + one;
  return text;
}

}  // namespace

TEST_CASE("the first line of the recipient table that fits an address counts") {
  Compiled table(parse_recipient_table,
                 "# comment\n"
                 "boss@example.org REJECT 553 5.7.9 not him\n"
                 "example.org, .example.net ACCEPT\n"
                 "Spam@ REJECT\n"
                 "list@.example.net accept bypass=call-ahead,users\n"
                 "[192.0.2.1] ACCEPT\n"
                 "m\xc3\xbcnchen.example ACCEPT 250 welcome\n"
                 "other.example REJECT 451 later\n"
                 "ALL REJECT\n");
  struct Case {
    std::string address;
    size_t line;
  };
  const Case cases[] = {
      {"a@example.org", 3},          {"BOSS@Example.ORG", 2},         {"spam@example.org", 3},
      {"spam@elsewhere.example", 4}, {"a@x.example.net", 3},          {"a@x.y.example.net", 3},
      {"a@example.net", 9},          {"list@x.example.net", 3},       {"a@[192.0.2.1]", 6},
      {"a@[192.0.2.2]", 9},          {"a@xn--mnchen-3ya.example", 7}, {"a@other.example", 8},
      {"a@notexample.org", 9}};
  for (const Case& c : cases) {
    CAPTURE(c.address);
    CHECK(table.line(c.address) == c.line);
  }
  const std::optional<RecipientEntry> boss = recipient_entry_of(*table.find("boss@example.org"));
  REQUIRE(boss);
  CHECK_FALSE(boss->accepts);
  CHECK(boss->reply->line() == "553 5.7.9 not him");
  const std::optional<RecipientEntry> later = recipient_entry_of(*table.find("a@other.example"));
  CHECK(later->reply->line() == "451 4.7.1 later");
  CHECK(recipient_entry_of(*table.find("a@xn--mnchen-3ya.example"))->reply->line() == "250 2.1.5 welcome");
  CHECK_FALSE(recipient_entry_of(*table.find("x@y"))->reply);
}

TEST_CASE("an entry of the recipient table names the checks that it bypasses") {
  Compiled table(parse_recipient_table, "a.example ACCEPT bypass=call-ahead,ldap bypass=rates\n");
  const std::optional<RecipientEntry> entry = recipient_entry_of(*table.find("x@a.example"));
  REQUIRE(entry);
  CHECK(entry->bypass ==
        Bypass{.users = false, .program = false, .ldap = true, .call_ahead = true, .rates = true});
  CHECK_FALSE(recipient_entry_of({1, "x"}));
  CHECK_FALSE(recipient_entry_of({1, std::string("q\0", 2)}));
}

TEST_CASE("a wrong line of the recipient table is named, with what to write") {
  CHECK(fault(parse_recipient_table, "\nexample.org\n").starts_with("t:2: it should read"));
  CHECK(fault(parse_recipient_table, "ACCEPT\n").starts_with("t:1: it should read"));
  CHECK(fault(parse_recipient_table, ", ACCEPT\n").find("names nobody") != std::string::npos);
  CHECK(fault(parse_recipient_table, "exa mple..org ACCEPT\n").find("no domain") != std::string::npos);
  CHECK(fault(parse_recipient_table, "a b@ ACCEPT 550 x\n").find("no reply") != std::string::npos);
  CHECK(fault(parse_recipient_table, "a REJECT 250 x\n").find("no reply") != std::string::npos);
  CHECK(fault(parse_recipient_table, "a REJECT 5500 x\n").find("no reply") != std::string::npos);
  CHECK(fault(parse_recipient_table, "a REJECT 550 x\x01y\n").find("no reply") != std::string::npos);
  CHECK(fault(parse_recipient_table, "a ACCEPT bypass=x\n").find("no check") != std::string::npos);
  CHECK(fault(parse_recipient_table, "a REJECT bypass=ldap\n").find("no bypass") != std::string::npos);
  std::vector<std::string> doubts;
  REQUIRE(parse_recipient_table("a ACCEPT\nb, a REJECT\n", "t", doubts).ok());
  REQUIRE(doubts.size() == 1);
  CHECK(doubts[0].starts_with("t:2: \"a\" stands in line 1"));
}

TEST_CASE("the domain map takes addresses and domains to others") {
  Compiled table(parse_domain_map,
                 "joe@old.example      Joe.Smith@new.example\n"
                 "joe@.old.example     jim@new.example\n"
                 "@old.example         @new.example\n"
                 "@.old.example        all@new.example\n");
  const auto map = [&](const std::string& address) {
    const std::optional<LineMatch> match = table.find(address);
    return match ? mapped_address(address, match->value) : "";
  };
  CHECK(map("JOE@OLD.example") == "Joe.Smith@new.example");
  CHECK(map("joe@a.b.old.example") == "jim@new.example");
  CHECK(map("Ann@old.example") == "Ann@new.example");
  CHECK(map("ann@x.old.example") == "all@new.example");
  CHECK(map("ann@new.example") == "");
  CHECK(map("ann@xold.example") == "");
}

TEST_CASE("a wrong line of the domain map is named, with what to write") {
  for (const char* line : {"a@b", "a@b c@d e@f", "a b@c", "a@b c", "a@b @c", "@b c@.d", "@a..b @c"}) {
    CAPTURE(line);
    CHECK(fault(parse_domain_map, std::string("\n") + line).starts_with("t:2: "));
  }
  std::string many;
  for (size_t i = 0; i <= kDomainMapLines; ++i) many += "a" + std::to_string(i) + "@b c@d\n";
  CHECK(fault(parse_domain_map, many).starts_with("t:20001: a domain map has at most 20000"));
  many.resize(many.rfind('\n', many.size() - 2) + 1);
  CHECK(fault(parse_domain_map, many) == "");
}

TEST_CASE("aliases have contexts, chains and several recipients") {
  Compiled table(parse_alias_table,
                 "admin@example.com: administrator@example.com\n"
                 "hostmaster: dns@example.net\n"
                 "[example.com, .example.org]\n"
                 "joe, fred: joseph@example.com\n"
                 "[example.com]\n"
                 "all: sales, Mary@Example.NET , marketing\n"
                 "sales: joe@example.com, Mary@example.net\n"
                 "marketing: hostmaster, nobody\n"
                 "nobody: /dev/null\n"
                 "fred: late@example.com\n");
  const auto to = [&](std::string_view address) {
    const std::optional<LineMatch> match = table.find(address);
    return match ? joined(alias_recipients_of(match->value)) : "-";
  };
  CHECK(to("Admin@example.com") == "administrator@example.com");
  CHECK(to("admin@example.org") == "-");
  CHECK(to("hostmaster@anywhere.example") == "dns@example.net");
  CHECK(to("joe@example.com") == "joseph@example.com");
  CHECK(to("joe@example.org") == "-");
  CHECK(to("joe@x.example.org") == "joseph@example.com");
  CHECK(to("fred@example.com") == "joseph@example.com");
  CHECK(to("all@example.com") == "joe@example.com Mary@example.net dns@example.net");
  CHECK(to("nobody@example.com") == "/dev/null");
  CHECK(to("all@x.example.org") == "-");
}

TEST_CASE("loops and dangling ends of aliases are named with their line") {
  CHECK(fault(parse_alias_table, "[a.b]\nx: y\ny: z, q@w\nz: x\n").starts_with("t:2: \"x@a.b\" leads back"));
  CHECK(fault(parse_alias_table, "[a.b]\nx: x\n").starts_with("t:2: \"x@a.b\" leads back"));
  CHECK(fault(parse_alias_table, "[a.b]\nx: y\n[c.d]\ny: z@w\n").starts_with("t:2: \"y\" is no alias here"));
  CHECK(fault(parse_alias_table, "x: y@z\n[a.b]\nq: x, w\n").starts_with("t:3: \"w\" is no alias here"));
  CHECK(fault(parse_alias_table, "x y@z\n").find("no colon") != std::string::npos);
  CHECK(fault(parse_alias_table, "x:\n").find("no recipient") != std::string::npos);
  CHECK(fault(parse_alias_table, "x: y@.z\n").find("no recipient") != std::string::npos);
  CHECK(fault(parse_alias_table, "x: \"a b\"@z\n").find("no recipient") != std::string::npos);
  CHECK(fault(parse_alias_table, ": y@z\n").find("no alias") != std::string::npos);
  CHECK(fault(parse_alias_table, "[a.b\nx: y@z\n").find("context ends") != std::string::npos);
  CHECK(fault(parse_alias_table, "[]\n").find("no domain") != std::string::npos);
  std::string deep = "[a.b]\n";
  for (int i = 0; i < 60; ++i) deep += "n" + std::to_string(i) + ": n" + std::to_string(i + 1) + "\n";
  CHECK(fault(parse_alias_table, deep + "n60: a@b\n").find("at most 50 steps") != std::string::npos);
  std::string up = "[a.b]\nn0: a@b\n";
  for (int i = 1; i < 60; ++i) up += "n" + std::to_string(i) + ": n" + std::to_string(i - 1) + "\n";
  CHECK(fault(parse_alias_table, up).find("at most 50 steps") != std::string::npos);
  std::string wide = "all: one, two\none: ";
  for (int i = 0; i < 999; ++i) wide += "u" + std::to_string(i) + "@x,";
  CHECK(fault(parse_alias_table, wide + "v@x\ntwo: a@b\n").find("more than 1000") != std::string::npos);
  CHECK(fault(parse_alias_table, wide + "v@x\ntwo: u1@x\n") == "");
}

TEST_CASE("a listener's own table stands before the general one, and text without a compiled table is told") {
  const ScratchHome home;
  home.write("control/rat", "example.org ACCEPT\n");
  home.write("control/rat.inside", "example.net ACCEPT\n");
  home.write("control/rat.bad", "example..net ACCEPT\n");
  CHECK(problems_of_recipient_table("rat").size() == 1);
  std::vector<std::string> doubts;
  for (const char* table : {"rat", "rat.inside"}) REQUIRE(compile_recipient_table(table, doubts).ok());
  CHECK(problems_of_recipient_table("rat").empty());
  CHECK_FALSE(compile_recipient_table("rat.bad", doubts).ok());
  CHECK_FALSE(compile_recipient_table("../rat", doubts).ok());
  CHECK_FALSE(compile_recipient_table("rat.cdb", doubts).ok());
  CHECK(problems_of_recipient_table("rat.bad").size() == 2);
  Result<std::vector<std::string>> all = recipient_tables();
  REQUIRE(all.ok());
  CHECK(joined(*all) == "rat rat.bad rat.inside");
  const auto name = [](std::string_view listener) {
    Result<std::optional<LineTable>> table = LineTable::open("rat", listener);
    REQUIRE(table.ok());
    return table->has_value() ? (*table)->name() : "none";
  };
  CHECK(name("inside") == "control/rat.inside");
  CHECK(name("smtpd") == "control/rat");
  CHECK(name("../rat") == "control/rat");
  CHECK_FALSE(LineTable::open("aliases", "inside")->has_value());
}

TEST_CASE("a table of recipients does not count without its text, nor is its text passed over") {
  const ScratchHome home;
  std::vector<std::string> doubts;
  std::vector<std::string> removed;
  for (const char* table : {"rat", "rat.inside", "aliases", "domainmap"}) {
    CAPTURE(table);
    home.write("control/" + std::string(table), "");
    const Result<std::optional<LineTable>> waits = LineTable::open(
        split(table, '.').front(), std::string_view(table).ends_with("inside") ? "inside" : "smtpd");
    CHECK_FALSE(waits.ok());
    CHECK((waits || waits.failure().status == "4.3.5"));
    REQUIRE(compile_recipient_table(table, doubts).ok());
  }
  REQUIRE(remove_tables_without_text(removed).ok());
  CHECK(removed.empty());
  for (const char* table : {"rat.inside", "aliases"})
    ::unlink(home.path("control/" + std::string(table)).c_str());
  CHECK(joined(*recipient_tables_without_text()) == "aliases rat.inside");
  REQUIRE(remove_tables_without_text(removed).ok());
  CHECK(removed.size() == 2);
  CHECK((*LineTable::open("rat", "inside"))->name() == "control/rat");
  CHECK_FALSE(LineTable::open("aliases", "")->has_value());
}

TEST_CASE("the checks of recipients are set for each listener") {
  const Result<RecipientSettingsTable> table = RecipientSettingsTable::parse(
      "inside call_ahead=Exchange ldap=on\nDEFAULT users=on ldap_trouble=accept\nout users=/bin/x "
      "ldap=off\nx ldap_query=staff\n",
      "t");
  REQUIRE(table.ok());
  CHECK(table->of("smtpd").users == "@userq");
  CHECK(table->of("smtpd").call_ahead == "");
  CHECK(table->of("INSIDE").call_ahead == "Exchange");
  CHECK(table->of("inside").ldap == "@ldapq");
  CHECK(table->of("inside").ldap_trouble == OnTrouble::accept);
  CHECK(table->of("out").users == "/bin/x");
  CHECK(table->of("out").ldap.empty());
  CHECK(table->of("x").ldap_query == "staff");
  CHECK(table->ldap_queries() == std::vector<std::string>{"staff"});
  CHECK(table->asks_active_query());
  CHECK(RecipientSettingsTable().of("x").ldap == "@ldapq");
  CHECK_FALSE(RecipientSettingsTable().of("x").ldap_trouble.has_value());
  CHECK_FALSE(
      RecipientSettingsTable::parse("DEFAULT ldap=off\nx ldap=on ldap_query=a", "t")->asks_active_query());
  for (const char* text : {"a users=maybe", "a call_ahead=x/y", "a x=y", "a users=@", "a=b",
                           "a ldap_query=", "a ldap_query=x/y"})
    CHECK_FALSE(RecipientSettingsTable::parse(text, "t").ok());
}
