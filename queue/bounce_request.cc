#include "queue/bounce_request.h"

#include "lib/mid.h"
#include "lib/record.h"
#include "lib/text.h"

namespace postern {

namespace {

// What other hosts said may have a NUL in it, which would end its record early.
void append_text(std::string& bytes, char letter, std::string_view value) {
  append_record(bytes, letter, value.substr(0, value.find('\0')));
}

bool take_record(char letter, std::string_view value, BounceRequest& request) {
  const bool has_recipient = !request.recipients.empty();
  switch (letter) {
    case 'm':
      request.mid = parse_mid(value).value_or(0);
      return request.mid != 0;
    case 's':
      request.sender = value;
      return true;
    case 'e':
      request.envid = value;
      return true;
    case 'a':
      request.arrival = parse_number(value).value_or(0);
      return true;
    case 'f':
      request.full = true;
      return true;
    case 'h':
      request.full = false;
      return true;
    case 'r':
      request.recipients.push_back({.address = std::string(value), .orcpt = {}, .why = {}});
      return true;
    case 'o':
      if (has_recipient) request.recipients.back().orcpt = value;
      return has_recipient;
    case 'd':
      if (has_recipient) request.recipients.back().why = value;
      return has_recipient;
    default:
      return false;
  }
}

}  // namespace

std::string serialise_bounce_request(const BounceRequest& request) {
  std::string bytes;
  append_text(bytes, 'm', std::to_string(request.mid));
  append_text(bytes, 's', request.sender);
  append_text(bytes, 'e', request.envid);
  append_text(bytes, 'a', std::to_string(request.arrival));
  append_text(bytes, request.full ? 'f' : 'h', {});
  for (const FailedRecipient& recipient : request.recipients) {
    append_text(bytes, 'r', recipient.address);
    append_text(bytes, 'o', recipient.orcpt);
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
