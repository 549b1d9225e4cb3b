#include "scanq/smime.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace postern {

namespace {

// Object identifiers with tag and length.
constexpr std::string_view kPkcs7 = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07";  // and its last byte
constexpr std::string_view kSmimeContent = "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01";
constexpr size_t kTypeStandsWithin = 32;
constexpr size_t kMostDepth = 8;

struct Element {
  uint8_t tag = 0;
  std::string_view content;  // to its end, or to the end of all where its length is not told
  bool indefinite = false;
};

// Cuts one element's head off; the content is not cut.
std::optional<Element> read_head(std::string_view& bytes) {
  if (bytes.size() < 2) return {};
  Element element;
  element.tag = static_cast<uint8_t>(bytes[0]);
  const auto first = static_cast<uint8_t>(bytes[1]);
  bytes.remove_prefix(2);
  size_t length = first;
  if (first == 0x80) {
    element.indefinite = true;
    length = bytes.size();
  } else if (first > 0x80) {
    const size_t digits = first & 0x7fU;
    if (digits > 4 || digits > bytes.size()) return {};
    length = 0;
    for (size_t i = 0; i < digits; ++i) length = length << 8 | static_cast<uint8_t>(bytes[i]);
    bytes.remove_prefix(digits);
  }
  element.content = bytes.substr(0, length);
  return element;
}

// An octet string in one piece, or in many inside each other.
void join_octets(std::string_view& bytes, size_t depth, std::string& out) {
  const std::optional<Element> head = read_head(bytes);
  if (!head) return bytes.remove_prefix(bytes.size());
  if ((head->tag & 0x20) == 0) {
    if (head->tag == 0x04) out.append(head->content);
    return bytes.remove_prefix(head->content.size());
  }
  std::string_view inner = head->content;
  const size_t whole = inner.size();
  while (!inner.empty() && depth < kMostDepth &&
         !(head->indefinite && inner.starts_with(std::string_view("\0\0", 2))))
    join_octets(inner, depth + 1, out);
  const size_t used = head->indefinite ? std::min(whole, whole - inner.size() + 2) : whole;
  bytes.remove_prefix(std::min(used, bytes.size()));
}

}  // namespace

CmsKind cms_kind(std::string_view der) {
  if (!der.starts_with('\x30')) return CmsKind::none;
  const std::string_view start = der.substr(0, kTypeStandsWithin);
  if (const size_t at = start.find(kSmimeContent); at != std::string_view::npos && at + 12 < start.size())
    return start[at + 12] == 9    ? CmsKind::compressed
           : start[at + 12] == 23 ? CmsKind::encrypted
                                  : CmsKind::none;
  const size_t at = start.find(kPkcs7);
  if (at == std::string_view::npos || at + 10 >= start.size()) return CmsKind::none;
  switch (start[at + 10]) {
    case 2:
      return CmsKind::signed_data;
    case 3:
    case 4:
    case 6:
      return CmsKind::encrypted;
    default:
      return CmsKind::none;
  }
}

std::string cms_signed_content(std::string_view der) {
  std::string content;
  // The inner content type is the next one of the same kind behind the outer.
  const size_t outer = der.find(kPkcs7);
  const size_t inner = outer == std::string_view::npos ? outer : der.find(kPkcs7, outer + kPkcs7.size());
  if (inner == std::string_view::npos || inner + 11 > der.size() || der[inner + 10] != 1) return content;
  std::string_view rest = der.substr(inner + 11);
  const std::optional<Element> explicit_tag = read_head(rest);
  if (explicit_tag && explicit_tag->tag == 0xa0) join_octets(rest, 0, content);
  return content;
}

}  // namespace postern
