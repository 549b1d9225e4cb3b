#include "tlsd/certificates.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "lib/fd.h"
#include "lib/text.h"

namespace postern::tlsd {

namespace {

constexpr size_t kFileLimitBytes = 1024 * 1024;
constexpr size_t kFileLimit = 10000;
constexpr size_t kNameLimit = 1000;  // of one certificate
constexpr std::string_view kSuffix = ".pem";
// Whoever shows us a certificate must not make us read a book.
constexpr int kMostVerifiedDepth = 10;

struct FreeBio {
  void operator()(BIO* bio) const { ::BIO_free(bio); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { ::X509_free(certificate); }
};
struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { ::GENERAL_NAMES_free(names); }
};
struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
// The text of a key is not left in memory that is given back.
struct Wiped {
  std::string& secret;
  ~Wiped() { ::OPENSSL_cleanse(secret.data(), secret.size()); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;
using Certificate = std::unique_ptr<X509, FreeCertificate>;

// A key that has a passphrase cannot be used: nobody is there to be asked.
int no_passphrase(char* /*into*/, int /*size*/, int /*writing*/, void* /*unused*/) {
  return 0;
}

// Whatever it is, the handshake goes on; what was found is told to smtpd.
int any_certificate(int /*ok*/, X509_STORE_CTX* /*store*/) {
  return 1;
}

Result<std::string> read_secret(const std::string& path) {
  const Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!file) return os_failure("open it", errno);
  struct stat status {};
  if (::fstat(file.get(), &status) < 0) return os_failure("look at it", errno);
  if (!S_ISREG(status.st_mode)) return temporary("it is no file");
  if ((status.st_mode & 077) != 0)
    return temporary("others may read the key in it; chmod 600 it, and make a new key");
  return read_to_end(file.get(), kFileLimitBytes, "read it");
}

// The first certificate is ours, the others are its chain; the key may stand anywhere.
Result<void> use_file(SSL_CTX* context, const std::string& path) {
  Result<std::string> pem = read_secret(path);
  if (!pem) return pem.failure();
  const Wiped wiped{*pem};
  const auto open = [&] { return Bio(::BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size()))); };
  const Bio certificates = open();
  const Certificate own{::PEM_read_bio_X509_AUX(certificates.get(), nullptr, no_passphrase, nullptr)};
  const std::unique_ptr<EVP_PKEY, FreeKey> key{
      ::PEM_read_bio_PrivateKey(open().get(), nullptr, no_passphrase, nullptr)};
  if (!own) return temporary("there is no certificate in it; put it and its chain before the key");
  if (!key)
    return temporary(
        "there is no private key in it; put the key, without a passphrase, behind the certificates");
  if (::SSL_CTX_use_certificate(context, own.get()) != 1)
    return temporary("its certificate cannot be used: " + openssl_error());
  if (::SSL_CTX_use_PrivateKey(context, key.get()) != 1 || ::SSL_CTX_check_private_key(context) != 1)
    return temporary("its key is not that of its first certificate: " + openssl_error());
  ::SSL_CTX_clear_chain_certs(context);
  for (;;) {
    Certificate next{::PEM_read_bio_X509(certificates.get(), nullptr, no_passphrase, nullptr)};
    if (!next) break;
    if (::SSL_CTX_add0_chain_cert(context, next.get()) != 1)
      return temporary("its chain cannot be used: " + openssl_error());
    (void)next.release();
  }
  ::ERR_clear_error();
  return {};
}

// "mx.example.org.rsa.pem" to "mx.example.org"; empty: no name of ours.
std::string name_of(std::string_view file) {
  if (!file.ends_with(kSuffix) || file.starts_with('.')) return {};
  file.remove_suffix(kSuffix.size());
  for (const std::string_view kind : {".rsa", ".ecdsa", ".ed25519"}) {
    if (file.ends_with(kind) && file.size() > kind.size()) {
      file.remove_suffix(kind.size());
      break;
    }
  }
  return lower(file);
}

// In the order of the alphabet, so that two machines with the same files do the same.
Result<std::vector<std::string>> files_of(const std::string& directory) {
  const std::unique_ptr<DIR, CloseDirectory> open{::opendir(directory.c_str())};
  std::vector<std::string> files;
  if (!open) {
    if (errno == ENOENT) return files;
    return os_failure("read " + directory, errno);
  }
  while (const dirent* entry = ::readdir(open.get())) {
    if (!name_of(entry->d_name).empty()) files.emplace_back(entry->d_name);
    if (files.size() > kFileLimit)
      return temporary("read " + directory + ": there are more than 10000 files");
  }
  std::sort(files.begin(), files.end());
  return files;
}

Result<void> ask_for_certificates(SSL_CTX* context, const std::string& authorities) {
  STACK_OF(X509_NAME)* names = ::SSL_load_client_CA_file(authorities.c_str());
  if (names == nullptr || ::SSL_CTX_load_verify_file(context, authorities.c_str()) != 1) {
    sk_X509_NAME_pop_free(names, ::X509_NAME_free);
    return temporary("use " + authorities + ", which control/tlsdclientca names: " + openssl_error() +
                     "; write the path of a file of certificates in PEM");
  }
  ::SSL_CTX_set_client_CA_list(context, names);
  ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER, any_certificate);
  ::SSL_CTX_set_verify_depth(context, kMostVerifiedDepth);
  return {};
}

}  // namespace

