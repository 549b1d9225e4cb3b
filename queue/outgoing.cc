#include "queue/outgoing.h"

#include <unistd.h>

#include <algorithm>

#include "lib/call.h"
#include "lib/child.h"
#include "lib/control.h"
#include "lib/request.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr int64_t kAskMilliseconds = 60000;
constexpr size_t kMessageLimitBytes = size_t{1} << 32;
constexpr const char* kSigner = "@signq";

Result<std::string> ask(const char* what, uint64_t mid, const std::string& sender, int message) {
  const std::string program = Environment::of_process().get_or("POSTERN_SIGNER", kSigner);
  Request request{.arguments = {what, sender}, .environment = {}, .fds = {}};
  request.environment.set("POSTERN_MID", std::to_string(mid));
  if (message >= 0) {
    ::lseek(message, 0, SEEK_SET);
    request.fds.push_back({message, 0});
  }
  Result<Reply> reply = call_program(program, request, now_milliseconds() + kAskMilliseconds);
  if (!reply) return temporary("ask " + program + " to " + what + ": " + reply.failure().text, 56);
  if (reply->exit_code == 0) return std::move(reply->output);
  const std::string said =
      "ask " + program + " to " + what + ": it answered " + std::to_string(reply->exit_code);
  if (reply->exit_code == 31) return permanent(said, 31);
  return temporary(said, reply->exit_code == 54 || reply->exit_code == 55 ? reply->exit_code : 56);
}

}  // namespace

OutgoingMail::OutgoingMail() : table_(home_path("control/dkim")) {}

bool OutgoingMail::wants_tag(const Envelope& envelope) {
  if (is_notification_sender(envelope.sender)) return false;
  return std::any_of(envelope.recipients.begin(), envelope.recipients.end(),
                     [&](const Recipient& recipient) { return tags_.wanted(domain_of(recipient.address)); });
}

Result<Outgoing> OutgoingMail::prepare(uint64_t mid, int message, const Envelope& envelope,
                                       const Environment& environment) {
  Outgoing outgoing;
  const std::string sign = environment.get_or("POSTERN_SIGN", "");
  if (sign == "no" || (environment.get_or("POSTERN_DIRECTION", "") != "out" && sign != "yes"))
    return outgoing;
  table_.changed();
  if (table_.exists()) {
    Result<Fd> copy = own_copy(message, kMessageLimitBytes, "copy the message");
    if (!copy) return temporary(copy.failure().text, 54);
    Result<std::string> fields = ask("sign", mid, envelope.sender, copy->get());
    if (!fields) return fields.failure();
    outgoing.fields = std::move(*fields);
    outgoing.message = std::move(*copy);
  }
  if (!wants_tag(envelope)) return outgoing;
  Result<std::string> tagged = ask("tag", mid, envelope.sender, -1);
  if (!tagged) return tagged.failure();
  outgoing.tagged = std::move(*tagged);
  return outgoing;
}

}  // namespace postern
