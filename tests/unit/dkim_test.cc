#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "lib/base64.h"
#include "lib/dkim_table.h"
#include "lib/fd.h"
#include "sign/author.h"
#include "sign/canonical.h"
#include "sign/dkim_key.h"
#include "sign/dkim_signature.h"
#include "tests/canonical_body.h"

using namespace postern;

namespace {

// RFC 8463 A.2: the key of RFC 8032 7.1, test 1.
constexpr const char* kEdKey =
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END "
    "PRIVATE KEY-----\n";

}  // namespace

TEST_CASE("a body is canonical as it will be on the wire, however it is cut") {
  struct Row {
    std::string text, relaxed, simple;
  };
  const std::vector<Row> rows = {
      {"", "", "\r\n"},
      {"\n\n\n", "", "\r\n"},
      {"\r\r\n\n", "", "\r\n"},
      {" \t\n", "", " \t\r\n"},
      {" C \nD \t E\n\n\n", " C\r\nD E\r\n", " C \r\nD \t E\r\n"},  // RFC 6376 3.4.5
      {"a", "a\r\n", "a\r\n"},
      {"a\rb\r\nc\n\rd", "a\r\nb\r\nc\r\n\r\nd\r\n", "a\r\nb\r\nc\r\n\r\nd\r\n"},
      {"a\n \nb", "a\r\n\r\nb\r\n", "a\r\n \r\nb\r\n"},
      {"a \t", "a\r\n", "a \t\r\n"},
      {".\n..b\n", ".\r\n..b\r\n", ".\r\n..b\r\n"},
      {std::string("a\0b\xff\n", 5), std::string("a\0b\xff\r\n", 6), std::string("a\0b\xff\r\n", 6)},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    for (const size_t step : {size_t{1}, size_t{2}, size_t{3}, size_t{1000}}) {
      CHECK(canonical_body(row.text, Canonical::relaxed, step) == row.relaxed);
      CHECK(canonical_body(row.text, Canonical::simple, step) == row.simple);
    }
  }
}

