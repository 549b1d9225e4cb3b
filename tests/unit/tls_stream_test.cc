#include "remote/tls_stream.h"

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <memory>
#include <string>

#include "lib/fd.h"
#include "remote/tls_context.h"

using namespace postern;

namespace {

template <auto kFree>
struct Freeing {
  template <typename T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freeing<X509_free>>;

Key new_key() {
  return Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
}

void extend(X509* certificate, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  REQUIRE(X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

struct Issuer {
  X509* certificate;
  EVP_PKEY* key;
};

// For `key`, of an authority or (without one) of itself; `days` below 0: expired.
Certificate certify(EVP_PKEY* key, const std::string& name, int days, const Issuer* issuer = nullptr) {
  Certificate made(X509_new());
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), issuer == nullptr ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -864000);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), long{days} * 86400);
  X509_set_pubkey(made.get(), key);
  X509_NAME* subject = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(made.get(), issuer == nullptr ? subject : X509_get_subject_name(issuer->certificate));
  if (issuer == nullptr) extend(made.get(), NID_basic_constraints, "critical,CA:TRUE");
  extend(made.get(), NID_subject_alt_name, ("DNS:" + name).c_str());
  REQUIRE(X509_sign(made.get(), issuer == nullptr ? key : issuer->key, EVP_sha256()) > 0);
  return made;
}

// The association data of a record for the certificate.
std::string data_of(X509* certificate, unsigned selector, unsigned matching) {
  unsigned char* der = nullptr;
  const int size =
      selector == 0 ? i2d_X509(certificate, &der) : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  REQUIRE(size > 0);
  std::string bytes(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  if (matching == 0) return bytes;
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &length,
             matching == 1 ? EVP_sha256() : EVP_sha512(), nullptr);
  digest.resize(length);
  return digest;
}

Tlsa record(X509* certificate, unsigned usage, unsigned selector, unsigned matching) {
  return {usage, selector, matching, data_of(certificate, selector, matching)};
}

struct Outcome {
  TlsOutcome tls;
  std::string fault;
  std::string sni;
};

// A handshake with a server that shows this certificate, and `issuer`'s behind it.
Outcome outcome_of(const TlsDemand& demand, X509* certificate, EVP_PKEY* key, X509* issuer = nullptr) {
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
  const Fd ours(pair[0]);
  const Fd theirs(pair[1]);
  const std::unique_ptr<SSL_CTX, Freeing<SSL_CTX_free>> server_context(SSL_CTX_new(TLS_server_method()));
  REQUIRE(SSL_CTX_use_certificate(server_context.get(), certificate) == 1);
  REQUIRE(SSL_CTX_use_PrivateKey(server_context.get(), key) == 1);
  if (issuer != nullptr) REQUIRE(SSL_CTX_add1_chain_cert(server_context.get(), issuer) == 1);
  const std::unique_ptr<SSL, Freeing<SSL_free>> server(SSL_new(server_context.get()));
  SSL_set_fd(server.get(), theirs.get());
  SSL_set_accept_state(server.get());
  Result<std::unique_ptr<TlsContext>> context = TlsContext::make(RemoteSettings());
  REQUIRE(context.ok());
  Result<std::unique_ptr<TlsStream>> client = TlsStream::make(ours.get(), **context, demand, "192.0.2.1:25");
  REQUIRE(client.ok());
  TlsStream::Step step = TlsStream::Step::wait;
  for (int i = 0; i < 20 && step == TlsStream::Step::wait; ++i) {
    step = (*client)->shake_hands();
    SSL_do_handshake(server.get());
  }
  REQUIRE(step == TlsStream::Step::done);
  Outcome outcome;
  const std::optional<TlsFault> fault = (*client)->check(outcome.tls);
  outcome.fault = fault ? fault->type : "";
  const char* sni = SSL_get_servername(server.get(), TLSEXT_NAMETYPE_host_name);
  outcome.sni = sni == nullptr ? "" : sni;
  // What was said arrives, in both directions.
  CHECK((*client)->write("EHLO a\r\n") == 8);
  char bytes[100];
  CHECK(SSL_read(server.get(), bytes, sizeof bytes) == 8);
  CHECK(SSL_write(server.get(), "250 b\r\n", 7) == 7);
  CHECK((*client)->read(bytes, MSG_DONTWAIT) == 7);
  CHECK((*client)->read(bytes, MSG_DONTWAIT) == -1);
  CHECK(errno == EAGAIN);
  SSL_shutdown(server.get());
  CHECK((*client)->read(bytes, MSG_DONTWAIT) == 0);
  return outcome;
}

