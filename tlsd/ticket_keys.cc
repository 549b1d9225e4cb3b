#include "tlsd/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <string>

namespace postern::tlsd {

namespace {

// A worker serves one set of keys.
TicketKeys* served = nullptr;

bool begin_mac(EVP_MAC_CTX* mac, TicketKeys::Key& key) {
  std::string digest = "SHA256";
  OSSL_PARAM parameters[] = {
      ::OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
      ::OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      ::OSSL_PARAM_construct_end()};
  return ::EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

// OpenSSL's answers: -1 fault, 0 do without a ticket, 1 go on, 2 go on and give a new ticket.
int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
              int sealing) {
  TicketKeys::Key key = served->current();
  int answer = 1;
  if (sealing != 0) {
    std::copy(key.name.begin(), key.name.end(), name);
    const bool ready =
        ::RAND_bytes(iv, ::EVP_CIPHER_get_iv_length(::EVP_aes_256_cbc())) == 1 &&
        ::EVP_EncryptInit_ex2(cipher, ::EVP_aes_256_cbc(), key.cipher.data(), iv, nullptr) == 1;
    answer = ready && begin_mac(mac, key) ? 1 : -1;
  } else if (!served->find(name, key)) {
    answer = 0;
  } else {
    const bool old = std::memcmp(served->current().name.data(), key.name.data(), key.name.size()) != 0;
    const bool ready = begin_mac(mac, key) && ::EVP_DecryptInit_ex2(cipher, ::EVP_aes_256_cbc(),
                                                                    key.cipher.data(), iv, nullptr) == 1;
    // RFC 8446, C.4: a client of TLS 1.3 uses a ticket once, so it needs the next one. But whom we asked for
    // a certificate shows it again when the ticket's time is over.
    const bool used_up =
        ::SSL_version(ssl) == TLS1_3_VERSION && ::SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE;
    answer = !ready ? -1 : old || used_up ? 2 : 1;
  }
  ::OPENSSL_cleanse(&key, sizeof key);
  return answer;
}

}  // namespace

TicketKeys* TicketKeys::make() {
  void* page = ::mmap(nullptr, sizeof(TicketKeys), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return nullptr;
  ::madvise(page, sizeof(TicketKeys), MADV_DONTDUMP);
  static_assert(std::atomic<uint64_t>::is_always_lock_free);
  TicketKeys* keys = new (page) TicketKeys;
  return keys->roll() ? keys : nullptr;
}

bool TicketKeys::roll() {
  const uint64_t next = rolled_.load() + 1;
  Key key{};
  if (::RAND_priv_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) != 1 ||
      ::RAND_priv_bytes(key.mac.data(), static_cast<int>(key.mac.size())) != 1 ||
      ::RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) != 1)
    return false;
  keys_.at(next % kSlots) = key;
  rolled_.store(next);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  ::OPENSSL_cleanse(&keys_.at((next + 1) % kSlots), sizeof(Key));
  ::OPENSSL_cleanse(&key, sizeof key);
  return true;
}

TicketKeys::Key TicketKeys::current() const {
  return keys_.at(rolled_.load() % kSlots);
}

bool TicketKeys::find(const unsigned char* name, Key& into) const {
  const uint64_t now = rolled_.load();
  for (const uint64_t at : {now, now + kSlots - 1}) {
    if (at == kSlots && now == 1) continue;  // nothing was before the first, and all zeros are no key
    into = keys_.at(at % kSlots);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (rolled_.load() != now) return false;  // it may have been wiped while we copied it
    if (std::equal(into.name.begin(), into.name.end(), name)) return true;
  }
  return false;
}

void TicketKeys::serve(ssl_ctx_st* context, uint64_t seconds) {
  served = this;
  if (seconds == 0) {
    ::SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    ::SSL_CTX_set_num_tickets(context, 0);
    return;
  }
  ::SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
  // Who resumes needs one; a second one costs both sides time.
  ::SSL_CTX_set_num_tickets(context, 1);
  ::SSL_CTX_set_timeout(context, static_cast<long>(2 * seconds));
}

}  // namespace postern::tlsd