TEST_CASE("the hashes of an empty body are those of RFC 6376") {
  const Result<Fd> file = memory_file_with("message", "Subject: x\n\n");
  REQUIRE(file);
  Result<std::string> header = header_of_file(file->get());
  REQUIRE(header);
  Result<DigestedMessage> digested =
      digest_message(file->get(), *header, {Canonical::relaxed, Canonical::simple});
  REQUIRE(digested);
  CHECK(base64(digested->body_hashes.at(Canonical::simple)) ==
        "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=");
  CHECK(base64(digested->body_hashes.at(Canonical::relaxed)) ==
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

TEST_CASE("header fields are cut and made canonical as RFC 6376 3.4.5 has it") {
  const std::string header = "A: X\nB : Y\t\n\tZ  \nno field\n: none\nC:\r\n D\rE: F\n\nBody: x\n";
  const std::vector<SignedField> fields = header_fields(header);
  REQUIRE(fields.size() == 4);
  CHECK(canonical_field(fields[0].whole, Canonical::relaxed) == "a:X");
  CHECK(canonical_field(fields[1].whole, Canonical::relaxed) == "b:Y Z");
  CHECK(canonical_field(fields[1].whole, Canonical::simple) == "B : Y\t\r\n\tZ  ");
  CHECK(canonical_field(fields[2].whole, Canonical::relaxed) == "c:D");
  CHECK(fields[3].name == "E");
  CHECK(header_fields("").empty());
  CHECK(header_fields("\nA: b\n").empty());
  CHECK(body_start(header) == header.find("Body"));
  CHECK(body_start("A: b\r\n\r\nc") == 8);
  CHECK_FALSE(body_start("A: b\n\r"));
  CHECK_FALSE(body_start("A: b\n"));
  CHECK(body_start("\nbody") == 1);
}

TEST_CASE("the author is the first address of From") {
  struct Row {
    std::string value, address;
  };
  const std::vector<Row> rows = {
      {" a@b.example", "a@b.example"},
      {"\"x, <y@z.example>\" <a@b.example>", "a@b.example"},
      {"(c@d.example) a@b.example (e)", "a@b.example"},
      {"a @ b . example", "a@b.example"},
      {"x <@r.example,@s.example:a@b.example>", "a@b.example"},
      {"friends: a@b.example, c@d.example;", "a@b.example"},
      {"nobody, a@b.example", "a@b.example"},
      {"<> , <a@b.example>", "a@b.example"},
      {"\"a b\"@c.example", "\"a b\"@c.example"},
      {"a@b@c.example", "a@b@c.example"},
      {"", ""},
      {"a", ""},
      {"@b", ""},
      {"a@", ""},
      {"<a@b.example", "a@b.example"},
      {"\"a@b.example", "\"a@b.example"},
      {"((((a@b.example", ""},
      {"a@b\\.example", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.value);
    CHECK(first_address(row.value) == row.address);
  }
}

TEST_CASE("control/dkim is found by the nearest line") {
  const Result<DkimTable> table = DkimTable::parse(
      "# c\nexample.org s1 k1\nexample.org s2 k2 ed25519-sha256 identity=@x.example.org "
      "canonical=simple/relaxed\n"
      ".example.org s3 k3\nno.example.org none\n* s4 k4\n* s5 k5 domain=signer.example\n",
      "control/dkim");
  REQUIRE(table);
  const auto found = [&](const char* domain, bool ours) {
    std::string all;
    for (const DkimLine& line : table->find(domain, ours)) all += line.selector + "." + line.domain + " ";
    return all;
  };
  CHECK(found("example.org", true) == "s1.example.org s2.example.org ");
  CHECK(found("a.b.example.org", false) == "s3.example.org ");
  CHECK(found("no.example.org", true).empty());
  CHECK(found("other.example", true) == "s4.other.example s5.signer.example ");
  CHECK(found("other.example", false) == "s5.signer.example ");
  CHECK(table->all().size() == 5);
  CHECK(table->find("example.org", true)[1].header == Canonical::simple);
}

TEST_CASE("a line of control/dkim that is none names itself") {
  for (const char* line : {"example.org", "example.org s", "example.org s k what", "example.org s;x k",
                           "example.org s k domain=", "example.org s k canonical=relaxed",
                           "example.org s k identity=example.org", "example.org s k identity=@other.example",
                           "example.org s k identity=a;b@example.org", "a@b s k", ". s k"}) {
    CAPTURE(line);
    const Result<DkimTable> table = DkimTable::parse("\n" + std::string(line) + "\n", "control/dkim");
    REQUIRE_FALSE(table);
    CHECK(table.failure().text.starts_with("read control/dkim line 2: "));
    CHECK(table.failure().exit_code == 55);
  }
  CHECK_FALSE(parse_signed_headers("a:b", "f"));
  CHECK(parse_signed_headers("+Subject\n", "f")->front().name == "from");
}

TEST_CASE("fields are named from the last on, and once more where none may be added") {
  const std::vector<SignedField> fields = header_fields("To: a\nFrom: b\nTo: c\n");
  const std::vector<std::string> names =
      names_to_sign(fields, {{"from", true}, {"to", false}, {"cc", true}, {"date", false}});
  CHECK(names == std::vector<std::string>{"from", "from", "to", "to", "cc"});
  std::string many;
  for (int i = 0; i < 500; ++i) many += "To: a\n";
  CHECK(names_to_sign(header_fields(many), {{"to", false}}).empty());
}

TEST_CASE("an Ed25519 key is published and signs as RFC 8463 has it") {
  const Result<DkimKey> key = DkimKey::parse(kEdKey, "test");
  REQUIRE(key);
  CHECK(key->algorithm() == DkimAlgorithm::ed25519_sha256);
  CHECK(*key->record() == "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
  CHECK(key->sign("abc")->size() == 64);
  const Result<Fd> file = memory_file_with("message", "From: a@b.example\nSubject: x\n\nhello\n");
  REQUIRE(file);
  Result<DigestedMessage> digested =
      digest_message(file->get(), *header_of_file(file->get()), {Canonical::relaxed});
  REQUIRE(digested);
  DkimLine line;
  line.domain = "b.example";
  line.selector = "s";
  const Result<std::string> field = dkim_signature(*digested, line, *key, default_signed_headers(), 1000);
  REQUIRE(field);
  CHECK(field->starts_with("DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=b.example; s=s;"));
  CHECK(field->ends_with("\n"));
  CHECK(header_fields(*field).size() == 1);
}

TEST_CASE("keys that are too weak, or none, are refused with a remedy") {
  CHECK_FALSE(DkimKey::parse("", "k"));
  CHECK_FALSE(DkimKey::parse("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "k"));
  const Result<DkimKey> weak = DkimKey::make(DkimAlgorithm::rsa_sha256, 1024);
  REQUIRE_FALSE(weak);
  CHECK(weak.failure().text.find("it has 1024 bits") != std::string::npos);
}
