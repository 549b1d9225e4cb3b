// Whom a sender is told of at the end of a pass (RFC 3461 4.1 and 5.2, RFC 5321 6.1).
#pragma once

#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "queue/bounce_request.h"
#include "queue/delivery.h"
#include "queue/send_settings.h"

namespace postern {

// Does NOTIFY ask for DSNs of this kind: "SUCCESS", "FAILURE" or "DELAY"? Where it is not given, or means
// nothing, it asks for failures and delays.
bool asks_for(std::string_view notify, std::string_view kind);

// Fills delivery.telling: failures, delays that are due to be told, and successes that are not told yet. What
// nobody is told of is logged where it is a bounce of a bounce.
void choose_notices(Delivery& delivery, const SendSettings& settings, uint64_t now_seconds);

// What postern-bounce is asked for, and of whom: one request, or more where the recipients' profiles differ
// in what is told to whom.
struct Notice {
  BounceRequest request;
  std::vector<size_t> rids;
};
std::vector<Notice> notices_for(const Delivery& delivery, const SendSettings& settings);

// When the sender could not be told of a success within twice the recipient's lifetime, that is given up
// (logged). A failure never is.
void forget_old_successes(Delivery& delivery, const SendSettings& settings, uint64_t now_seconds);

// Their DSNs are durable (`told`, and not among delivery.not_told), or there was none: failed recipients have
// failed, delays and successes are told. Otherwise those that were to be told of as failed are put back: they
// are tried, and told, again. Returns those of whose delivery the sender knows now, for append_attempt.
std::set<size_t> take_told(Delivery& delivery, bool told);

}  // namespace postern
