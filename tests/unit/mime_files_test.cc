#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "scanq/binhex.h"
#include "scanq/smime.h"
#include "scanq/tnef.h"
#include "scanq/uuencode.h"
#include "scanq/yenc.h"

using namespace postern;

namespace {

std::string little(uint32_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

std::string attribute(uint32_t id, const std::string& data) {
  return "\x02" + little(id, 4) + little(static_cast<uint32_t>(data.size()), 4) + data + little(0, 2);
}

const std::string kTnef = little(0x223e9f78, 4) + little(1, 2);

}  // namespace

TEST_CASE("uuencode is decoded to where each reader ends it") {
  struct Row {
    const char* text;
    const char* name;
    std::vector<std::string> contents;
  };
  const Row rows[] = {
      {"begin 644 f.txt\n%:&5L;&\\`\n`\nend\n", "f.txt", {"hello"}},
      {"begin 644 a b\n%:&5L;&\\`\nend\n", "a b", {"hello"}},
      {"begin 644 f\n%:&5L;&\\`", "f", {"hello"}},
      {"begin 644 f\n%:&5L;&\\`\na stray line\n%:&5L;&\\`\nend\n", "f", {"hellohello", "hello"}},
      {"begin 644 f\n%:&5L;&\\`\n`\n%:&5L;&\\`\nend\n", "f", {"hellohello", "hello"}},
      {"begin 644 f\r\n%:&5L;&\\`\r\nend\r\n", "f", {"hello"}},
      {"begin 644 f\n%:&5L\n", "f", {std::string("hel\0\0", 5)}},
      {"begin 644\nnothing of the kind\n", "", {}},
      {"begin 644 f\n", "f", {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const UuFile file = decode_uuencode(row.text);
    CHECK(file.name == row.name);
    CHECK(file.contents == row.contents);
  }
  // A delimiter behind it may be one of its lines, or the end.
  const UuFile cut = decode_uuencode("begin 644 f\n%:&5L;&\\`\n----\n");
  REQUIRE(cut.contents.size() == 2);
  CHECK(cut.contents[0].size() == 18);
  CHECK(cut.contents[1] == "hello");
  const Base64File file = find_base64_file("begin-base64 644 f\naGVs\n====\nrest");
  CHECK(file.name == "f");
  CHECK(file.lines == "aGVs\n");
}

TEST_CASE("yEnc is decoded, whole or in parts") {
  YencFile file =
      decode_yenc("=ybegin line=128 size=5 name=a b.txt\n\x92\x8f\x96\x96\x99\n=yend size=5\nrest");
  CHECK(file.name == "a b.txt");
  CHECK(file.content == "hello");
  CHECK_FALSE(file.is_part);
  file = decode_yenc(
      "=ybegin part=2 line=128 size=10 name=f\n=ypart begin=6 end=10\n\x92\x8f\x96\x96\x99\n=yend\n");
  CHECK(file.is_part);
  CHECK(file.first == 6);
  CHECK(file.file_size == 10);
  CHECK(decode_yenc("=ybegin line=1 name=f\n=n=").content == std::string("\x04\x13"));
  CHECK(decode_yenc("=ybegin ").content.empty());
}

TEST_CASE("TNEF gives attachments, bodies and what is inside of properties") {
  std::vector<TnefFile> files;
  const auto take = [&](const TnefFile& file) {
    files.push_back(file);
    return true;
  };
  const std::string rendering = attribute(0x00069002, std::string(14, '\0'));
  const std::string two = kTnef + rendering + attribute(0x00018010, std::string("a.txt\0", 6)) +
                          attribute(0x0006800f, "first") + rendering + attribute(0x0006800f, "second");
  CHECK(is_tnef(two));
  CHECK(read_tnef(two, take));
  REQUIRE(files.size() == 2);
  CHECK(files[0].names == std::vector<std::string>{"a.txt"});
  CHECK(files[0].content == "first");
  CHECK(files[1].content == "second");

  files.clear();
  // A long name in UTF-16, then bytes.
  const std::string properties = little(2, 4) + little(0x3707001f, 4) + little(1, 4) + little(4, 4) +
                                 std::string("b\0\0\0", 4) + little(0x37010102, 4) + little(1, 4) +
                                 little(3, 4) + std::string("abc\0", 4);
  CHECK(read_tnef(kTnef + rendering + attribute(0x00069005, properties), take));
  REQUIRE(files.size() == 1);
  CHECK(files[0].names == std::vector<std::string>{"b"});
  CHECK(files[0].content == "abc");

  files.clear();
  CHECK_FALSE(read_tnef(two.substr(0, two.size() - 5), take));
  CHECK(files.size() == 2);
  CHECK_FALSE(is_tnef("x"));
  CHECK_FALSE(is_tnef(kTnef));
  CHECK_FALSE(read_tnef(two, [](const TnefFile&) { return false; }));
}

TEST_CASE("compressed RTF is unpacked") {
  // "{\rtf1 hello}" as letters, without references to what was before.
  std::string packed;
  const std::string text = "{\\rtf1 hello}";
  for (size_t at = 0; at < text.size(); at += 8) packed += std::string(1, '\0') + text.substr(at, 8);
  CHECK(decompress_rtf(little(1, 4) + little(13, 4) + little(0x75465a4c, 4) + little(0, 4) + packed) == text);
  // A reference to the first five bytes of what every reader has before it: 12 bits of place, 4 of length
  // less 2.
  CHECK(decompress_rtf(little(1, 4) + little(5, 4) + little(0x75465a4c, 4) + little(0, 4) +
                       std::string("\x01\x00\x03", 3)) == "{\\rtf");
  CHECK(decompress_rtf(little(1, 4) + little(2, 4) + little(0x414c454d, 4) + little(0, 4) + "ab") == "ab");
  CHECK(decompress_rtf("short").empty());
  CHECK(decompress_rtf("").empty());
}

TEST_CASE("BinHex gives both forks") {
  // Python's binhex of a file "t" with the data "hello" and the resource "hi", by hand of RFC 1741.
  CHECK(decode_binhex("(This file must be converted with BinHex 4.0)\n:").data.empty());
  CHECK(decode_binhex("(This file must be converted with BinHex 4.0)").data.empty());
  CHECK(decode_binhex("(This file must be converted with BinHex 4.0)\n\n:!!!!!!:").name.empty());
}

TEST_CASE("of S/MIME the kind is told, and signed content is joined") {
  const std::string kPkcs7 = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07";
  const auto object = [&](char kind) {
    return "\x30\x80" + kPkcs7 + std::string(1, kind) + "\xa0\x80\x30\x80";
  };
  CHECK(cms_kind(object(2)) == CmsKind::signed_data);
  CHECK(cms_kind(object(3)) == CmsKind::encrypted);
  CHECK(cms_kind("\x30\x80\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09\xa0") == CmsKind::compressed);
  CHECK(cms_kind("PK") == CmsKind::none);
  CHECK(cms_kind("") == CmsKind::none);
  const std::string inner = kPkcs7 + "\x01";
  const std::string end("\0\0", 2);
  CHECK(cms_signed_content(object(2) + inner + "\xa0\x07\x04\x05hello") == "hello");
  CHECK(cms_signed_content(object(2) + inner + "\xa0\x80\x24\x80\x04\x03hel\x04\x02lo" + end + end) ==
        "hello");
  CHECK(cms_signed_content(object(2) + inner +
                           "\xa0\x80\x24\x80\x04\x7f"
                           "cut") == "cut");
  CHECK(cms_signed_content(object(2)).empty());
  CHECK(cms_signed_content("").empty());
}
