#include "scanq/antivirus_outline.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string encode(std::string_view bytes, size_t line, std::string_view end = "\n") {
  std::string text;
  size_t width = 0;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    unsigned group = 0;
    for (size_t i = 0; i < 3; ++i)
      group = group << 8U | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    for (size_t i = 0; i < 4; ++i)
      text += at + i > bytes.size() ? '=' : kAlphabet[group >> (18 - 6 * i) & 63U];
    width += 4;
    if (width == line || at + 3 >= bytes.size()) {
      text += end;
      width = 0;
    }
  }
  return text;
}

std::string content(size_t size) {
  std::string bytes;
  unsigned state = 1;
  while (bytes.size() < size) bytes += static_cast<char>((state = state * 1103515245U + 12345U) >> 16U);
  return bytes;
}

std::string message_with(const std::string& body) {
  return "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n" + body + "--b--\n";
}

}  // namespace

TEST_CASE("an attachment that was scanned is left out of the whole message, of any length") {
  for (const size_t size : {20000U, 20001U, 20002U, 20003U, 60000U}) {
    for (const std::string_view end : {"\n", "\r\n"}) {
      for (const size_t line : {60U, 72U, 76U}) {
        CAPTURE(size);
        CAPTURE(line);
        const std::string bytes = content(size);
        const std::string message = message_with(encode(bytes, line, end));
        Outline outline(message);
        CHECK(outline.rest() == message);
        outline.leave_out(bytes);
        CHECK(outline.rest() == message_with(""));
      }
    }
  }
}

TEST_CASE("nothing is left out that was not scanned as exactly these bytes") {
  const std::string bytes = content(20000);
  const std::string message = message_with(encode(bytes, 76));
  std::string other = bytes;
  other[19999] ^= 1;
  for (const std::string& scanned :
       {other, bytes.substr(0, 19999), bytes + "x", std::string(), encode(bytes, 76)}) {
    Outline outline(message);
    outline.leave_out(scanned);
    CHECK(outline.rest() == message);
  }
}

TEST_CASE("base64 that readers may take in two ways stays in the whole message") {
  const std::string bytes = content(20000);
  const std::string good = encode(bytes, 76);
  std::string blank = good;
  blank.insert(40, " ");
  std::string strange = good;
  strange[5000] = '*';
  std::string padded = good;
  padded.insert(77 * 100, "QUJDRA==\n");
  std::string uneven = good;
  uneven.erase(77 * 10 + 76, 1);
  std::string no_padding = encode(content(20000), 76);
  no_padding.erase(no_padding.find('='), 1);
  std::string loose_bits = encode(content(20000), 76);
  const size_t last = loose_bits.find('=') - 1;
  loose_bits[last] = kAlphabet[kAlphabet.find(loose_bits[last]) + 1];
  for (const std::string& body : {blank, strange, padded, uneven, no_padding, loose_bits, good + "more\n",
                                  "x\n" + good, good + "QUJD\n"}) {
    const std::string message = message_with(body);
    Outline outline(message);
    outline.leave_out(bytes);
    CHECK(outline.rest() == message);
  }
}

TEST_CASE("of several attachments those that were scanned are left out") {
  const std::string first = content(20000);
  const std::string second = content(30000);
  const std::string between = "--b\nContent-Type: a/b\n\n";
  const std::string message = message_with(encode(first, 76) + between + encode(second, 76) + between);
  Outline outline(message);
  outline.leave_out(second);
  CHECK(outline.rest() == message_with(encode(first, 76) + between + between));
  outline.leave_out(first);
  CHECK(outline.rest() == message_with(between + between));
}

TEST_CASE(
    "attachments that are alike but for their ends are compared a few times, not each with each other") {
  // The last of many is found at once, but not after as much was compared in vain as the message is long,
  // four times.
  constexpr unsigned kAttachments = 20;
  const std::string bytes = content(20000);
  const auto ending = [&](unsigned i) { return bytes + static_cast<char>(i); };
  std::string body;
  for (unsigned i = 0; i < kAttachments; ++i) body += encode(ending(i), 76) + "--b\n\n";
  const std::string message = message_with(body);
  for (const unsigned others : {0U, 3U, 8U}) {
    CAPTURE(others);
    Outline outline(message);
    for (unsigned i = 0; i < others; ++i) outline.leave_out(ending(kAttachments + i));
    CHECK(outline.rest() == message);
    outline.leave_out(ending(kAttachments - 1));
    CHECK((outline.rest().size() < message.size()) == (others < 4));
  }
}

TEST_CASE("a short or empty message is its own outline") {
  for (const std::string message : {"", "\n", "\n\n\n", "x", "\n\nQUJD\n"}) {
    Outline outline(message);
    outline.leave_out("ABC");
    CHECK(outline.rest() == message);
  }
}
