#include "remote/certificate_text.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <memory>

#include "lib/text.h"

namespace postern {

namespace {

constexpr int kChainLimit = 20;
constexpr int kNamesLimit = 50;
constexpr size_t kNameLimitBytes = 300;

std::string name_text(const X509_NAME* name) {
  const std::unique_ptr<BIO, decltype(&::BIO_free)> out(::BIO_new(::BIO_s_mem()), &::BIO_free);
  if (!out || name == nullptr || ::X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0) return "?";
  const char* bytes = nullptr;
  const long length = ::BIO_get_mem_data(out.get(), &bytes);  // NOLINT(google-runtime-int)
  return length > 0 ? printable({bytes, static_cast<size_t>(length)}, kNameLimitBytes) : "";
}

std::string time_text(const ASN1_TIME* time) {
  std::tm broken_down{};
  if (time == nullptr || ::ASN1_TIME_to_tm(time, &broken_down) != 1) return "?";
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &broken_down)};
}

std::vector<std::string> dns_names(const X509* certificate) {
  std::vector<std::string> names;
  auto* all =
      static_cast<GENERAL_NAMES*>(::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  const std::unique_ptr<GENERAL_NAMES, decltype(&::GENERAL_NAMES_free)> owned(all, &::GENERAL_NAMES_free);
  for (int i = 0; i < sk_GENERAL_NAME_num(all) && i < kNamesLimit; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all, i);
    if (name->type != GEN_DNS) continue;
    const auto* bytes = reinterpret_cast<const char*>(::ASN1_STRING_get0_data(name->d.dNSName));
    names.push_back(
        printable({bytes, static_cast<size_t>(::ASN1_STRING_length(name->d.dNSName))}, kNameLimitBytes));
  }
  return names;
}

// The SHA-256 of what `encode` writes in DER.
template <typename Object>
std::string sha256(Object* object, int (*encode)(Object*, unsigned char**)) {
  unsigned char* der = nullptr;
  const int length = object == nullptr ? -1 : encode(object, &der);
  if (length < 0) return "?";
  std::array<unsigned char, 32> digest{};
  const int done =
      ::EVP_Digest(der, static_cast<size_t>(length), digest.data(), nullptr, ::EVP_sha256(), nullptr);
  ::OPENSSL_free(der);
  return done == 1 ? hexadecimal({reinterpret_cast<const char*>(digest.data()), digest.size()}) : "?";
}

ShownCertificate shown(X509* certificate) {
  ShownCertificate text;
  text.subject = name_text(::X509_get_subject_name(certificate));
  text.issuer = name_text(::X509_get_issuer_name(certificate));
  text.names = dns_names(certificate);
  text.not_before = time_text(::X509_get0_notBefore(certificate));
  text.not_after = time_text(::X509_get0_notAfter(certificate));
  text.certificate_sha256 =
      sha256<X509>(certificate, [](X509* x, unsigned char** out) { return ::i2d_X509(x, out); });
  text.key_sha256 =
      sha256<X509_PUBKEY>(::X509_get_X509_PUBKEY(certificate),
                          [](X509_PUBKEY* k, unsigned char** out) { return ::i2d_X509_PUBKEY(k, out); });
  return text;
}

}  // namespace

std::vector<ShownCertificate> shown_chain(const SSL* connection) {
  std::vector<ShownCertificate> chain;
  STACK_OF(X509)* all = ::SSL_get_peer_cert_chain(connection);
  for (int i = 0; i < sk_X509_num(all) && i < kChainLimit; ++i) chain.push_back(shown(sk_X509_value(all, i)));
  return chain;
}

}  // namespace postern
