#include "quarantine/quarantine_list.h"

#include <time.h>

#include <array>
#include <cstdio>
#include <utility>

#include "lib/json_text.h"
#include "lib/text.h"

namespace postern::quarantine {

namespace {

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

std::string held_lines(const HeldRow& row, std::string_view only) {
  std::string recipients;
  for (const std::string& recipient : row.recipients)
    recipients.append(recipients.empty() ? "" : ",").append(in_brackets(recipient));
  std::string lines;
  for (const Membership& one : row.memberships) {
    if (one.released || (!only.empty() && one.quarantine != only)) continue;
    std::string others;
    for (const Membership& other : row.memberships) {
      if (!other.released && other.quarantine != one.quarantine)
        others.append(others.empty() ? "" : ",").append(other.quarantine);
    }
    lines.append(std::to_string(row.mid)).append("\t").append(one.quarantine);
    lines.append("\t").append(iso8601_utc(row.born));
    lines.append("\t").append(std::to_string(row.size));
    lines.append("\t").append(in_brackets(row.sender));
    lines.append("\t").append(recipients);
    lines.append("\t").append(printable(row.subject, kSubjectLimit));
    lines.append("\t").append(printable(one.reason));
    lines.append("\t").append(others);
    lines.append("\t").append(one.expires == 0 ? "" : iso8601_utc(one.expires * 1000000)).append("\n");
  }
  return lines;
}

std::string held_json(const HeldRow& row) {
  Json object;
  object["mid"] = std::to_string(row.mid);
  object["date"] = iso8601_utc(row.born);
  object["size"] = row.size;
  put_bytes(object, "sender", row.sender);
  object["recipients"] = Json::array();
  for (const std::string& address : row.recipients) {
    Json recipient;
    put_bytes(recipient, "address", address);
    object["recipients"].push_back(std::move(recipient));
  }
  put_bytes(object, "subject", row.subject);
  object["in_other_quarantines"] = row.holders().size() > 1;
  object["quarantines"] = Json::array();
  for (const Membership& one : row.memberships) {
    Json place;
    place["name"] = one.quarantine;
    put_bytes(place, "reason", one.reason);
    place["entered"] = iso8601_utc(one.entered);
    place["expires"] = one.expires == 0 ? Json() : Json(iso8601_utc(one.expires * 1000000));
    place["action"] = one.expires == 0 ? Json() : Json(one.deletes ? "delete" : "release");
    place["state"] = one.released ? "released" : "held";
    object["quarantines"].push_back(std::move(place));
  }
  object["releasing_as"] = row.new_mid == 0 ? Json() : Json(std::to_string(row.new_mid));
  if (!row.exemption.empty()) object["exemption"] = row.exemption;
  object["variables"] = Json::object();
  for (const auto& [name, value] : row.kept.pairs()) put_bytes(object["variables"], name, value);
  return json_line(object);
}

}  // namespace postern::quarantine
