#include "service/selftest_message.h"

#include "lib/text.h"

namespace postern {

namespace {

// EICAR's 68 bytes in base64, and GTUBE, each in two halves.
constexpr std::string_view kEicarHead = "WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJE";
constexpr std::string_view kEicarTail = "LUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=";
constexpr std::string_view kGtubeHead = "XJS*C4JDBQADN1.NSBN3*2IDNEN*";
constexpr std::string_view kGtubeTail = "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";

std::string field(std::string_view name, std::string_view value) {
  return std::string(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string test_message(TestKind kind, std::string_view marker, std::string_view recipient) {
  std::string text = field("Date", rfc5322_date(now_microseconds() / 1000000));
  text += field("From", std::string("Postern self-test <").append(recipient).append(">"));
  text += field("To", std::string("<").append(recipient).append(">"));
  text += field("Subject", marker);
  text += field("MIME-Version", "1.0");
  text += field("Auto-Submitted", "auto-generated");
  if (kind == TestKind::gtube) {
    text += field("Content-Type", "text/plain; charset=us-ascii");
    return text.append("\r\nA test of the gateway; it must be found to be spam.\r\n\r\n")
        .append(kGtubeHead)
        .append(kGtubeTail)
        .append("\r\n");
  }
  text += field("Content-Type", "multipart/mixed; boundary=\"selftest\"");
  text += "\r\n--selftest\r\n" + field("Content-Type", "text/plain; charset=us-ascii") +
          "\r\nA test of the gateway; the attachment must be found to be a virus.\r\n\r\n--selftest\r\n" +
          field("Content-Type", "application/octet-stream; name=\"eicar.com\"") +
          field("Content-Disposition", "attachment; filename=\"eicar.com\"") +
          field("Content-Transfer-Encoding", "base64") + "\r\n";
  return text.append(kEicarHead).append(kEicarTail).append("\r\n--selftest--\r\n");
}

}  // namespace postern
