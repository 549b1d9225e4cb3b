// Messages of odd form: the stage may say about them what it likes, but it must say it properly.
#include "scanq/stagetest_case.h"

namespace postern::stagetest {

namespace {

using namespace std::string_literals;

constexpr std::string_view kHeader =
    "From: <sender@elsewhere.example>\nTo: <recipient@here.example>\nSubject: odd\n";

std::string with_header(const std::string& rest) {
  return std::string(kHeader) + rest;
}

Case message_case(std::string_view name, std::string_view demand, std::string (*make)()) {
  return {name, demand, [make](Examination& examination) {
            const std::string message = make();
            return examination.try_out(examination.request(message));
          }};
}

Outcome quotes_no_verb(Examination& examination) {
  const std::string thief = "recipient-add\tthief@elsewhere.example\n";
  const std::string message = "Subject: x\n\tdrop\tit\n" + thief + "reject\t554\tno\n\n" + thief + "stop\n";
  const StageRequest request = examination.request(message);
  const Seen seen = examination.ask(request);
  if (("\n" + seen.verdict).find("\n" + thief) != std::string::npos)
    return {Outcome::failed, "a recipient that the message names is added"};
  return examination.judge(seen, request);
}

}  // namespace

std::vector<Case> message_cases() {
  return {
      message_case("empty-message", "a message of no bytes is answered", [] { return ""s; }),
      message_case("one-byte", "a message of one byte without LF is answered", [] { return "x"s; }),
      message_case("one-lf", "a message of nothing but an empty line is answered", [] { return "\n"s; }),
      message_case("header-only", "a header without the empty line behind it is answered",
                   [] { return with_header(""); }),
      message_case("empty-body", "a header and its empty line, and no body, are answered",
                   [] { return with_header("\n"); }),
      message_case("no-header", "a body without a header is answered",
                   [] { return "\nNothing stands above.\n"s; }),
      message_case("no-empty-line", "text where a header should be is answered",
                   [] { return "This is no header field\nand this neither.\n"s; }),
      message_case("last-line-cut", "a message that does not end with LF is answered",
                   [] { return with_header("\nwithout an end"); }),
      message_case(
          "fifty-megabytes", "50 MB of text are answered in time",
          [] { return with_header("\n") + repeated("fifty megabytes of text, in short lines\n", 1310720); }),
      message_case("nul-in-body", "a body with NUL bytes is answered",
                   [] { return with_header("\none\0two\n\0\0\nthree\n"s); }),
      message_case("nul-in-header", "a header field with a NUL is answered, and none is in the verdict",
                   [] { return "From: <a@elsewhere.example>\nSubject: one\0two\n\nbody\n"s; }),
      message_case("all-bytes", "a message of all byte values is answered",
                   [] {
                     std::string bytes;
                     for (int value = 0; value < 256; ++value) bytes += static_cast<char>(value);
                     return bytes + with_header("\n") + repeated(bytes, 16);
                   }),
      message_case("bare-cr", "CR alone, in header and body, is answered",
                   [] { return "Subject: one\rX-Two: two\n\none\rtwo\r\rthree\n"s; }),
      message_case("crlf-lines", "lines that end in CR LF are answered",
                   [] { return "From: <a@elsewhere.example>\r\nSubject: dos\r\n\r\none\r\n.\r\ntwo\r\n"s; }),
      message_case("mixed-line-ends", "LF among CR LF, and LF LF within a header, are answered",
                   [] { return "Subject: one\r\nX-A: b\nX-C: d\r\n\nX-E: f\r\n\r\nbody\n"s; }),
      message_case(
          "eight-bit-header", "header fields in 8-bit bytes that are no UTF-8 are answered",
          [] { return "From: J\xf6rg <a@elsewhere.example>\nSubject: \xff\xfe\x80\xc0\xaf\n\nbody\n"s; }),
      message_case("utf8-header", "header fields in UTF-8 (RFC 6532) are answered",
                   [] {
                     return "From: J\xc3\xb6rg <j\xc3\xb6rg@elsewhere.example>\nSubject: "
                            "\xe2\x82\xac \xf0\x9f\x93\xac\n\nbody\n"s;
                   }),
      message_case("tab-and-backslash",
                   "TAB and backslash in header fields are answered, and escaped where quoted",
                   [] {
                     return "From: \"a\\\\b\\\"c\" <a@elsewhere.example>\nSubject: "
                            "one\ttwo\\three\\n\\q\\\n\nbody\n"s;
                   }),
      {"looks-like-a-verdict", "what a message says in the form of a verdict does not get into one",
       quotes_no_verb, InForm::either, "escape LF and TAB in all that is quoted of a message"},
      message_case("long-line", "a body line of 1 MB is answered",
                   [] { return with_header("\n") + repeated("0123456789abcdef", 65536) + "\n"; }),
      message_case("long-field", "a header field of 1 MB is answered, and the verdict stays bounded",
                   [] { return "Subject: " + repeated("0123456789abcdef", 65536) + "\n\nbody\n"; }),
      message_case("long-folded-field", "a header field of 20,000 folded lines is answered",
                   [] { return "Subject: folded" + repeated("\n and again", 20000) + "\n\nbody\n"; }),
      message_case("many-fields", "20,000 header fields are answered",
                   [] { return repeated("X-Field: value\n", 20000) + "\nbody\n"; }),
      message_case("many-received", "1000 Received fields, a loop, are answered",
                   [] {
                     return repeated("Received: from a by b; Mon, 02 Jan 2023 15:04:05 +0000\n", 1000) +
                            with_header("\nbody\n");
                   }),
      message_case("fields-twice", "From, To, Subject and Date that stand twice are answered",
                   [] {
                     return with_header(
                         "Date: today\nFrom: <b@elsewhere.example>\nTo: nobody\nSubject: "
                         "again\nDate: yesterday\n\nbody\n");
                   }),
      message_case(
          "broken-fields", "fields without name, colon or value, and folding at the start, are answered",
          [] {
            return " folded at the start\n: no name\nno colon\nSubject:\nX Y: blank\nFrom:<\n\nbody\n"s;
          }),
      message_case("broken-addresses", "address fields that cannot be parsed are answered",
                   [] {
                     return "From: <<<a@@b>,,;\"(((\nTo: undisclosed:;, (\nCc: " + repeated("<", 5000) +
                            "\nReply-To: " + repeated("(", 5000) + "\n\nbody\n";
                   }),
      message_case("encoded-words", "encoded words, broken ones too (RFC 2047), are answered",
                   [] {
                     return "Subject: =?utf-8?B?4oKs?= =?utf-8?Q?=E2=82?= =?x?y?z?= =?utf-8?B?*?= "
                            "=?utf-8?B?AAoNAA==?= =?iso-8859-1?Q?=0Aevil:_1?=\n\nbody\n"s;
                   }),
      message_case("test-virus", "the EICAR test file is answered", [] { return eicar_mail(); }),
      message_case("test-spam", "the GTUBE test mail is answered", [] { return gtube_mail(); }),
  };
}

}  // namespace postern::stagetest
