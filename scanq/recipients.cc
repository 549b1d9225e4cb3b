#include "scanq/recipients.h"

#include <algorithm>
#include <set>

#include "lib/text.h"

namespace postern {

namespace {

// One form for all spellings that mean the same mailbox.
std::string key_of(std::string_view address) {
  const size_t at = address.rfind('@');
  if (at == std::string_view::npos) return std::string(address);
  return std::string(address.substr(0, at + 1)) + lower(address.substr(at + 1));
}

std::set<std::string> keys_of(const Envelope& envelope) {
  std::set<std::string> keys;
  for (const Recipient& recipient : envelope.recipients) keys.insert(key_of(recipient.address));
  return keys;
}

Failure no_recipient(std::string_view address) {
  return temporary("\"" + printable(address, 80) + "\" is none of the message's recipients");
}

Result<std::set<std::string>> named(const Envelope& envelope, const std::vector<std::string>& addresses) {
  const std::set<std::string> there = keys_of(envelope);
  std::set<std::string> wanted;
  for (const std::string& address : addresses) {
    if (!there.contains(key_of(address))) return no_recipient(address);
    wanted.insert(key_of(address));
  }
  return wanted;
}

}  // namespace

void note_utf8(Envelope& envelope, std::string_view address) {
  if (std::any_of(address.begin(), address.end(), [](char c) { return c < 0; })) envelope.smtputf8 = true;
}

Result<void> add_recipient(Envelope& envelope, std::string_view address) {
  if (keys_of(envelope).contains(key_of(address))) return {};
  if (envelope.recipients.size() == kRecipientLimit) return temporary("there would be too many recipients");
  envelope.recipients.push_back({.address = std::string(address), .notify = {}, .orcpt = {}});
  note_utf8(envelope, address);
  return {};
}

void remove_recipient(Envelope& envelope, std::string_view address) {
  std::erase_if(envelope.recipients,
                [&](const Recipient& recipient) { return key_of(recipient.address) == key_of(address); });
}

Result<void> replace_recipient(Envelope& envelope, std::string_view old, std::string_view address) {
  bool found = false;
  for (Recipient& recipient : envelope.recipients) {
    if (key_of(recipient.address) != key_of(old)) continue;
    recipient.address = address;
    found = true;
  }
  if (!found) return no_recipient(old);
  note_utf8(envelope, address);
  return {};
}

Result<std::vector<Recipient>> take_recipients(Envelope& envelope,
                                               const std::vector<std::string>& addresses) {
  const Result<std::set<std::string>> wanted = named(envelope, addresses);
  if (!wanted) return wanted.failure();
  std::vector<Recipient> taken;
  std::vector<Recipient> left;
  for (Recipient& recipient : envelope.recipients) {
    (wanted->contains(key_of(recipient.address)) ? taken : left).push_back(std::move(recipient));
  }
  envelope.recipients = std::move(left);
  return taken;
}

Result<void> route_recipients(Envelope& envelope, std::string_view route,
                              const std::vector<std::string>& addresses) {
  const Result<std::set<std::string>> wanted = named(envelope, addresses);
  if (!wanted) return wanted.failure();
  for (Recipient& recipient : envelope.recipients) {
    if (wanted->empty() || wanted->contains(key_of(recipient.address))) recipient.route = route;
  }
  return {};
}

}  // namespace postern
