// A private key that signs mail (RFC 6376 3.3, RFC 8463), by OpenSSL.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

#include "lib/dkim_table.h"
#include "lib/result.h"

namespace postern {

constexpr int kLeastRsaBits = 2048;  // RFC 8301 3.2 would take 1024
constexpr int kMostRsaBits = 4096;   // beyond it the public key fits into no DNS record of common size

// SHA-256 of what comes in pieces.
class Sha256 {
 public:
  Sha256();
  void take(std::string_view bytes);
  std::string finish();  // 32 bytes

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

class DkimKey {
 public:
  // A PEM file that nobody but its owner and root may read. The failure (temporary, 55) says the remedy.
  static Result<DkimKey> read(const std::string& path);
  static Result<DkimKey> parse(std::string_view pem, const std::string& name);
  static Result<DkimKey> make(DkimAlgorithm algorithm, int rsa_bits);

  [[nodiscard]] DkimAlgorithm algorithm() const { return algorithm_; }
  // The signature of these bytes, not encoded.
  [[nodiscard]] Result<std::string> sign(std::string_view bytes) const;
  // What goes into the DNS: "v=DKIM1; k=rsa; p=...".
  [[nodiscard]] Result<std::string> record() const;
  [[nodiscard]] Result<std::string> pem() const;

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  explicit DkimKey(EVP_PKEY* key) : key_(key) {}
  static Result<DkimKey> checked(DkimKey key, const std::string& name);

  std::unique_ptr<EVP_PKEY, Free> key_;
  DkimAlgorithm algorithm_ = DkimAlgorithm::rsa_sha256;
};

}  // namespace postern
