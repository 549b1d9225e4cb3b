// One pass over one message: its queue file is open, its pending recipients are out as jobs, and what comes
// back is gathered until none is out any more.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lib/fd.h"
#include "lib/queue_file.h"
#include "lib/result.h"
#include "lib/rewrite.h"
#include "lib/spool.h"
#include "queue/attempts.h"
#include "queue/bounce_choice.h"
#include "queue/bounce_request.h"
#include "queue/channel.h"
#include "queue/open_messages.h"
#include "queue/orders.h"
#include "queue/reports.h"

namespace postern {

struct Delivery {
  uint64_t mid = 0;
  Fd file;     // the queue file
  Fd message;  // the message alone, a sealed memory file: what other users get
  QueuedMessage queued;
  std::string attempts_path;
  Attempts attempts;  // before this pass; deliveries that are to be told are added in it
  bool has_attempts_file = false;
  Orders orders;
  uint64_t flushes = 0;       // orders to try at once that this pass has met
  bool tried = false;         // a pass is being made, not only orders carried out
  std::set<size_t> not_due;   // pending, and not in this pass: by their profiles they are tried later
  bool orders_came = false;   // since it was opened
  bool withdrawn = false;     // some jobs of this pass were taken back for new orders
  std::string held_back;      // a site whose limits let some recipients wait; empty: none
  bool remote_waits = false;  // the pass is made with the local jobs alone; the others wait for room
  size_t jobs_out = 0;
  std::map<size_t, std::string> deferred;      // by recipient number: why
  std::map<size_t, std::string> failed;        // permanently: why; not yet bounced
  std::map<size_t, std::string> unsubscribed;  // not tried, by control/globalunsubscribe: its entry
  std::map<size_t, Action> telling;            // what the DSNs that are being made say of whom
  std::set<size_t> not_told;                   // of these, those whose DSN could not be made
  size_t bounces_out = 0;                      // DSNs that are being made
  OpenMessages* counted_in = nullptr;          // where it takes a place

  // A recipient is pending or held, or a delivery is to be told.
  [[nodiscard]] bool pending() const;
  // Is there something for the next pass: a recipient that is pending and not to be bounced, or a delivery to
  // tell?
  [[nodiscard]] bool waits() const;
  // Older than the lifetime, as one that was tried that often: what is deferred now has failed.
  [[nodiscard]] bool expired(const RetryProfile& profile, unsigned tries, uint64_t now_seconds) const;
};

// Opens and checks a message in cur/. `mid` stays where it is when this fails.
Result<Delivery> open_delivery(const Spool& spool, uint64_t mid);
// Copies the message out of the queue file, which nobody else may have a descriptor of.
Result<void> load_message(Delivery& delivery);

struct Jobs {
  std::vector<DeliveryJob> local;
  std::vector<DeliveryJob> remote;
  void set_message(int message);
};
// What it costs to have it open, bytes: the message, and about a KiB for each recipient.
size_t cost_of(const Delivery& delivery);
// The pending recipients that are due, without the message yet (see Jobs::set_message): one job for each
// local one, one for each group of remote ones with the same domain and sender. `wants_tag`: do senders of
// what goes to a domain have the bounce tag that was made when the message came? Empty: none does.
Jobs make_jobs(const Delivery& delivery, const Rewriting& rewriting,
               const std::function<bool(std::string_view)>& wants_tag = {});

// Leaves the first so many of its recipients in a job.
void shorten(DeliveryJob& job, size_t recipients, const Envelope& envelope);

// Takes the outcome of one job in: state bytes for what was delivered, the rest into deferred and failed, by
// what the recipient's profile says of such replies.
// A success that the sender asked for is noted in defer/ before its state byte.
void take_reports(Delivery& delivery, const DeliveryJob& job, const std::vector<RecipientReport>& reports,
                  const BounceChoice& choice);

// Writes states of recipients; a failure is logged, since the worst that follows is a second delivery.
void set_states(Delivery& delivery, const std::map<size_t, std::string>& recipients, RecipientState state);

// Writes down all states as they are in memory.
void write_all_states(Delivery& delivery);

}  // namespace postern
