#include "quarantine/quarantine_list.h"

#include <time.h>

#include <array>
#include <cstdio>

#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kSubjectLimit = 500;

std::string in_brackets(std::string_view address) {
  return "<" + printable(address, kAddressLimitBytes) + ">";
}

}  // namespace

std::string iso8601_utc(uint64_t microseconds_since_1970) {
  const auto seconds = static_cast<time_t>(microseconds_since_1970 / 1000000);
  struct tm utc {};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02dZ", utc.tm_year + 1900,
                utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return text.data();
}

std::string header_value(std::string_view header, std::string_view name) {
  std::string value;
  bool inside = false;
  while (!header.empty()) {
    const size_t end = header.find('\n');
    const std::string_view line = header.substr(0, end);
    header.remove_prefix(end == std::string_view::npos ? header.size() : end + 1);
    if (trim(line).empty()) break;
    const bool folded = line.front() == ' ' || line.front() == '\t';
    if (inside && !folded) break;
    if (inside) {
      value.append(" ").append(trim(line));
      continue;
    }
    const size_t colon = line.find(':');
    if (folded || colon == std::string_view::npos || lower(trim(line.substr(0, colon))) != name) continue;
    inside = true;
    value = trim(line.substr(colon + 1));
  }
  return value;
}

std::string held_line(uint64_t mid, std::string_view quarantine, const QueuedMessage& message,
                      std::string_view subject) {
  std::string line = std::to_string(mid);
  line.append("\t").append(printable(quarantine));
  line.append("\t").append(iso8601_utc(message.born));
  line.append("\t").append(std::to_string(message.message_size));
  line.append("\t").append(in_brackets(message.envelope.sender)).append("\t");
  bool first = true;
  for (const Recipient& recipient : message.envelope.recipients) {
    if (!first) line += ',';
    first = false;
    line += in_brackets(recipient.address);
  }
  line.append("\t").append(printable(subject, kSubjectLimit));
  line.append("\t").append(printable(message.kept.get_or("POSTERN_REASON", "")));
  return line + "\n";
}

}  // namespace postern
