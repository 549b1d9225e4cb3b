#include "sign/dkim_signature.h"

#include <algorithm>

#include "lib/base64.h"
#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kReadBytes = 65536;
constexpr size_t kMostNames = 400;  // of h=
constexpr size_t kLineBytes = 76;

// A tag whose value may be broken at any colon (h=) or anywhere (b=, bh=), in lines that begin with a TAB.
void append_folded(std::string& field, std::string_view tag, std::string_view value, bool at_colons) {
  size_t line = field.size() - (field.rfind('\n') + 1);
  if (line + tag.size() + std::min<size_t>(value.size(), 20) > kLineBytes) {
    field += "\n\t";
    line = 1;
  } else if (!tag.empty()) {
    field += ' ';
    ++line;
  }
  field += tag;
  line += tag.size();
  while (!value.empty()) {
    const size_t piece = at_colons ? std::min(value.find(':'), value.size() - 1) + 1
                                   : std::min(value.size(), kLineBytes > line ? kLineBytes - line : 1);
    if (line > 1 && line + piece > kLineBytes) {
      field += "\n\t";
      line = 1;
    }
    field += value.substr(0, piece);
    line += piece;
    value.remove_prefix(piece);
    if (!at_colons && !value.empty()) {
      field += "\n\t";
      line = 1;
    }
  }
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all.append(all.empty() ? "" : ":").append(name);
  return all;
}

std::string_view form_name(Canonical form) {
  return form == Canonical::simple ? "simple" : "relaxed";
}

// What is signed (RFC 6376 3.7): the fields of h=, each name taking the next one from the bottom; then the
// signature's own field without its b=.
std::string signed_bytes(const std::vector<SignedField>& fields, const std::vector<std::string>& names,
                         std::string_view own_field, Canonical form) {
  std::string bytes;
  std::map<std::string, size_t> used;  // fields of that name that are taken
  std::map<std::string, std::vector<const SignedField*>> by_name;
  for (const SignedField& field : fields) by_name[lower(field.name)].push_back(&field);
  for (const std::string& name : names) {
    const std::vector<const SignedField*>& of_name = by_name[name];
    const size_t taken = used[name]++;
    if (taken >= of_name.size()) continue;  // one that is not there
    bytes += canonical_field(of_name[of_name.size() - 1 - taken]->whole, form) + "\r\n";
  }
  return bytes + canonical_field(own_field, form);
}

}  // namespace

Result<std::string> header_of_file(int message) {
  std::string header;
  for (;;) {
    const size_t before = header.size();
    header.resize(before + kReadBytes);
    Result<size_t> got = pread_full(message, {header.data() + before, kReadBytes}, static_cast<off_t>(before),
                                    "read the message");
    if (!got) return temporary(got.failure().text, 54);
    header.resize(before + *got);
    if (const std::optional<size_t> body = body_start(header)) {
      header.resize(*body);
      return header;
    }
    if (*got < kReadBytes) return header;
    if (header.size() > kHeaderLimitBytes)
      return permanent("read the message: its header has more than " + std::to_string(kHeaderLimitBytes) +
                       " bytes");
  }
}

Result<DigestedMessage> digest_message(int message, std::string header, const std::vector<Canonical>& forms) {
  DigestedMessage digested;
  std::vector<char> buffer(kReadBytes);
  std::map<Canonical, BodyCanonicaliser> bodies;
  std::map<Canonical, Sha256> hashes;
  for (const Canonical form : forms) {
    bodies.try_emplace(form, form);
    hashes.try_emplace(form);
  }
  std::string out;
  off_t at = static_cast<off_t>(header.size());
  for (bool more = true; more;) {
    Result<size_t> got = pread_full(message, buffer, at, "read the message");
    if (!got) return temporary(got.failure().text, 54);
    at += static_cast<off_t>(*got);
    more = *got == buffer.size();
    for (auto& [form, body] : bodies) {
      out.clear();
      body.take({buffer.data(), *got}, out);
      if (!more) body.finish(out);
      hashes.at(form).take(out);
    }
  }
  for (auto& [form, hash] : hashes) digested.body_hashes[form] = hash.finish();
  digested.header = std::move(header);
  return digested;
}

std::vector<std::string> names_to_sign(const std::vector<SignedField>& fields,
                                       const std::vector<SignedHeader>& wanted) {
  std::vector<std::string> names;
  for (const SignedHeader& header : wanted) {
    const auto there = std::count_if(fields.begin(), fields.end(), [&](const SignedField& field) {
      return equal_ignoring_case(field.name, header.name);
    });
    const size_t count = static_cast<size_t>(there) + (header.oversigned ? 1 : 0);
    if (names.size() + count > kMostNames) return {};
    names.insert(names.end(), count, header.name);
  }
  return names;
}

Result<std::string> dkim_signature(const DigestedMessage& message, const DkimLine& line, const DkimKey& key,
                                   const std::vector<SignedHeader>& wanted, uint64_t now_seconds) {
  const std::vector<SignedField> fields = header_fields(message.header);
  const std::vector<std::string> names = names_to_sign(fields, wanted);
  if (names.empty()) return permanent("sign: it has more header fields than a signature can name");
  std::string field = "DKIM-Signature:";
  append_folded(field, "v=1;", "", false);
  append_folded(field, "a=", std::string(algorithm_name(key.algorithm())) + ";", true);
  append_folded(
      field, "c=", std::string(form_name(line.header)) + "/" + std::string(form_name(line.body)) + ";", true);
  append_folded(field, "d=", line.domain + ";", true);
  append_folded(field, "s=", line.selector + ";", true);
  if (!line.identity.empty()) append_folded(field, "i=", line.identity + ";", true);
  append_folded(field, "t=", std::to_string(now_seconds) + ";", true);
  append_folded(field, "h=", joined(names) + ";", true);
  append_folded(field, "bh=", base64(message.body_hashes.at(line.body)) + ";", false);
  field += "\n\tb=";
  Result<std::string> signature = key.sign(signed_bytes(fields, names, field, line.header));
  if (!signature) return signature.failure();
  append_folded(field, "", base64(*signature), false);
  return field + "\n";
}

}  // namespace postern
