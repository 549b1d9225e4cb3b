// What the log's lines of a delivery have in common.
#pragma once

#include <string>
#include <vector>

#include "remote/delivery.h"
#include "remote/report.h"
#include "remote/smtp_session.h"

namespace postern {

std::string dcid_text(const SmtpSession& session);  // "DCID 12"
// "MID 6 to RID [0, 3]": the recipients of the order, or those delivered alone. Empty when there are none.
std::string rid_list(const DeliveryOrder& order, bool delivered = false,
                     const std::vector<RecipientResult>& results = {});

}  // namespace postern
