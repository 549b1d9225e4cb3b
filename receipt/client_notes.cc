#include "receipt/client_notes.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "lib/call.h"
#include "lib/control.h"
#include "lib/text.h"

namespace postern {

namespace {

// One line of the fates: "MID FATE DETAIL".
MessageEvent event_of(std::string_view line) {
  const std::vector<std::string_view> parts = words(line);
  if (parts.size() < 2) return MessageEvent::none;
  const std::string_view fate = parts[1];
  if (fate == "queued") return MessageEvent::accepted;
  const std::string detail = lower(line.substr(std::min(line.size(), line.find(fate) + fate.size() + 1)));
  if (fate == "quarantined") {
    if (detail.find("virus") != std::string::npos) return MessageEvent::virus;
    if (detail.find("spam") != std::string::npos) return MessageEvent::spam;
  } else if (fate == "refused" || fate == "dropped") {
    if (detail.starts_with("antivirus:")) return MessageEvent::virus;
    if (detail.starts_with("antispam:")) return MessageEvent::spam;
  }
  return MessageEvent::none;
}

}  // namespace

MessageEvent message_event(const QueueAnswer& answer) {
  MessageEvent worst = MessageEvent::none;
  for (const std::string_view line : split(answer.output, '\n')) worst = std::max(worst, event_of(line));
  return worst;
}

void ClientNotes::message(const QueueAnswer& answer) {
  switch (message_event(answer)) {
    case MessageEvent::none:
      return;
    case MessageEvent::accepted:
      ++accepted_;
      return;
    case MessageEvent::spam:
      ++spam_;
      return;
    case MessageEvent::virus:
      ++virus_;
      return;
  }
}

std::string ClientNotes::text() const {
  std::string all;
  for (const auto& [name, number] : {std::pair<const char*, uint32_t>{"accepted", accepted_},
                                     {"spam", spam_},
                                     {"virus", virus_},
                                     {"unknown", unknown_}}) {
    if (number == 0) continue;
    all.append(all.empty() ? "" : " ").append(name).append("=").append(std::to_string(number));
  }
  return all;
}

void ClientNotes::send() {
  if (policy_.name.empty() || !policy_.use_reputation) return;
  const std::string events = text();
  if (events.empty()) return;
  Result<std::string> program = control_line_or("reputation", "@repd");
  if (!program || !program->starts_with('@')) return;
  Result<Fd> socket = try_connect_service(trim(std::string_view(*program).substr(1)));
  if (!socket) return;  // who asks for scores logs that it is away
  Request request;
  request.arguments = {"note", ip_};
  for (const std::string_view event : words(events)) request.arguments.emplace_back(event);
  // Its answer has nowhere to go, instead of lying unread where we close, which it would take for a fault.
  ::shutdown(socket->get(), SHUT_RD);
  (void)!send_request(socket->get(), request).ok();
}

}  // namespace postern
