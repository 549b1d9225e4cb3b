// parts: scanq/scan.cc scanq/stages.cc scanq/edits.cc scanq/verdict.cc lib
//
// What a hostile stage prints. A verdict that is taken is written again and means the same; applying it to a
// message is done whole or not at all, and adds nothing to a header but folded fields.
#include "scanq/verdict.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/text.h"
#include "scanq/scan.h"
#include "tests/fuzz/must.h"

using namespace postern;

namespace {

constexpr std::string_view kMessage = "Subject: x\n\nbody\n";

Fd file_with(std::string_view bytes) {
  Result<Fd> file = memory_file_with("message", bytes);
  must(file.ok());
  return std::move(*file);
}

std::string content_of(int fd) {
  Result<std::string> bytes = read_whole(fd, 1 << 26, "read");
  must(bytes.ok());
  return *bytes;
}

void check_refusal(const SmtpReply& reply) {
  must(reply.code.size() == 3 && (reply.code[0] == '4' || reply.code[0] == '5') &&
       reply.status[0] == reply.code[0]);
  for (const char c : reply.line()) must(c >= 0x20 && c <= 0x7e);
}

void check_fields(std::string_view fields) {
  must(fields.ends_with('\n') && fields.find('\r') == std::string_view::npos);
  fields.remove_suffix(1);
  for (const std::string_view line : split(fields, '\n')) {
    const size_t colon = line.find(": ");
    must(!line.empty() &&
         (line.front() == '\t' ? line.size() > 1 : colon != std::string_view::npos && colon > 0));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // log lines of the verdict would only be in the way
  static const int quiet = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  static const int before = ::dup(2);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Result<std::vector<VerdictLine>> lines = parse_verdict(text);
  if (!lines) {
    must(!lines.failure().permanent());
    return 0;
  }
  std::string written;
  for (const VerdictLine& line : *lines) written += format_verdict_line(line);
  Result<std::vector<VerdictLine>> again = parse_verdict(written);
  must(again.ok() && again->size() == lines->size());
  for (size_t i = 0; i < lines->size(); ++i) {
    must((*again)[i].verb == (*lines)[i].verb && (*again)[i].arguments == (*lines)[i].arguments);
    must((*again)[i].may_ignore == (*lines)[i].may_ignore);
  }

  Part part;
  part.message = file_with(kMessage);
  part.envelope.recipients = {{"a@example.org", "", ""}};
  Decision decision;
  ::dup2(quiet, 2);
  Result<Effects> effects =
      apply_verdict(part, decision, Stage{.name = "fuzz", .program = "", .directions = {}}, *lines,
                    file_with("Rewritten: y\n\n"));
  ::dup2(before, 2);
  const std::string message = content_of(part.message.get());
  if (!effects) {
    must(message == kMessage && part.environment.pairs().empty() && decision.fate == Fate::deliver &&
         !decision.hold);
    return 0;
  }
  must(decision.fate != Fate::quarantine);
  if (decision.fate != Fate::deliver) must(effects->stop && decision.stage == "fuzz");
  if (decision.fate == Fate::refuse) check_refusal(decision.reply);
  for (const auto& [name, value] : part.environment.pairs()) {
    must(name.starts_with("POSTERN_TAG_") && value.find('\0') == std::string::npos);
  }
  const bool rewritten = message.ends_with("Rewritten: y\n\n");
  const std::string_view base = rewritten ? std::string_view("Rewritten: y\n\n") : kMessage;
  must(message.ends_with(base));
  if (message.size() > base.size())
    check_fields(std::string_view(message).substr(0, message.size() - base.size()));
  return 0;
}
