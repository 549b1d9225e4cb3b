#include "remote/delivery_log.h"

namespace postern {

std::string dcid_text(const SmtpSession& session) {
  return "DCID " + std::to_string(session.dcid());
}

std::string rid_list(const DeliveryOrder& order, bool delivered,
                     const std::vector<RecipientResult>& results) {
  std::string list;
  for (size_t i = 0; i < order.rids.size(); ++i) {
    if (delivered && (i >= results.size() || !is_delivered(results[i].letter))) continue;
    list += (list.empty() ? "" : ", ") + order.rids[i];
  }
  return list.empty() ? list : "MID " + order.mid + " to RID [" + list + "]";
}

}  // namespace postern
