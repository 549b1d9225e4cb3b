#include "queue/unsubscribed.h"

#include <fcntl.h>

#include <cerrno>
#include <map>

#include "lib/control.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/text.h"

namespace postern {

Unsubscribed::Unsubscribed(std::string count_path)
    : changes_(home_path("control/globalunsubscribe")), count_path_(std::move(count_path)) {
  const Result<std::string> text = read_file(count_path_, 100);
  count_ = text ? parse_number(trim(*text)).value_or(0) : 0;
}

Result<void> Unsubscribed::read_action() {
  Result<std::string> action = control_line_or("globalunsubscribeaction", "drop");
  if (!action) return action.failure();
  if (*action != "drop" && *action != "bounce")
    return temporary("read control/globalunsubscribeaction line 1: write drop or bounce", 55, "4.3.5");
  bounces_ = *action == "bounce";
  return {};
}

std::optional<std::string> Unsubscribed::entry_of(const Delivery& delivery, size_t rid,
                                                  const UnsubscribeList& list) const {
  if (delivery.queued.states.at(rid) != RecipientState::pending || delivery.failed.contains(rid))
    return std::nullopt;
  return list.match(delivery.queued.envelope.recipients[rid].address);
}

bool Unsubscribed::names_any(const Delivery& delivery) {
  const UnsubscribeList& list = file_.list();
  for (size_t rid = 0; !list.empty() && rid < delivery.queued.envelope.recipients.size(); ++rid) {
    if (entry_of(delivery, rid, list)) return true;
  }
  return false;
}

void Unsubscribed::look_up(Delivery& delivery) {
  const UnsubscribeList& list = file_.list();
  if (list.empty()) return;
  for (size_t rid = 0; rid < delivery.queued.envelope.recipients.size(); ++rid) {
    if (const std::optional<std::string> entry = entry_of(delivery, rid, list))
      delivery.unsubscribed[rid] = *entry;
  }
  settle(delivery);
}

void Unsubscribed::settle(Delivery& delivery) {
  if (delivery.unsubscribed.empty()) return;
  for (const auto& [rid, entry] : delivery.unsubscribed) {
    log_info(mid_text(delivery.mid) + " RID [" + std::to_string(rid) + "] To: <" +
             printable(delivery.queued.envelope.recipients.at(rid).address) + "> " +
             (bounces_ ? "bounced" : "dropped") + " by global unsubscribe, entry " + printable(entry) +
             ", GUS " + std::to_string(++count_));
    if (bounces_) delivery.failed[rid] = "5.7.1 this recipient wants no mail from here (global unsubscribe)";
  }
  if (!bounces_) set_states(delivery, delivery.unsubscribed, RecipientState::removed);
  delivery.unsubscribed.clear();
  note_count();
}

void Unsubscribed::note_count() {
  const Fd file{::open(count_path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
  const Result<void> wrote = file ? pwrite_all(file.get(), std::to_string(count_) + "\n", 0, "write it")
                                  : Result<void>(os_failure("open it", errno));
  if (!wrote) log_warning("count in " + count_path_, wrote.failure());
}

}  // namespace postern
