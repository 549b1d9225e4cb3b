#include "tlsd/facts.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <memory>

#include "lib/text.h"

namespace postern::tlsd {

namespace {

constexpr size_t kSubjectLimitBytes = 256;

struct FreeBio {
  void operator()(BIO* bio) const { ::BIO_free(bio); }
};

std::string subject_of(X509* certificate) {
  const std::unique_ptr<BIO, FreeBio> bio{::BIO_new(::BIO_s_mem())};
  // RFC 2253, with what is no ASCII escaped.
  if (!bio || ::X509_NAME_print_ex(bio.get(), ::X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) < 0)
    return {};
  char* text = nullptr;
  const long length = ::BIO_get_mem_data(bio.get(), &text);
  return length > 0 ? std::string(text, std::min(static_cast<size_t>(length), kSubjectLimitBytes))
                    : std::string();
}

std::string fingerprint_of(X509* certificate) {
  std::array<unsigned char, 32> digest{};
  unsigned length = 0;
  if (::X509_digest(certificate, ::EVP_sha256(), digest.data(), &length) != 1) return {};
  return hexadecimal({reinterpret_cast<const char*>(digest.data()), length});
}

}  // namespace

TlsFacts facts_of(ssl_st* ssl) {
  const SSL_CIPHER* cipher = ::SSL_get_current_cipher(ssl);
  TlsFacts facts{.protocol = ::SSL_get_version(ssl),
                 .cipher = ::SSL_CIPHER_get_name(cipher),
                 .bits = static_cast<unsigned>(::SSL_CIPHER_get_bits(cipher, nullptr)),
                 .resumed = ::SSL_session_reused(ssl) == 1};
  if (const char* name = ::SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name); name != nullptr)
    facts.server_name = lower(name);
  X509* peer = ::SSL_get0_peer_certificate(ssl);
  if (peer == nullptr) return facts;
  facts.peer_subject = subject_of(peer);
  facts.peer_fingerprint = fingerprint_of(peer);
  facts.peer_verified = ::SSL_get_verify_result(ssl) == X509_V_OK;
  return facts;
}

}  // namespace postern::tlsd
