#include "sign/signer.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "lib/control.h"
#include "lib/envelope.h"
#include "lib/idn.h"
#include "lib/log.h"
#include "lib/secret_file.h"
#include "lib/text.h"
#include "sign/author.h"
#include "sign/dkim_signature.h"

namespace postern {

namespace {

constexpr std::string_view kTable = "control/dkim";
constexpr std::string_view kHeaders = "control/dkimheaders";
constexpr std::string_view kTagKeys = "secrets/posterng/bouncekeys";
constexpr size_t kSecretLimitBytes = 65536;

std::string key_path(const std::string& file) {
  return file.starts_with('/') ? file : home_path("secrets/posterng/" + file);
}

Result<std::vector<std::string>> our_domains() {
  std::vector<std::string> ours;
  for (const char* name : {"locals", "rcpthosts", "morercpthosts"}) {
    Result<std::optional<std::vector<std::string>>> list = control_list(name);
    if (!list) return list.failure();
    if (*list) ours.insert(ours.end(), (*list)->begin(), (*list)->end());
  }
  return ours;
}

// Of a domain as it is in the address; empty: it can be none.
std::string normal_domain(std::string_view address) {
  Result<std::string> domain = a_labels(domain_of(address));
  return domain ? *domain : std::string();
}

std::string author_of(const std::vector<SignedField>& fields, std::string_view sender) {
  for (const SignedField& field : fields) {
    if (!equal_ignoring_case(field.name, "from")) continue;
    if (std::string address = first_address(unfolded_value(field.whole)); !address.empty()) return address;
  }
  return std::string(sender);
}

}  // namespace

Result<Signer> Signer::read() {
  Signer signer;
  Result<std::optional<std::string>> table = control_text("dkim");
  if (!table) return table.failure();
  if (*table) {
    Result<DkimTable> parsed = DkimTable::parse(**table, kTable);
    if (!parsed) return parsed.failure();
    signer.table_ = std::move(*parsed);
    for (const DkimLine& line : signer.table_->all()) {
      Result<DkimKey> key = DkimKey::read(key_path(line.key_file));
      const std::string where = "line " + std::to_string(line.number) + " of " + std::string(kTable) + ": ";
      if (!key) return temporary(where + key.failure().text, 55, "4.3.5");
      if (!line.algorithm.empty() && line.algorithm != algorithm_name(key->algorithm()))
        return temporary(where + "its key is one for " + std::string(algorithm_name(key->algorithm())), 55,
                         "4.3.5");
      signer.keys_.insert_or_assign(line.key_file, std::move(*key));
    }
  }
  Result<std::optional<std::string>> headers = control_text("dkimheaders");
  if (!headers) return headers.failure();
  Result<std::vector<SignedHeader>> names =
      *headers ? parse_signed_headers(**headers, kHeaders) : default_signed_headers();
  if (!names) return names.failure();
  signer.headers_ = std::move(*names);
  Result<std::vector<std::string>> ours = our_domains();
  if (!ours) return ours.failure();
  signer.ours_ = std::move(*ours);
  const std::string keys = home_path(kTagKeys);
  struct stat status {};
  if (::stat(keys.c_str(), &status) < 0 && errno == ENOENT) return signer;
  Result<std::string> text = read_secret(keys, kSecretLimitBytes);
  if (!text) return text.failure();
  Result<std::vector<PrvsKey>> tag_keys = parse_prvs_keys(*text, kTagKeys);
  if (!tag_keys) return tag_keys.failure();
  signer.tag_keys_ = std::move(*tag_keys);
  return signer;
}

bool Signer::is_ours(const std::string& domain) const {
  return domain_listed(domain, ours_);
}

Result<std::string> Signer::sign(int message, std::string_view sender, const std::string& label) const {
  if (!table_) return std::string();
  Result<std::string> header = header_of_file(message);
  if (!header) return header.failure();
  const std::string author = author_of(header_fields(*header), sender);
  const std::string domain = normal_domain(author);
  const std::vector<DkimLine> lines =
      domain.empty() ? std::vector<DkimLine>() : table_->find(domain, is_ours(domain));
  const std::string matches = " - matches " + printable(author, 320);
  if (lines.empty()) {
    log_info(label + " DKIM: no signature" + matches);
    return std::string();
  }
  // It would become part of the field that is put before it.
  if (header->starts_with(' ') || header->starts_with('\t'))
    return permanent("sign: its header begins with a space");
  std::vector<Canonical> forms;
  for (const DkimLine& line : lines) forms.push_back(line.body);
  Result<DigestedMessage> digested = digest_message(message, std::move(*header), forms);
  if (!digested) return digested.failure();
  std::string fields;
  for (const DkimLine& line : lines) {
    Result<std::string> field =
        dkim_signature(*digested, line, keys_.at(line.key_file), headers_, now_microseconds() / 1000000);
    if (!field) return field.failure();
    fields += *field;
    log_info(label + " DKIM: signing with " + line.selector + "._domainkey." + line.domain + matches);
  }
  return fields;
}

Result<std::string> Signer::tag(const std::string& sender, const std::string& label,
                                uint64_t now_seconds) const {
  if (is_notification_sender(sender) || sender.ends_with("-@[]")) return std::string();
  const std::string domain = normal_domain(sender);
  if (!is_ours(domain) || parse_prvs(sender)) return std::string();
  const auto making =
      std::find_if(tag_keys_.begin(), tag_keys_.end(), [](const PrvsKey& key) { return !key.retired; });
  if (making == tag_keys_.end())
    return temporary("tag a sender: " + home_path(kTagKeys) + " has no key; write a line \"0 SECRET\"", 55,
                     "4.3.5");
  // A domain's letter case gets lost on the way, at the latest in our own smtpd.
  std::string tagged = prvs_tagged(std::string(local_part_of(sender)) + "@" + domain, *making, now_seconds);
  if (tagged.empty())
    log_info(label + " From: <" + printable(sender) + "> gets no tag: its local-part is too long or quoted");
  return tagged;
}

PrvsCheck Signer::check(std::string_view address, uint64_t now_seconds) const {
  return check_prvs(address, tag_keys_, now_seconds);
}

SignerFiles::SignerFiles() {
  for (const std::string_view name :
       {kTable, kHeaders, std::string_view("control/locals"), std::string_view("control/rcpthosts"),
        std::string_view("control/morercpthosts"), kTagKeys}) {
    files_.emplace_back(home_path(name));
  }
}

bool SignerFiles::changed() {
  bool any = false;
  for (WatchedFile& file : files_) any = file.changed() || any;
  return any;
}

}  // namespace postern
