#include "sign/dkim_key.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

#include "lib/base64.h"
#include "lib/secret_file.h"

namespace postern {

namespace {

constexpr size_t kKeyLimitBytes = 65536;

struct FreeContext {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
template <typename T>
using Owned = std::unique_ptr<T, FreeContext>;

Failure broken(const std::string& doing) {
  std::array<char, 256> why{};
  ERR_error_string_n(ERR_get_error(), why.data(), why.size());
  ERR_clear_error();
  return temporary(doing + ": " + why.data(), 55, "4.3.5");
}

std::string bytes_of(BIO* bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  return length > 0 ? std::string(data, static_cast<size_t>(length)) : std::string();
}

const unsigned char* unsigned_bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// Never asks a terminal: a resident has none.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
}

void Sha256::take(std::string_view bytes) {
  EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
}

std::string Sha256::finish() {
  std::string hash(32, '\0');
  EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(hash.data()), nullptr);
  return hash;
}

Result<DkimKey> DkimKey::read(const std::string& path) {
  Result<std::string> pem = read_secret(path, kKeyLimitBytes);
  return pem ? parse(*pem, path) : Result<DkimKey>(pem.failure());
}

Result<DkimKey> DkimKey::parse(std::string_view pem, const std::string& name) {
  const Owned<BIO> bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  DkimKey key{PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr)};
  if (!key.key_) return broken("read the key " + name + ": it is no private key in PEM without a passphrase");
  return checked(std::move(key), name);
}

Result<DkimKey> DkimKey::checked(DkimKey key, const std::string& name) {
  const auto wrong = [&](const std::string& why) {
    return temporary("use the key " + name + ": " + why + "; make one with postern-dkim-key", 55, "4.3.5");
  };
  switch (EVP_PKEY_get_base_id(key.key_.get())) {
    case EVP_PKEY_ED25519:
      key.algorithm_ = DkimAlgorithm::ed25519_sha256;
      return key;
    case EVP_PKEY_RSA:
      break;
    default:
      return wrong("it is neither RSA nor Ed25519");
  }
  const int bits = EVP_PKEY_get_bits(key.key_.get());
  if (bits < kLeastRsaBits || bits > kMostRsaBits)
    return wrong("it has " + std::to_string(bits) + " bits, and must have " + std::to_string(kLeastRsaBits) +
                 " to " + std::to_string(kMostRsaBits));
  return key;
}

Result<DkimKey> DkimKey::make(DkimAlgorithm algorithm, int rsa_bits) {
  const int type = algorithm == DkimAlgorithm::rsa_sha256 ? EVP_PKEY_RSA : EVP_PKEY_ED25519;
  const Owned<EVP_PKEY_CTX> context{EVP_PKEY_CTX_new_id(type, nullptr)};
  EVP_PKEY* made = nullptr;
  const bool done = context && EVP_PKEY_keygen_init(context.get()) > 0 &&
                    (type != EVP_PKEY_RSA || EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), rsa_bits) > 0) &&
                    EVP_PKEY_keygen(context.get(), &made) > 0;
  if (!done) return broken("make a key");
  return checked(DkimKey{made}, "that was made");
}

Result<std::string> DkimKey::sign(std::string_view bytes) const {
  const bool is_rsa = algorithm_ == DkimAlgorithm::rsa_sha256;
  std::string hash;
  if (!is_rsa) {
    // RFC 8463 3: what Ed25519 signs is the SHA-256 hash.
    Sha256 sha;
    sha.take(bytes);
    bytes = hash = sha.finish();
  }
  const Owned<EVP_MD_CTX> context{EVP_MD_CTX_new()};
  std::string signature(static_cast<size_t>(EVP_PKEY_get_size(key_.get())), '\0');
  size_t length = signature.size();
  const bool done =
      context &&
      EVP_DigestSignInit(context.get(), nullptr, is_rsa ? EVP_sha256() : nullptr, nullptr, key_.get()) > 0 &&
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length,
                     unsigned_bytes(bytes), bytes.size()) > 0;
  if (!done) return broken("sign");
  signature.resize(length);
  return signature;
}

Result<std::string> DkimKey::record() const {
  std::string bytes;
  if (algorithm_ == DkimAlgorithm::ed25519_sha256) {
    bytes.resize(32);
    size_t length = bytes.size();
    if (EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(bytes.data()), &length) <= 0)
      return broken("take the public key");
    return "v=DKIM1; k=ed25519; p=" + base64(bytes);
  }
  const Owned<BIO> bio{BIO_new(BIO_s_mem())};
  if (!bio || i2d_PUBKEY_bio(bio.get(), key_.get()) <= 0) return broken("take the public key");
  return "v=DKIM1; k=rsa; p=" + base64(bytes_of(bio.get()));
}

Result<std::string> DkimKey::pem() const {
  const Owned<BIO> bio{BIO_new(BIO_s_mem())};
  if (!bio ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) <= 0)
    return broken("write the key");
  return bytes_of(bio.get());
}

}  // namespace postern
