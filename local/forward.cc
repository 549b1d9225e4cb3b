#include "local/forward.h"

#include <stdlib.h>

#include <optional>

#include "lib/control.h"
#include "lib/environment.h"
#include "lib/fd.h"
#include "lib/record.h"
#include "lib/submit.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr std::string_view kQueueProgram = "@pickup";

// The extras name the recipient as it came to us, which a virtual domain's prefix may have changed since:
// with one recipient, whatever name they use is his.
Result<Envelope> parse_own_extras(std::string_view extras) {
  Envelope envelope;
  envelope.recipients.emplace_back();
  std::string_view rest = extras;
  while (const std::optional<std::string_view> record = cut_record(rest)) {
    if (!record->starts_with('t')) continue;
    envelope.recipients.front().address = record->substr(1);
    break;
  }
  if (Result<void> parsed = parse_extras(extras, envelope); !parsed) return parsed.failure();
  return envelope;
}

Result<std::string> with_domain(const std::string& address) {
  if (address.find('@') != std::string::npos) return address;
  Result<std::string> me = control_me();
  if (!me) return me;
  return address + "@" + *me;
}

}  // namespace

std::string notify_without_success(std::string_view notify) {
  if (notify.empty()) return "";
  std::string rest;
  for (const std::string_view keyword : split(notify, ',')) {
    if (equal_ignoring_case(keyword, "SUCCESS")) continue;
    rest.append(rest.empty() ? "" : ",").append(keyword);
  }
  return rest.empty() ? "NEVER" : rest;
}

Result<Envelope> forward_envelope(std::string_view extras, std::string_view sender,
                                  const std::vector<std::string>& addresses, Notices notices) {
  Result<Envelope> envelope = parse_own_extras(extras);
  if (!envelope) return envelope;
  Recipient asked = std::move(envelope->recipients.front());
  envelope->recipients.clear();
  envelope->sender = sender;
  if (notices == Notices::expand) asked.notify = notify_without_success(asked.notify);
  if (notices == Notices::keep) {
    asked = Recipient();
    envelope->ret.clear();
    envelope->envid.clear();
  }
  for (const std::string& address : addresses) {
    Result<std::string> whole = with_domain(address);
    if (!whole) return whole.failure();
    envelope->recipients.push_back({std::move(*whole), asked.notify, asked.orcpt});
  }
  return envelope;
}

Result<void> forward_message(const Envelope& envelope, std::string_view first_lines, int message,
                             const ForwardParent& parent, int64_t deadline_milliseconds) {
  Result<Fd> copy = memory_file("forward");
  if (!copy) return copy.failure();
  Result<void> wrote = write_all(copy->get(), first_lines, "copy the message");
  if (!wrote) return wrote;
  Result<size_t> size = file_size(message, "read the message");
  if (!size) return size.failure();
  if (wrote = copy_range(message, 0, *size, copy->get(), "copy the message"); !wrote) return wrote;
  if (wrote = seal(copy->get()); !wrote) return wrote;
  const char* named = ::getenv("QMAILQUEUE");
  const std::string program = named != nullptr && *named != '\0' ? named : std::string(kQueueProgram);
  Environment environment;
  if (!parent.mid.empty()) environment.set("POSTERN_PARENT_MID", parent.mid);
  if (parent.keep_unsigned) environment.set("POSTERN_SIGN", "no");
  const SmtpReply reply =
      queue_reply(submit(program, copy->get(), envelope, environment, deadline_milliseconds));
  if (reply.accepted()) return {};
  const std::string text =
      "forward this message: " + printable(program, 100) + " said: " + printable(reply.line());
  if (reply.permanent()) return permanent("unable to " + text, 0, reply.status);
  return temporary(text, 0, reply.status);
}

}  // namespace postern
