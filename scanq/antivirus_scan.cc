#include "scanq/antivirus_scan.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "lib/fd.h"
#include "scanq/antivirus_outline.h"

// libclamav unpacks mail too, and finds most by itself; what it does not are files that it takes for
// something else when they stand in a mail. The pieces of every reading are scanned as the files that a mail
// reader would write. libclamav's cache of clean files, which would spare what it sees twice, trusts MD5 and
// is off; the outline spares what is dear. A plain message has one reading, and its parser, which copies line
// by line into files, would find the same body: there it is off.

namespace postern {

namespace {

constexpr size_t kMessageLimitBytes = size_t{1024} * 1024 * 1024;

struct Unmap {
  size_t length = 0;
  void operator()(void* start) const { ::munmap(start, length); }
};
using Map = std::unique_ptr<void, Unmap>;

class Worst {
 public:
  explicit Worst(const std::string& exempt) : exempt_(exempt) {}

  // True: it is worth going on.
  bool note(const ScanResult& next) {
    if (next.kind == AntivirusKind::infected && !exempt_.empty() && next.what == exempt_) {
      passed_over_ = true;
      return true;
    }
    worst_ = worse(worst_, next);
    return worst_.kind != AntivirusKind::infected && !next.spent;
  }
  [[nodiscard]] AntivirusVerdict verdict() const { return {worst_.kind, worst_.what, {}, passed_over_}; }

 private:
  const std::string& exempt_;
  bool passed_over_ = false;
  ScanResult worst_;
};

// `Name:` or mbox's `From `, as a message begins.
bool begins_like_mail(std::string_view bytes) {
  if (bytes.starts_with("From ")) return true;
  const std::string_view line = bytes.substr(0, std::min<size_t>(bytes.find('\n'), 998));
  const size_t colon = line.find(':');
  return colon != 0 && colon != std::string_view::npos &&
         std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon),
                     [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

AntivirusVerdict scan_message(std::string_view message, const MimeLimits& limits, const Scanner& scan,
                              const std::string& exempt) {
  Worst worst(exempt);
  if (is_plain_message(message)) {
    if (worst.note(scan(message, MailParser::off))) worst.note(scan(body_of(message), MailParser::on));
    return worst.verdict();
  }
  Outline outline(message);
  bool has_part = false;
  bool goes_on = true;
  const MimeReport walked = walk_pieces(message, limits, [&](const MimePiece& piece) {
    if (piece.is_message) return true;  // its own pieces are visited
    has_part = true;
    outline.leave_out(piece.bytes);
    return goes_on = worst.note(scan(piece.bytes, MailParser::on));
  });
  if (!goes_on) return worst.verdict();
  if (!walked.limit.empty()) worst.note({AntivirusKind::limit, walked.limit});
  if (!walked.ambiguous.empty()) worst.note({AntivirusKind::unscannable, walked.ambiguous});
  if (walked.encrypted) worst.note({AntivirusKind::encrypted, "S/MIME or PGP"});
  // A header that promises parts which are not there: some readers show what stands there as it is.
  if (!has_part && !worst.note(scan(body_of(message), MailParser::on))) return worst.verdict();
  worst.note(scan(outline.rest(), MailParser::on));
  return worst.verdict();
}

AntivirusVerdict scan_file(std::string_view bytes, const MimeLimits& limits, const Scanner& scan) {
  if (begins_like_mail(bytes)) return scan_message(bytes, limits, scan);
  const ScanResult result = scan(bytes, MailParser::on);
  return {result.kind, result.what, {}};
}

AntivirusVerdict look_at_file(int fd, const std::function<AntivirusVerdict(std::string_view bytes)>& look) {
  if (fd < 0) return {AntivirusKind::error, "there is no message on descriptor 0", {}};
  Result<Fd> message = own_copy(fd, kMessageLimitBytes, "read the message");
  if (!message) {
    const Failure& failure = message.failure();
    return {failure.permanent() ? AntivirusKind::limit : AntivirusKind::error, failure.text, {}};
  }
  Result<size_t> size = file_size(message->get(), "read the message");
  if (!size) return {AntivirusKind::error, size.failure().text, {}};
  if (*size == 0) return {};
  void* start = ::mmap(nullptr, *size, PROT_READ, MAP_PRIVATE, message->get(), 0);
  if (start == MAP_FAILED) return {AntivirusKind::error, os_failure("map the message", errno).text, {}};
  const Map map{start, Unmap{*size}};
  return look({static_cast<const char*>(start), *size});
}

}  // namespace postern