std::string openssl_error() {
  const unsigned long error = ::ERR_peek_last_error();
  const char* reason = error == 0 ? nullptr : ::ERR_reason_error_string(error);
  ::ERR_clear_error();
  return reason == nullptr ? "unknown fault" : printable(reason, 200);
}

void FreeContext::operator()(ssl_ctx_st* context) const {
  ::SSL_CTX_free(context);
}

Result<std::unique_ptr<Certificates>> Certificates::read(const TlsdSettings& settings, TicketKeys& tickets,
                                                         std::vector<std::string>& problems) {
  std::unique_ptr<Certificates> made(new Certificates());
  Result<std::vector<std::string>> files = files_of(settings.directory);
  if (!files) return files.failure();
  for (const std::string& file : *files) {
    const std::string name = name_of(file);
    const bool is_new = !made->contexts_.contains(name);
    Result<Context> context = is_new ? made->make_context(settings, tickets) : Result<Context>(Context());
    if (!context) return context.failure();
    SSL_CTX* into = is_new ? context->get() : made->contexts_.at(name).get();
    const std::string path = settings.directory + "/" + file;
    if (Result<void> used = use_file(into, path); !used) {
      ::ERR_clear_error();
      problems.push_back(path + ": " + used.failure().text);
      continue;
    }
    made->add_names(into);
    if (is_new) made->contexts_.emplace(name, std::move(*context));
    if (made->default_context_ == nullptr) made->default_context_ = into;
  }
  for (const std::string& name : {std::string("default"), settings.default_name}) {
    if (SSL_CTX* of_name = made->find(name); of_name != nullptr) made->default_context_ = of_name;
  }
  return made;
}

Result<Context> Certificates::make_context(const TlsdSettings& settings, TicketKeys& tickets) {
  Context made{::SSL_CTX_new(::TLS_server_method())};
  SSL_CTX* context = made.get();
  static constexpr std::string_view kOurs = "postern";
  const bool ready =
      context != nullptr && ::SSL_CTX_set_min_proto_version(context, settings.least_version) == 1 &&
      ::SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(kOurs.data()),
                                       static_cast<unsigned>(kOurs.size())) == 1;
  if (!ready) return temporary("start TLS: " + openssl_error());
  // SMTP tells its own ends: a connection that ends without TLS' end cuts no message off. Renegotiation costs
  // us more than whoever asks for it.
  ::SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
  ::SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
  ::SSL_CTX_set_read_ahead(context, 1);  // a record is one recv, not two
  ::SSL_CTX_set_dh_auto(context, 1);
  ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets alone: they need no memory here
  tickets.serve(context, settings.ticket_seconds);
  ::SSL_CTX_set_tlsext_servername_callback(context, on_name);
  ::SSL_CTX_set_tlsext_servername_arg(context, this);
  if (!settings.client_authorities_path.empty()) {
    Result<void> asked = ask_for_certificates(context, settings.client_authorities_path);
    if (!asked) return asked.failure();
  }
  return made;
}

void Certificates::add_names(ssl_ctx_st* context) {
  const X509* certificate = ::SSL_CTX_get0_certificate(context);
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names{
      static_cast<GENERAL_NAMES*>(::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
  const int count = std::min(sk_GENERAL_NAME_num(names.get()), static_cast<int>(kNameLimit));
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    const auto* text = reinterpret_cast<const char*>(::ASN1_STRING_get0_data(name->d.dNSName));
    const std::string_view whole(text, static_cast<size_t>(::ASN1_STRING_length(name->d.dNSName)));
    other_names_.emplace(lower(whole), context);
  }
}

ssl_ctx_st* Certificates::find(std::string_view name) const {
  const std::string wanted = lower(name);
  if (const auto found = contexts_.find(wanted); found != contexts_.end()) return found->second.get();
  if (const auto found = other_names_.find(wanted); found != other_names_.end()) return found->second;
  // RFC 6125, 6.4.3: a wildcard is one whole label, the first.
  const size_t dot = wanted.find('.');
  if (dot == std::string::npos) return nullptr;
  const auto found = other_names_.find("*" + wanted.substr(dot));
  return found == other_names_.end() ? nullptr : found->second;
}

// A name that we do not know gets the default: mail clients ask for the strangest, and few look at what they
// get.
int Certificates::on_name(ssl_st* ssl, int* /*alert*/, void* certificates) {
  const char* name = ::SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_CTX* context = static_cast<const Certificates*>(certificates)->find(name);
  if (context == nullptr) return SSL_TLSEXT_ERR_NOACK;
  return ::SSL_set_SSL_CTX(ssl, context) == nullptr ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_OK;
}

}  // namespace postern::tlsd
