#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include "scratch.h"
#include "tlsd/certificates.h"

using namespace postern;
using namespace postern::tlsd;

namespace {

TlsdSettings settings_of(const Scratch& scratch) {
  return {.directory = scratch.path("keys"),
          .default_name = "mx.example.org",
          .least_version = TLS1_2_VERSION,
          .handshake_seconds = 60,
          .ticket_seconds = 3600,
          .workers = 1,
          .client_authorities_path = ""};
}

// A certificate of its own for `names`, by OpenSSL's tool.
void make(const Scratch& scratch, const std::string& file, const std::string& names) {
  const std::string path = scratch.path("keys/" + file);
  const std::string command = "mkdir -p '" + scratch.path("keys") +
                              "' && umask 077 && openssl req -x509 -newkey ec -pkeyopt "
                              "ec_paramgen_curve:P-256 -nodes -days 3 -subj /CN=x -addext 'subjectAltName=" +
                              names + "' -keyout '" + path + "' -out '" + path + "' 2>/dev/null";
  REQUIRE(std::system(command.c_str()) == 0);
}

}  // namespace

TEST_CASE("a ticket key is good for two turns and not for a third") {
  TicketKeys* keys = TicketKeys::make();
  REQUIRE(keys != nullptr);
  const TicketKeys::Key first = keys->current();
  TicketKeys::Key found{};
  CHECK(keys->find(first.name.data(), found));
  CHECK(found.cipher == first.cipher);
  REQUIRE(keys->roll());
  CHECK(keys->current().name != first.name);
  CHECK(keys->find(first.name.data(), found));
  CHECK(found.mac == first.mac);
  REQUIRE(keys->roll());
  CHECK(!keys->find(first.name.data(), found));
  // What was never made is no key, whatever the memory holds.
  const TicketKeys::Key zeros{};
  CHECK(!keys->find(zeros.name.data(), found));
  CHECK(!TicketKeys::make()->find(zeros.name.data(), found));
}

TEST_CASE("a name finds its certificate: the file's name first, then the names in it, then the default") {
  const Scratch scratch;
  make(scratch, "a.example.pem", "DNS:a.example,DNS:also.example");
  make(scratch, "mx.example.org.pem", "DNS:*.example.org,DNS:a.example");
  make(scratch, "z.example.pem", "DNS:Capital.Example");
  scratch.write("keys/.hidden.pem", "x", 0600);
  scratch.write("keys/notes.txt", "x", 0600);
  std::vector<std::string> problems;
  const auto read = Certificates::read(settings_of(scratch), *TicketKeys::make(), problems);
  REQUIRE(read.ok());
  CHECK(problems.empty());
  const Certificates& all = **read;
  CHECK(all.count() == 3);
  SSL_CTX* a = all.find("a.example");
  SSL_CTX* mx = all.find("mx.example.org");
  REQUIRE(a != nullptr);
  REQUIRE(mx != nullptr);
  CHECK(a != mx);
  CHECK(all.context() == mx);
  CHECK(all.find("ALSO.example") == a);
  CHECK(all.find("x.example.org") == mx);
  CHECK(all.find("y.x.example.org") == nullptr);
  CHECK(all.find("example.org") == nullptr);
  CHECK(all.find("capital.example") == all.find("z.example"));
  CHECK(all.find("") == nullptr);
  CHECK(all.find(".") == nullptr);
}

TEST_CASE("a file that cannot be used says so, and the others are read") {
  const Scratch scratch;
  make(scratch, "good.pem", "DNS:good.example");
  scratch.write("keys/bad.pem", "nothing", 0600);
  scratch.write("keys/empty.pem", "", 0600);
  scratch.write("keys/open.pem", scratch.read("keys/good.pem"), 0644);
  std::vector<std::string> problems;
  const auto read = Certificates::read(settings_of(scratch), *TicketKeys::make(), problems);
  REQUIRE(read.ok());
  CHECK(problems.size() == 3);
  CHECK((*read)->count() == 1);
  CHECK((*read)->context() == (*read)->find("good"));
  TlsdSettings none = settings_of(scratch);
  none.directory = scratch.path("missing");
  problems.clear();
  const auto nothing = Certificates::read(none, *TicketKeys::make(), problems);
  REQUIRE(nothing.ok());
  CHECK((*nothing)->empty());
  TlsdSettings asks = settings_of(scratch);
  asks.client_authorities_path = scratch.path("keys/bad.pem");
  CHECK(!Certificates::read(asks, *TicketKeys::make(), problems).ok());
}
