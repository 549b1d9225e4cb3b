#include "queue/bounce_request.h"

#include <algorithm>
#include <array>

#include "lib/mid.h"
#include "lib/record.h"
#include "lib/text.h"

namespace postern {

namespace {

// What other hosts said may have a NUL in it, which would end its record early.
void append_text(std::string& bytes, char letter, std::string_view value) {
  append_record(bytes, letter, value.substr(0, value.find('\0')));
}

constexpr std::array<std::string_view, 5> kActions = {"failed", "delayed", "delivered", "relayed",
                                                      "expanded"};

bool take_recipient_record(char letter, std::string_view value, ReportedRecipient& recipient) {
  switch (letter) {
    case 'o':
      recipient.orcpt = value;
      return true;
    case 'd':
      recipient.why = value;
      return true;
    case 'k':
      if (const std::optional<Action> action = action_of(value)) {
        recipient.action = *action;
        return true;
      }
      return false;
    default:
      return false;
  }
}

bool take_record(char letter, std::string_view value, BounceRequest& request) {
  switch (letter) {
    case 'm':
      request.mid = parse_mid(value).value_or(0);
      return request.mid != 0;
    case 's':
      request.sender = value;
      return true;
    case 't':
      request.to = value;
      return true;
    case 'e':
      request.envid = value;
      return true;
    case 'a':
      request.arrival = parse_number(value).value_or(0);
      return true;
    case 'l':
      request.last_try = parse_number(value).value_or(0);
      return true;
    case 'u':
      request.smtputf8 = true;
      return true;
    case 'f':
      request.full = true;
      return true;
    case 'h':
      request.full = false;
      return true;
    case 'c':
      request.copy_bytes = parse_number(value).value_or(0);
      return true;
    case 'p':
      request.plain = true;
      return true;
    case 'g':
      request.bounce_template = value;
      return value.find('/') == std::string_view::npos;
    case 'y':
      request.sign = true;
      return true;
    case 'r':
      request.recipients.push_back({.address = std::string(value), .orcpt = {}, .why = {}});
      return true;
    default:
      return !request.recipients.empty() && take_recipient_record(letter, value, request.recipients.back());
  }
}

}  // namespace

std::string_view action_word(Action action) {
  return kActions.at(static_cast<size_t>(action));
}

std::optional<Action> action_of(std::string_view word) {
  const auto found = std::find(kActions.begin(), kActions.end(), word);
  if (found == kActions.end()) return std::nullopt;
  return static_cast<Action>(found - kActions.begin());
}

bool BounceRequest::tells_of(Action action) const {
  return std::any_of(recipients.begin(), recipients.end(),
                     [&](const ReportedRecipient& recipient) { return recipient.action == action; });
}

std::string serialise_bounce_request(const BounceRequest& request) {
  std::string bytes;
  append_text(bytes, 'm', std::to_string(request.mid));
  append_text(bytes, 's', request.sender);
  if (!request.to.empty()) append_text(bytes, 't', request.to);
  append_text(bytes, 'e', request.envid);
  append_text(bytes, 'a', std::to_string(request.arrival));
  append_text(bytes, 'l', std::to_string(request.last_try));
  if (request.smtputf8) append_text(bytes, 'u', {});
  append_text(bytes, request.full ? 'f' : 'h', {});
  if (request.copy_bytes != 0) append_text(bytes, 'c', std::to_string(request.copy_bytes));
  if (request.plain) append_text(bytes, 'p', {});
  if (!request.bounce_template.empty()) append_text(bytes, 'g', request.bounce_template);
  if (request.sign) append_text(bytes, 'y', {});
  for (const ReportedRecipient& recipient : request.recipients) {
    append_text(bytes, 'r', recipient.address);
    append_text(bytes, 'o', recipient.orcpt);
    append_text(bytes, 'k', action_word(recipient.action));
    append_text(bytes, 'd', recipient.why);
  }
  return bytes;
}

Result<BounceRequest> parse_bounce_request(std::string_view bytes) {
  BounceRequest request;
  while (!bytes.empty()) {
    const size_t end = bytes.find('\0');
    if (end == std::string_view::npos || end == 0) return temporary("read a bounce request: it is cut short");
    if (!take_record(bytes.front(), bytes.substr(1, end - 1), request)) {
      return temporary("read a bounce request: unknown record");
    }
    bytes.remove_prefix(end + 1);
  }
  if (request.mid == 0 || request.recipients.empty())
    return temporary("read a bounce request: it names no message or recipient");
  return request;
}

}  // namespace postern
