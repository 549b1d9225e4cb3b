#include "lib/envelope.h"

#include <algorithm>
#include <optional>

#include "lib/next_hop.h"
#include "lib/record.h"

namespace postern {

namespace {

Failure broken(std::string why) {
  return temporary("read the envelope: " + std::move(why), 91);
}

}  // namespace

Result<Envelope> parse_envelope(std::string_view bytes) {
  if (bytes.size() > kEnvelopeLimitBytes) return permanent("read the envelope: it is too large", 11, "5.5.3");
  Envelope envelope;
  std::optional<std::string_view> record = cut_record(bytes);
  if (!record || !record->starts_with('F')) return broken("it does not begin with F and a sender");
  envelope.sender = record->substr(1);
  if (envelope.sender.size() > kAddressLimitBytes) return permanent("address too long", 11, "5.1.7");
  for (;;) {
    record = cut_record(bytes);
    if (!record) return broken("it is cut short");
    if (record->empty()) break;
    if (!record->starts_with('T')) return broken("a recipient does not begin with T");
    record->remove_prefix(1);
    if (record->size() > kAddressLimitBytes) return permanent("address too long", 11, "5.1.3");
    if (envelope.recipients.size() == kRecipientLimit) return permanent("too many recipients", 11, "5.5.3");
    envelope.recipients.push_back({.address = std::string(*record), .notify = {}, .orcpt = {}});
  }
  if (!bytes.empty()) return broken("something follows its end");
  if (envelope.recipients.empty()) return broken("it has no recipient");
  return envelope;
}

std::string serialise_envelope(const Envelope& envelope) {
  std::string bytes;
  append_record(bytes, 'F', envelope.sender);
  for (const Recipient& recipient : envelope.recipients) append_record(bytes, 'T', recipient.address);
  bytes.push_back('\0');
  return bytes;
}

Result<void> parse_extras(std::string_view bytes, Envelope& envelope) {
  Recipient* current = nullptr;
  auto next = envelope.recipients
                  .begin();  // they come in the order of the recipients, so look behind the last one first
  while (!bytes.empty()) {
    const std::optional<std::string_view> record = cut_record(bytes);
    if (!record || record->empty()) return broken("its extras are cut short");
    const std::string_view value = record->substr(1);
    // What is kept travels on in requests, whose size is bounded.
    if (value.size() > kAddressLimitBytes) return broken("a value of its extras is too long");
    switch (record->front()) {
      case 'r':
        envelope.ret = value;
        break;
      case 'e':
        envelope.envid = value;
        break;
      case 'b':
        envelope.body = value;
        break;
      case 'u':
        envelope.smtputf8 = true;
        break;
      case 't': {
        const auto named = [&](const Recipient& r) { return r.address == value; };
        auto found = std::find_if(next, envelope.recipients.end(), named);
        if (found == envelope.recipients.end()) {
          found = std::find_if(envelope.recipients.begin(), next, named);
          if (found == next) found = envelope.recipients.end();
        }
        current = found == envelope.recipients.end() ? nullptr : &*found;
        if (current != nullptr) next = found + 1;
        break;
      }
      case 'n':
        if (current != nullptr) current->notify = value;
        break;
      case 'o':
        if (current != nullptr) current->orcpt = value;
        break;
      case 'h':
        if (current != nullptr && is_next_hop(value)) current->route = value;
        break;
      default:
        break;  // from a newer program: its default holds
    }
  }
  return {};
}

std::string serialise_extras(const Envelope& envelope) {
  std::string bytes;
  append_record_if(bytes, 'r', envelope.ret);
  append_record_if(bytes, 'e', envelope.envid);
  append_record_if(bytes, 'b', envelope.body);
  if (envelope.smtputf8) append_record(bytes, 'u', {});
  for (const Recipient& recipient : envelope.recipients) {
    if (recipient.notify.empty() && recipient.orcpt.empty() && recipient.route.empty()) continue;
    append_record(bytes, 't', recipient.address);
    append_record_if(bytes, 'n', recipient.notify);
    append_record_if(bytes, 'o', recipient.orcpt);
    append_record_if(bytes, 'h', recipient.route);
  }
  return bytes;
}

}  // namespace postern
