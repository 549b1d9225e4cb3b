// What a session has seen of its client, told to the reputation service at its end, in one packet for which
// nobody waits: an external program that is started for each question is not told.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/submit.h"
#include "receipt/mail_flow_policy.h"

namespace postern {

enum class MessageEvent : uint8_t { none, accepted, spam, virus };
// What came of a message: of the fates of its parts (postern-scanq(8)) the worst. Where none are told, nobody
// has looked into it, or will only later: that says nothing of the client.
MessageEvent message_event(const QueueAnswer& answer);

class ClientNotes {
 public:
  // `policy` must outlive it; a policy without a name, or without use_reputation, notes nothing.
  ClientNotes(const MailFlowPolicy& policy, std::string_view ip) : policy_(policy), ip_(ip) {}

  void message(const QueueAnswer& answer);
  void recipient_refused() { ++unknown_; }
  void send();
  // The events as they are sent: "accepted=2", "unknown=1".
  [[nodiscard]] std::string text() const;

 private:
  const MailFlowPolicy& policy_;
  std::string ip_;
  uint32_t accepted_ = 0;
  uint32_t spam_ = 0;
  uint32_t virus_ = 0;
  uint32_t unknown_ = 0;
};

}  // namespace postern
