// Replies whose code and text a policy may change.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "lib/submit.h"
#include "lib/text.h"
#include "receipt/mail_flow_policy.h"

namespace postern {

// "5.7.1 text" has a status of its own, if it is one of the code's class.
inline bool begins_with_status(std::string_view text, char its_class) {
  const std::vector<std::string_view> parts = split(text.substr(0, text.find(' ')), '.');
  return parts.size() == 3 && parts[0].size() == 1 && parts[0][0] == its_class && parse_number(parts[1]) &&
         parse_number(parts[2]) && parts[1].size() <= 3 && parts[2].size() <= 3;
}

// What the policy says in place of `otherwise`, whose parts stand where it says nothing. The enhanced status
// is always of the code's class.
inline SmtpReply reply_of(const CustomReply& custom, SmtpReply otherwise) {
  if (custom.code != 0) otherwise.code = std::to_string(custom.code);
  const char its_class = otherwise.code.front();
  if (!otherwise.status.empty()) otherwise.status.front() = its_class;
  if (custom.text.empty()) return otherwise;
  otherwise.text = custom.text;
  if (begins_with_status(custom.text, its_class)) {
    const size_t end = std::min(custom.text.find(' '), custom.text.size());
    otherwise.status = custom.text.substr(0, end);
    otherwise.text = trim(std::string_view(custom.text).substr(end));
  }
  return otherwise;
}

}  // namespace postern
