// parts: scanq/apply.cc scanq/verbs.cc scanq/part.cc scanq/edits.cc scanq/notice.cc
// parts: scanq/recipients.cc scanq/score.cc scanq/verdict.cc lib
//
// What a hostile stage prints. A verdict that is taken is written again and means the same; applying it to a
// message is done whole or not at all, adds nothing to a header but folded fields, loses no recipient without
// saying so, and puts nothing into an envelope that no SMTP command could carry.
#include "scanq/verdict.h"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "lib/quarantine_name.h"
#include "lib/text.h"
#include "scanq/apply.h"
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

void check_envelope(const Envelope& envelope) {
  Result<Envelope> again = parse_envelope(serialise_envelope(envelope));
  must(again.ok() || envelope.recipients.empty());
  for (const Recipient& recipient : envelope.recipients) {
    must(!recipient.address.empty());
    for (const char c : recipient.address + recipient.route)
      must(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  }
  for (const char c : envelope.sender) must(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

void check_part(const Part& part) {
  check_envelope(part.envelope);
  const PartDecision& decision = part.decision;
  must(decision.fate != Fate::quarantine);
  if (decision.fate != Fate::deliver) must(part.stopped && decision.stage == "fuzz");
  if (decision.fate == Fate::refuse) check_refusal(decision.reply);
  for (const Hold& hold : decision.holds) must(is_quarantine_name(hold.quarantine));
  for (const auto& [name, value] : part.environment.pairs())
    must(name.starts_with("POSTERN_") && value.find('\0') == std::string::npos);
  // The body and what stands before it: folded fields.
  const std::string message = content_of(part.message.get());
  const size_t body = message.find("\n\n");
  if (message.starts_with('\n')) return must(message == "\nbody\n" || message == "\n");
  must(body != std::string::npos && (message.substr(body) == "\n\nbody\n" || message.substr(body) == "\n\n"));
  check_fields(std::string_view(message).substr(0, body + 1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
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
  part.mid = 17;
  part.message = file_with(kMessage);
  part.envelope.recipients = {
      {"a@example.org", "", ""}, {"b@example.org", "", ""}, {"c@example.org", "", ""}};
  Result<Applied> applied = apply_verdict(part, "fuzz", *lines, file_with("Rewritten: y\n\n"));
  must(content_of(part.message.get()) == kMessage && part.environment.pairs().empty() &&
       part.envelope.recipients.size() == 3 && part.decision.holds.empty());
  if (!applied) {
    must(!applied.failure().permanent());
    return 0;
  }
  check_part(applied->part);
  std::set<uint64_t> mids = {17};
  for (const Part& split : applied->split_off) {
    check_part(split);
    must(!split.envelope.recipients.empty() && mids.insert(split.mid).second);
    must(split.environment.get("POSTERN_PARENT_MID") == "17");
  }
  for (const Output& copy : applied->copies) {
    check_envelope(copy.envelope);
    must(!copy.envelope.recipients.empty() && mids.insert(copy.mid).second);
  }
  for (const std::string& event : applied->events) {
    for (const char c : event) must(c >= 0x20 && c <= 0x7e);
  }
  return 0;
}
