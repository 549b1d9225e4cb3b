#include "scanq/mime_header.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "scanq/mime_parameters.h"

using namespace postern;

namespace {

template <typename T>
bool holds(const std::vector<T>& list, const T& one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

}  // namespace

TEST_CASE("a header ends where any reader ends it") {
  struct Row {
    std::string entity;
    std::vector<size_t> bodies;
  };
  const Row rows[] = {
      {"A: b\n\nbody", {6}},
      {"A: b\r\n\r\nbody", {8}},
      {"\nbody", {1}},
      {"A: b\n", {5}},
      {"", {0}},
      {"no field\n\nbody", {10, 0}},
      {"A: b\nno field\nC: d\n\nbody", {20, 5, 14}},
      {"A: b\n \nC: d\n\nbody", {13, 7}},
      {"From x\nA: b\n\nbody", {13}},
      {"A: b\rC: d\r\rbody\n\nrest", {17, 11}},
      {"A : b\n\nbody", {7}},
      {"A: b\n folded\n\nbody", {14}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.entity);
    CHECK(read_mime_header(row.entity).bodies == row.bodies);
  }
}

TEST_CASE("what encodes a body is read from every field that a reader may see") {
  using enum MimeEncoding;
  struct Row {
    std::string field;
    std::vector<MimeEncoding> encodings;
  };
  const Row rows[] = {
      {"", {as_it_is}},
      {"Content-Transfer-Encoding: base64\n", {base64}},
      {"content-transfer-encoding:BASE64\n", {base64}},
      {"Content-Transfer-Encoding:\n base64\n", {base64}},
      {"Content-Transfer-Encoding: 8bit\n", {as_it_is}},
      {"Content-Transfer-Encoding: Quoted-Printable\n", {quoted_printable}},
      {"Content-Transfer-Encoding: base64;\n", {base64, as_it_is}},
      {"Content-Transfer-Encoding: base-64 (x)\n", {base64, as_it_is}},
      {"Content-Transfer-Encoding: x-uuencode\n", {uuencode, as_it_is}},
      {"Content-Transfer-Encoding : base64\n", {base64}},
      {"Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n", {as_it_is, base64}},
      {"Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: base64\n", {base64}},
      {"Content-Transfer-Encoding: base65\n", {unknown, as_it_is}},
      {"X: y\rContent-Transfer-Encoding: base64\n", {base64}},
      {std::string("Content-\0Transfer-Encoding: base64\n", 36), {base64}},
      {" Content-Transfer-Encoding: base64\n", {base64, as_it_is}},
      {"X-Content-Transfer-Encoding: base64\n", {as_it_is}},
      {"DKIM: h=a:content-transfer-encoding:b\n", {as_it_is}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.field);
    std::vector<MimeEncoding> found = read_mime_header(row.field + "\nbody").encodings;
    std::vector<MimeEncoding> wanted = row.encodings;
    std::sort(found.begin(), found.end());
    std::sort(wanted.begin(), wanted.end());
    CHECK(found == wanted);
  }
}

TEST_CASE("a boundary is what any reader takes for it") {
  struct Row {
    const char* fields;
    const char* boundary;
  };
  const Row rows[] = {
      {"Content-Type: multipart/mixed; boundary=b1\n", "b1"},
      {"Content-Type: multipart/mixed; boundary=\"b 1\"\n", "b 1"},
      {"Content-Type: multipart/mixed; boundary=\"b1\n", "b1"},
      {"Content-Type: multipart/mixed; boundary='b1'\n", "b1"},
      {"Content-Type: multipart/mixed; boundary=\"b\\1\"\n", "b1"},
      {"Content-Type: multipart/mixed; boundary=\"b\\1\"\n", "b\\1"},
      {"Content-Type: multipart/mixed; boundary*=us-ascii''b%31\n", "b1"},
      {"Content-Type: multipart/mixed; boundary*1=1; boundary*0=b\n", "b1"},
      {"Content-Type: multipart/mixed; boundary=a; boundary=b\n", "b"},
      {"Content-Type: multipart/mixed; boundary=a\nContent-Type: multipart/mixed; boundary=b\n", "b"},
      {"Content-Type: multipart/mixed; boundary=b (x)\n", "b"},
      {"Content-Type: multipart/mixed; boundary==?us-ascii?Q?b1?=\n", "b1"},
      {"Content-Type: multipart/mixed;\nboundary=b1\n", "b1"},
      {"Content-Type: multipart/mixed; x=\"; boundary=b1\n", "b1"},
      {"Content-Type: multipart/mixed boundary=b1\n", "b1"},
      {"Content-Type: multipart/mixed; boundary=\"b1 \"\n", "b1"},
      {"Content-Type: multipart/mixed; boundary=\"b1 \"\n", "b1 "},
      {"Content-Type: multipart/mixed; boundary=a(b)c\n", "ac"},
      {"Content-Type: multipart/mixed; boundary=a(b)c\n", "a(b)c"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.fields);
    CAPTURE(row.boundary);
    CHECK(holds(read_mime_header(std::string(row.fields) + "\n").boundaries, std::string(row.boundary)));
  }
  std::string many = "Content-Type: multipart/mixed";
  for (int i = 0; i < 100; ++i) many += "; boundary=b" + std::to_string(i);
  CHECK(read_mime_header(many + "\n\n").too_much);
  CHECK_FALSE(read_mime_header("Content-Type: multipart/mixed; boundary=b\n\n").too_much);
}

TEST_CASE("names are found in every spelling") {
  const char* fields[] = {
      "Content-Disposition: attachment; filename=a.exe\n",
      "Content-Disposition: attachment; filename=\"a.exe\"\n",
      "Content-Type: x/y; name=a.exe\n",
      "Content-Disposition: attachment; filename*=utf-8''a%2Eexe\n",
      "Content-Disposition: attachment; filename*=utf-16''%00a%00.%00e%00x%00e\n",
      "Content-Disposition: attachment; filename*0=a.; filename*1=exe\n",
      "Content-Disposition: attachment; filename*2=exe; filename*1=a.\n",
      "Content-Disposition: attachment; filename=\"=?utf-8?B?YS5leGU=?=\"\n",
      "Content-Disposition: attachment; filename=a(x).exe\n",
      "Content-Disposition: attachment; file(x)name=a.exe\n",
      "Content-Type: x/y; name*0=a.\nContent-Type: x/y; name*1=exe\n",
      "Content-Type: x/y; name=b.txt; name=a.exe\n",
  };
  for (const std::string field : fields) {
    CAPTURE(field);
    CHECK(holds(read_mime_header(field + "\n").names, std::string("a.exe")));
  }
}

TEST_CASE("encoded words are decoded wherever they stand") {
  CHECK(decode_words("=?us-ascii?Q?a=62_c?=", false) == "ab c");
  CHECK(decode_words("x =?utf-8?B?YQ==?= =?utf-8?b?Yg==?= y", false) == "x ab y");
  CHECK(decode_words("=?iso-8859-1?Q?=e4?=", false) == "\xc3\xa4");
  CHECK(decode_words("=?utf-16?B?AGE=?=", false) == "a");
  CHECK(decode_words("=?utf-16?B?YQA=?=", true) == "a");
  CHECK(decode_words("=?cut", false) == "=?cut");
  CHECK(decode_words("", false).empty());
}
