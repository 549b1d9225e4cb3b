#include "scanq/tnef.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "lib/text.h"

namespace postern {

namespace {

constexpr std::string_view kSignature = "\x78\x9f\x3e\x22";
constexpr uint32_t kAttachmentTitle = 0x00018010, kAttachmentData = 0x0006800f,
                   kAttachmentRendering = 0x00069002, kAttachmentProperties = 0x00069005,
                   kMessageProperties = 0x00069003, kBody = 0x0002800c;
constexpr uint16_t kBodyText = 0x1000, kBodyRtf = 0x1009, kBodyHtml = 0x1013, kAttachBytes = 0x3701,
                   kFirstName = 0x3001, kFileName = 0x3704, kLongFileName = 0x3707;
constexpr uint16_t kObject = 0x000d, kString8 = 0x001e, kUnicode = 0x001f, kBinary = 0x0102,
                   kManyValues = 0x1000;
constexpr size_t kMostProperties = 100000;

// Little-endian; what lies behind the end is read as 0 and `bad` from then on.
struct Input {
  std::string_view rest;
  bool bad = false;

  std::string_view take(size_t bytes) {
    if (bytes > rest.size()) bad = true;
    const std::string_view taken = rest.substr(0, bytes);
    rest.remove_prefix(taken.size());
    return taken;
  }
  uint32_t number(size_t bytes) {
    uint32_t value = 0;
    const std::string_view taken = take(bytes);
    for (size_t i = 0; i < taken.size(); ++i)
      value |= static_cast<uint32_t>(static_cast<unsigned char>(taken[i])) << (8 * i);
    return value;
  }
};

std::string without_nul(std::string_view text) {
  return std::string(text.substr(0, text.find('\0')));
}

std::string from_utf16(std::string_view text) {
  std::string plain;
  for (size_t at = 0; at + 1 < text.size(); at += 2) {
    const unsigned unit = static_cast<unsigned char>(text[at]) |
                          static_cast<unsigned>(static_cast<unsigned char>(text[at + 1])) << 8;
    if (unit == 0) break;
    if (unit < 0x80) {
      plain += static_cast<char>(unit);
    } else if (unit < 0x800) {
      plain += static_cast<char>(0xc0 | unit >> 6);
      plain += static_cast<char>(0x80 | (unit & 63));
    } else {
      plain += static_cast<char>(0xe0 | unit >> 12);
      plain += static_cast<char>(0x80 | (unit >> 6 & 63));
      plain += static_cast<char>(0x80 | (unit & 63));
    }
  }
  return plain;
}

size_t fixed_size(uint16_t type) {
  switch (type) {
    case 0x0005:
    case 0x0006:
    case 0x0007:
    case 0x0014:
    case 0x0040:
      return 8;
    case 0x0048:
      return 16;
    default:
      return 4;
  }
}

class Reader {
 public:
  explicit Reader(const std::function<bool(const TnefFile&)>& take) : take_(take) {}

  bool run(std::string_view bytes) {
    Input in{bytes.substr(kSignature.size() + 2), false};
    while (!in.rest.empty() && !in.bad && going_) attribute(in);
    give();
    return going_ && !in.bad && !bad_;
  }

 private:
  void attribute(Input& in) {
    in.take(1);  // of the message or of an attachment
    const uint32_t id = in.number(4);
    const std::string_view data = in.take(in.number(4));
    in.number(2);  // check sum; readers pass over it
    switch (id) {
      case kAttachmentRendering:
        give();
        break;
      case kAttachmentTitle:
        file_.names.push_back(without_nul(data));
        break;
      case kAttachmentData:
        file_.content = std::string(data);
        break;
      case kAttachmentProperties:
      case kMessageProperties:
        properties({data, false}, id == kAttachmentProperties);
        break;
      case kBody:
        give_body(std::string(data));
        break;
      default:
        break;
    }
  }

  void properties(Input in, bool of_attachment) {
    const size_t count = std::min<size_t>(in.number(4), kMostProperties);
    for (size_t i = 0; i < count && !in.bad && going_; ++i) {
      const uint32_t tag = in.number(4);
      const auto type = static_cast<uint16_t>(tag);
      const auto id = static_cast<uint16_t>(tag >> 16);
      if (id >= 0x8000) skip_name(in);
      if (type == kObject || type == kString8 || type == kUnicode || type == kBinary ||
          (type & kManyValues) != 0) {
        values(in, id, type, of_attachment);
      } else {
        in.take(fixed_size(type));
      }
    }
    bad_ = bad_ || in.bad;
  }

