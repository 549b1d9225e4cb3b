#include "scanq/zip_methods.h"

#include <algorithm>
#include <array>

namespace postern {

namespace {

using namespace std::string_view_literals;

constexpr std::array<unsigned, 5> kReadable = {0, 6, 8, 9,
                                               12};  // stored, imploded, deflated, deflate64, bzip2
constexpr unsigned kEncrypted = 99;                  // AES: libclamav says itself that it is encrypted
constexpr unsigned kLastVersion = 63;

struct Header {
  std::string_view magic;
  size_t version;  // offset of what is needed to unpack it, two bytes; the method stands four behind
};
constexpr std::array kHeaders = {Header{"PK\3\4"sv, 4}, Header{"PK\1\2"sv, 6}};

unsigned word(std::string_view bytes, size_t at) {
  return static_cast<unsigned char>(bytes[at]) |
         static_cast<unsigned>(static_cast<unsigned char>(bytes[at + 1])) << 8;
}

}  // namespace

bool has_unreadable_member(std::string_view archive) {
  for (const Header& header : kHeaders) {
    for (size_t at = archive.find(header.magic); at != std::string_view::npos;
         at = archive.find(header.magic, at + 1)) {
      if (archive.size() - at < header.version + 6) break;
      const unsigned version = word(archive, at + header.version);
      const unsigned method = word(archive, at + header.version + 4);
      // Packed bytes may look like a header; one that is has a sound version and a known number.
      if ((version & 0xff) > kLastVersion || method > kEncrypted) continue;
      if (method != kEncrypted && std::find(kReadable.begin(), kReadable.end(), method) == kReadable.end())
        return true;
    }
  }
  return false;
}

}  // namespace postern
