// MIME as senders break it: nothing of it may end the stage or take it longer than it has.
#include "scanq/stagetest_case.h"

namespace postern::stagetest {

namespace {

using namespace std::string_literals;

constexpr std::string_view kHeader =
    "From: <sender@elsewhere.example>\nTo: <recipient@here.example>\nSubject: MIME\nMIME-Version: 1.0\n";

std::string mixed(std::string_view boundary, const std::string& body) {
  return std::string(kHeader) + "Content-Type: multipart/mixed; boundary=\"" + std::string(boundary) +
         "\"\n\n" + body;
}
std::string attached(std::string_view encoding, const std::string& body) {
  return mixed("b",
               "--b\nContent-Type: application/octet-stream; name=\"x.bin\"\nContent-Transfer-Encoding: " +
                   std::string(encoding) + "\n\n" + body + "\n--b--\n");
}

std::string deep_multiparts() {
  std::string body;
  for (int i = 0; i < 1000; ++i) {
    const std::string boundary = "b" + std::to_string(i);
    if (i > 0) body += "--b" + std::to_string(i - 1) + "\n";
    body += "Content-Type: multipart/mixed; boundary=" + boundary + "\n\n";
  }
  return std::string(kHeader) + body + "--b999\n\ndeep down\n--b999--\n";
}

std::string deep_messages() {
  return repeated("Content-Type: message/rfc822\n\n", 1000) + "Subject: deep down\n\nbody\n";
}

std::string many_parts() {
  return mixed("b", repeated("--b\nContent-Type: text/plain\n\npart\n", 10000) + "--b--\n");
}

Case mime_case(std::string_view name, std::string_view demand, std::string (*make)()) {
  return {name, demand, [make](Examination& examination) {
            const std::string message = make();
            return examination.try_out(examination.request(message));
          }};
}

}  // namespace

std::vector<Case> mime_cases() {
  return {
      mime_case("deep-multiparts", "1000 multiparts inside each other are answered", deep_multiparts),
      mime_case("deep-messages", "1000 messages inside each other are answered", deep_messages),
      mime_case("many-parts", "10,000 parts are answered", many_parts),
      mime_case("no-boundary", "a multipart without a boundary parameter is answered",
                [] { return std::string(kHeader) + "Content-Type: multipart/mixed\n\n--b\n\none\n--b--\n"; }),
      mime_case("empty-boundary", "an empty boundary is answered",
                [] { return mixed("", "--\n\none\n----\n"); }),
      mime_case("long-boundary", "a boundary of 10,000 bytes is answered",
                [] { return mixed(repeated("b", 10000), "--" + repeated("b", 10000) + "\n\none\n"); }),
      mime_case("boundary-never-used", "a boundary that does not occur is answered",
                [] { return mixed("never", "one\n--other\n\ntwo\n"); }),
      mime_case("boundary-never-closed", "a multipart without its last delimiter is answered",
                [] { return mixed("b", "--b\n\none\n--b\nContent-Type: text/html\n"); }),
      mime_case("boundary-of-the-outer", "a part with the boundary of what it stands in is answered",
                [] {
                  return mixed(
                      "b", "--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n--b--\n");
                }),
      mime_case("two-content-types", "two Content-Type fields that contradict each other are answered",
                [] {
                  return mixed("b",
                               "--b\nContent-Type: text/plain\nContent-Type: application/zip; "
                               "name=x\nContent-Transfer-Encoding: base64\nContent-Transfer-Encoding: "
                               "7bit\n\nUEsDBA==\n--b--\n");
                }),
      mime_case("broken-content-type", "a Content-Type that cannot be parsed is answered",
                [] { return std::string(kHeader) + "Content-Type: ;/;charset==\"\\\";;boundary\n\nbody\n"; }),
      mime_case("broken-base64", "base64 with padding inside, odd letters and no end is answered",
                [] { return attached("base64", "QUJD=QUJD\n====\n*%$\nQ\n=\nQUJDRA"); }),
      mime_case("broken-quoted-printable", "quoted-printable with broken escapes is answered",
                [] { return attached("quoted-printable", "=\n=4\n=ZZ =4g =3D= \n=0D=0A=00==\n="); }),
      mime_case("unknown-encoding", "an unknown transfer encoding is answered",
                [] { return attached("x-nobody-knows", "one\ntwo"); }),
      mime_case(
          "unknown-charset", "an unknown character set is answered",
          [] { return std::string(kHeader) + "Content-Type: text/plain; charset=\"x-none\"\n\n\x80\x81\n"; }),
      mime_case("uuencoded", "a uuencoded file in the text, cut short, is answered",
                [] { return std::string(kHeader) + "\nbegin 644 x.bin\nM0\n#0V%T\n"; }),
      mime_case("yencoded", "a yEnc file in the text is answered",
                [] {
                  return std::string(kHeader) +
                         "\n=ybegin line=128 size=4 name=x.bin\n*+,-=}\n=yend size=9\n";
                }),
      mime_case("tnef", "a winmail.dat that is cut short is answered",
                [] { return attached("base64", "eJ8+IgEAAZAIAAQAAAAAAAEAAQ=="); }),
      mime_case("partial-message", "a message/partial and a message/external-body are answered",
                [] {
                  return mixed(
                      "b",
                      "--b\nContent-Type: message/partial; id=\"x\"; number=0; total=-1\n\nSubject: "
                      "part\n\none\n--b\nContent-Type: message/external-body; access-type=local-file; "
                      "name=\"/etc/passwd\"\n\nContent-Type: text/plain\n\n--b--\n");
                }),
      mime_case(
          "odd-file-names", "file names with slashes, dots, NUL and broken RFC 2231 parts are answered",
          [] {
            return mixed(
                "b",
                "--b\nContent-Disposition: attachment; filename=\"../../../tmp/x\\\"$(id)`id`;|\"\n\none\n"
                "--b\nContent-Disposition: attachment; filename*0*=utf-8''%00%2e%; "
                "filename*2=x; filename*0=y\n\ntwo\n--b\nContent-Type: text/plain; name=\"a\0b\"\n\nthree\n--b--\n"s);
          }),
      mime_case("broken-archives", "an archive whose bytes are not what its name says is answered",
                [] { return attached("base64", "UEsDBBQAAAAIAAAAIQD/////AAAAAP///38BAAAAeA=="); }),
      mime_case("html-only", "a mail of HTML alone, with broken tags, is answered",
                [] {
                  return std::string(kHeader) +
                         "Content-Type: text/html\n\n<html><<a href=\"http://\x01/\">" +
                         repeated("<div>", 20000) + "<!-- <script\n";
                }),
  };
}

}  // namespace postern::stagetest