  static void skip_name(Input& in) {
    in.take(16);
    if (in.number(4) == 0) {
      in.number(4);
    } else {
      const size_t length = in.number(4);
      in.take((length + 3) / 4 * 4);
    }
  }

  void values(Input& in, uint16_t id, uint16_t type, bool of_attachment) {
    const auto single = static_cast<uint16_t>(type & ~kManyValues);
    const bool sized = single == kObject || single == kString8 || single == kUnicode || single == kBinary;
    const size_t count = std::min<size_t>(in.number(4), kMostProperties);
    for (size_t i = 0; i < count && !in.bad && going_; ++i) {
      if (!sized) {
        in.take(fixed_size(single));
        continue;
      }
      const size_t length = in.number(4);
      const std::string_view value = in.take(length);
      in.take(std::min((4 - length % 4) % 4, in.rest.size()));
      property(id, single, value, of_attachment);
    }
  }

  void property(uint16_t id, uint16_t type, std::string_view value, bool of_attachment) {
    const bool is_name = id == kFileName || id == kLongFileName || id == kFirstName;
    if (of_attachment && is_name) {
      file_.names.push_back(type == kUnicode ? from_utf16(value) : without_nul(value));
    } else if (of_attachment && id == kAttachBytes) {
      // An object has its interface's name (16 bytes) before it: a message, or an OLE file.
      if (type == kObject) value.remove_prefix(std::min<size_t>(value.size(), 16));
      if (!file_.content.empty()) give_body(std::move(file_.content));
      file_.content = std::string(value);
    } else if (!of_attachment && id == kBodyRtf) {
      give_body(decompress_rtf(value));
    } else if (!of_attachment && (id == kBodyHtml || id == kBodyText)) {
      give_body(type == kUnicode ? from_utf16(value) : std::string(value));
    }
  }

  void give_body(std::string content) {
    if (going_ && !content.empty()) going_ = take_({{}, std::move(content)});
  }
  void give() {
    if (going_ && !file_.content.empty()) going_ = take_(file_);
    file_ = {};
  }

  const std::function<bool(const TnefFile&)>& take_;
  TnefFile file_;
  bool going_ = true;
  bool bad_ = false;
};

}  // namespace

bool is_tnef(std::string_view bytes) {
  return bytes.starts_with(kSignature) && bytes.size() > kSignature.size() + 2;
}

bool read_tnef(std::string_view bytes, const std::function<bool(const TnefFile&)>& take) {
  return is_tnef(bytes) && Reader(take).run(bytes);
}

std::string decompress_rtf(std::string_view bytes) {
  static constexpr std::string_view kBefore =
      "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
      "\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
      "\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
  constexpr uint32_t kCompressed = 0x75465a4c, kPlain = 0x414c454d;
  Input in{bytes, false};
  in.number(4);
  const size_t size = in.number(4);
  const uint32_t kind = in.number(4);
  in.number(4);
  if (in.bad) return {};
  if (kind == kPlain) return std::string(in.rest.substr(0, size));
  if (kind != kCompressed) return {};
  // The dictionary is a ring of 4096 bytes; each reference is 12 bits of place and 4 of length.
  std::array<char, 4096> ring{};
  std::copy(kBefore.begin(), kBefore.end(), ring.begin());
  size_t write = kBefore.size();
  std::string out;
  const auto put = [&](char c) {
    out += c;
    ring[write++ % ring.size()] = c;
  };
  while (!in.rest.empty()) {
    uint32_t flags = in.number(1);
    for (int i = 0; i < 8 && !in.rest.empty(); ++i, flags >>= 1) {
      if ((flags & 1) == 0) {
        put(in.take(1).front());
        continue;
      }
      const uint32_t high = in.number(1), low = in.number(1);
      const size_t offset = high << 4 | low >> 4;
      if (in.bad || offset == write % ring.size()) return out;
      for (size_t k = 0; k < (low & 15) + 2; ++k) put(ring[(offset + k) % ring.size()]);
    }
  }
  return out;
}

}  // namespace postern
