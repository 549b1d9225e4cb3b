#include "lib/tls_facts.h"

#include <algorithm>

#include "lib/record.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kWordLimitBytes = 255;
constexpr size_t kSubjectLimitBytes = 1024;
constexpr size_t kFingerprintDigits = 64;
constexpr uint64_t kMostBits = 100000;

bool is_fingerprint(std::string_view text) {
  return text.size() == kFingerprintDigits && text.find_first_not_of(kHex) == std::string_view::npos;
}

Failure broken(std::string_view record) {
  return temporary("read the answer of tlsd: \"" + printable(record, 40) + "\" is not understood");
}

// False: the value cannot be that.
bool set(TlsFacts& facts, char letter, std::string_view value) {
  const auto word = [&](std::string& into) {
    into = value;
    return is_tls_word(value);
  };
  const auto flag = [&](bool& into) {
    into = true;
    return value == "1";
  };
  switch (letter) {
    case 'v':
      return word(facts.protocol);
    case 'c':
      return word(facts.cipher);
    case 'n':
      return word(facts.server_name);
    case 'r':
      return flag(facts.resumed);
    case 'y':
      return flag(facts.peer_verified);
    case 'b': {
      const std::optional<uint64_t> bits = parse_number(value);
      facts.bits = static_cast<unsigned>(std::min(bits.value_or(0), kMostBits));
      return bits && *bits <= kMostBits;
    }
    case 's':
      facts.peer_subject = value;
      return !value.empty() && value.size() <= kSubjectLimitBytes;
    case 'f':
      facts.peer_fingerprint = value;
      return is_fingerprint(value);
    default:
      return false;
  }
}

}  // namespace

bool is_tls_word(std::string_view text) {
  return !text.empty() && text.size() <= kWordLimitBytes && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':';
  });
}

std::string serialise_tls_facts(const TlsFacts& facts) {
  std::string bytes;
  const auto word = [&](char letter, const std::string& value) {
    if (is_tls_word(value)) append_record(bytes, letter, value);
  };
  word('v', facts.protocol);
  word('c', facts.cipher);
  if (facts.bits != 0 && facts.bits <= kMostBits) append_record(bytes, 'b', std::to_string(facts.bits));
  if (facts.resumed) append_record(bytes, 'r', "1");
  word('n', facts.server_name);
  std::string subject = facts.peer_subject.substr(0, kSubjectLimitBytes);
  std::replace(subject.begin(), subject.end(), '\0', '?');
  append_record_if(bytes, 's', subject);
  if (is_fingerprint(facts.peer_fingerprint)) append_record(bytes, 'f', facts.peer_fingerprint);
  if (facts.peer_verified) append_record(bytes, 'y', "1");
  return bytes;
}

Result<TlsFacts> parse_tls_facts(std::string_view bytes) {
  TlsFacts facts;
  while (!bytes.empty()) {
    const std::optional<std::string_view> record = cut_record(bytes);
    if (!record) return broken(bytes);
    if (record->empty() || !set(facts, record->front(), record->substr(1))) return broken(*record);
  }
  return facts;
}

}  // namespace postern
