// postern-dkim-key - make a key that signs mail, and print what has to be published for it.
//
//   usage      postern-dkim-key DOMAIN SELECTOR [rsa|ed25519] [--bits N]
//   env        POSTERN_HOME
//   files      secrets/posterng/SELECTOR.DOMAIN.pem, made with mode 0600; one that is there is never changed
//   fd 1 out   the TXT record in master-file form, and the line for control/dkim
//   user       root, who gives the key to the owner of secrets/posterng; or that owner
//   exit       0 made, or there before and printed; 100 wrong usage, 111 it did not work

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "lib/control.h"
#include "lib/fd.h"
#include "lib/idn.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/text.h"
#include "sign/dkim_key.h"

namespace {

using namespace postern;

constexpr size_t kStringBytes = 255;  // of a TXT record (RFC 1035 3.3)

struct Options {
  std::string domain;
  std::string selector;
  DkimAlgorithm algorithm = DkimAlgorithm::rsa_sha256;
  int bits = kLeastRsaBits;
};

std::optional<Options> parse_options(int argc, char** argv) {
  Options options;
  std::vector<std::string> names;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--bits" && i + 1 < argc) {
      const std::optional<uint64_t> bits = parse_number(argv[++i]);
      if (!bits || *bits < kLeastRsaBits || *bits > kMostRsaBits) return std::nullopt;
      options.bits = static_cast<int>(*bits);
    } else if (names.size() == 2 && (word == "rsa" || word == "ed25519")) {
      options.algorithm = word == "rsa" ? DkimAlgorithm::rsa_sha256 : DkimAlgorithm::ed25519_sha256;
    } else {
      names.emplace_back(word);
    }
  }
  if (names.size() != 2) return std::nullopt;
  const Result<std::string> domain = a_labels(names[0]);
  options.selector = lower(names[1]);
  // They become a file's name.
  const auto plain = [](std::string_view name) {
    return !name.empty() && name.size() <= 253 && name.front() != '.' && name.front() != '-' &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string_view::npos;
  };
  if (!domain || !plain(*domain) || !plain(options.selector)) return std::nullopt;
  options.domain = *domain;
  return options;
}

Result<void> write_key(const std::string& path, const std::string& directory, const DkimKey& key) {
  Result<std::string> pem = key.pem();
  if (!pem) return pem.failure();
  struct stat owner {};
  if (::stat(directory.c_str(), &owner) < 0)
    return os_failure("find " + directory + " (postern-init makes it)", errno);
  const Fd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file) return os_failure("create " + path, errno);
  Result<void> wrote = write_all(file.get(), *pem, "write " + path);
  if (wrote) wrote = fsync_file(file.get(), "fsync " + path);
  if (wrote && ::fchown(file.get(), owner.st_uid, owner.st_gid) < 0)
    wrote = os_failure("give away " + path, errno);
  if (wrote) wrote = fsync_directory(directory);
  if (!wrote) ::unlink(path.c_str());
  return wrote;
}

// One record, in strings of a length that it may have.
std::string record_line(const Options& options, std::string_view record) {
  std::string line = options.selector + "._domainkey." + options.domain + ". IN TXT (";
  for (; !record.empty(); record.remove_prefix(std::min(kStringBytes, record.size())))
    line.append(" \"").append(record.substr(0, kStringBytes)).append("\"");
  return line + " )\n";
}

int fail(const std::string& doing, const Failure& failure) {
  log_critical(doing, failure.text);
  return 111;
}

int run(int argc, char** argv) {
  ::umask(077);
  const std::optional<Options> options = parse_options(argc, argv);
  if (!options) {
    log_critical("start", "usage: postern-dkim-key DOMAIN SELECTOR [rsa|ed25519] [--bits 2048..4096]");
    return 100;
  }
  const std::string name = options->selector + "." + options->domain + ".pem";
  const std::string directory = home_path("secrets/posterng");
  const std::string path = directory + "/" + name;
  if (::access(path.c_str(), F_OK) < 0) {
    Result<DkimKey> key = DkimKey::make(options->algorithm, options->bits);
    if (!key) return fail("make a key", key.failure());
    if (Result<void> wrote = write_key(path, directory, *key); !wrote)
      return fail("write the key", wrote.failure());
  } else {
    log_info("the key " + path + " was there before");
  }
  Result<DkimKey> key = DkimKey::read(path);
  Result<std::string> record = key ? key->record() : Result<std::string>(key.failure());
  if (!record) return fail("read the key", record.failure());
  const std::string text = record_line(*options, *record) + "; once that is published, in control/dkim:\n; " +
                           options->domain + " " + options->selector + " " + name + "\n";
  Result<void> said = write_all(1, text, "print the record");
  return said ? 0 : fail("print the record", said.failure());
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-dkim-key", {}, run, argc, argv);
}