TlsDemand dane(std::vector<Tlsa> records) {
  TlsDemand demand;
  demand.need = TlsNeed::authenticated;
  demand.names = {"mx.x.test"};
  demand.tlsa = std::move(records);
  demand.why = "dane";
  return demand;
}

constexpr auto kVerified = TlsOutcome::Did::authenticated;

}  // namespace

TEST_CASE("DANE-EE says which key, whatever name and date stand beside it") {
  const Key key = new_key();
  const Key other = new_key();
  const Certificate old = certify(other.get(), "mx.x.test", 30);
  for (const int days : {30, -1}) {
    for (const char* name : {"mx.x.test", "elsewhere.test"}) {
      const Certificate shown = certify(key.get(), name, days);
      for (const unsigned selector : {0U, 1U}) {
        for (const unsigned matching : {0U, 1U, 2U}) {
          CAPTURE(selector);
          CAPTURE(matching);
          const Tlsa right = record(shown.get(), 3, selector, matching);
          const Tlsa wrong = record(old.get(), 3, selector, matching);
          const Outcome outcome = outcome_of(dane({right}), shown.get(), key.get());
          CHECK(outcome.fault.empty());
          CHECK(outcome.tls.did == kVerified);
          CHECK(outcome.sni == "mx.x.test");
          CHECK(outcome_of(dane({wrong, right}), shown.get(), key.get()).tls.did == kVerified);
          const Outcome refused = outcome_of(dane({wrong}), shown.get(), key.get());
          CHECK_FALSE(refused.fault.empty());
          CHECK(refused.tls.did == TlsOutcome::Did::encrypted);
        }
      }
    }
  }
}

TEST_CASE("DANE-TA says whose certificates: their names and dates count") {
  const Key authority_key = new_key();
  const Certificate authority = certify(authority_key.get(), "authority", 30);
  const Issuer issuer{authority.get(), authority_key.get()};
  const Key key = new_key();
  struct Row {
    std::string name;
    int days;
    std::string fault;
  };
  const Row rows[] = {{"mx.x.test", 30, ""},
                      {"*.x.test", 30, ""},
                      {"m*.x.test", 30, "certificate-host-mismatch"},
                      {"elsewhere.test", 30, "certificate-host-mismatch"},
                      {"mx.x.test", -1, "certificate-expired"}};
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CAPTURE(row.days);
    const Certificate shown = certify(key.get(), row.name, row.days, &issuer);
    for (const unsigned selector : {0U, 1U}) {
      const TlsDemand demand = dane({record(authority.get(), 2, selector, 1)});
      CHECK(outcome_of(demand, shown.get(), key.get(), authority.get()).fault == row.fault);
    }
  }
  const Certificate shown = certify(key.get(), "alias.test", 30, &issuer);
  TlsDemand several = dane({record(authority.get(), 2, 0, 1)});
  several.names = {"mx.x.test", "alias.test"};
  CHECK(outcome_of(several, shown.get(), key.get(), authority.get()).fault.empty());
}

TEST_CASE("records that OpenSSL cannot use ask for TLS alone, as do those that are none") {
  const Key key = new_key();
  const Certificate shown = certify(key.get(), "elsewhere.test", -1);
  const Outcome odd = outcome_of(dane({{3, 1, 9, "x"}, {3, 1, 1, "too short"}}), shown.get(), key.get());
  CHECK(odd.fault.empty());
  CHECK(odd.tls.did == TlsOutcome::Did::encrypted);
  TlsDemand demand;
  demand.need = TlsNeed::encrypted;
  const Outcome any = outcome_of(demand, shown.get(), key.get());
  CHECK(any.fault.empty());
  CHECK(any.sni.empty());
  // Without a name nothing can be compared: never verified.
  demand.need = TlsNeed::authenticated;
  CHECK(outcome_of(demand, shown.get(), key.get()).fault == "certificate-host-mismatch");
  demand.names = {"192.0.2.1"};
  const Outcome address = outcome_of(demand, shown.get(), key.get());
  CHECK_FALSE(address.fault.empty());
  CHECK(address.sni.empty());
}
