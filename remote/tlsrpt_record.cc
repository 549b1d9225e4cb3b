#include "remote/tlsrpt_record.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "lib/call.h"
#include "lib/child.h"
#include "lib/log.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kValueLimitBytes = 400;
constexpr int64_t kPathMilliseconds = 5000;

constexpr std::array<std::string_view, 3> kTypes = {"sts", "tlsa", "no-policy-found"};
constexpr std::array<std::string_view, 11> kResults = {"starttls-not-supported", "certificate-host-mismatch",
                                                       "certificate-expired",    "certificate-not-trusted",
                                                       "validation-failure",     "tlsa-invalid",
                                                       "dnssec-invalid",         "dane-required",
                                                       "sts-policy-fetch-error", "sts-policy-invalid",
                                                       "sts-webpki-invalid"};

struct TextField {
  std::string_view name;
  std::string TlsRecord::*value;
};
constexpr std::array<TextField, 7> kTexts = {{{"domain", &TlsRecord::domain},
                                              {"type", &TlsRecord::type},
                                              {"host", &TlsRecord::host},
                                              {"sending", &TlsRecord::sending},
                                              {"receiving", &TlsRecord::receiving},
                                              {"result", &TlsRecord::result},
                                              {"reason", &TlsRecord::reason}}};

struct ListField {
  std::string_view name;
  std::vector<std::string> TlsRecord::*value;
};
constexpr std::array<ListField, 2> kLists = {{{"policy", &TlsRecord::policy}, {"mx", &TlsRecord::mx}}};

template <size_t N>
bool is_one_of(const std::array<std::string_view, N>& all, std::string_view word) {
  return std::find(all.begin(), all.end(), word) != all.end();
}

bool is_plain(std::string_view text) {
  return text.size() <= kValueLimitBytes + 3 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::string word(std::string_view name, std::string_view value) {
  const std::string safe = is_plain(value) ? std::string(value) : printable(value, kValueLimitBytes / 4);
  return std::string(name) + "=" + safe;
}

}  // namespace

TlsRecord tls_record_of(const StsAnswer& answer) {
  TlsRecord record{.domain = answer.domain};
  if (answer.outcome == StsAnswer::Outcome::found) {
    record.type = "sts";
    record.policy = sts_policy_lines(answer.policy);
    record.mx = answer.policy.mx;
  } else if (answer.outcome == StsAnswer::Outcome::failed && !answer.result.empty()) {
    record.type = "sts";
    record.result = answer.result;
    record.reason = answer.why;
  }
  return record;
}

std::vector<std::string> tls_record_words(const TlsRecord& record) {
  std::vector<std::string> words;
  size_t size = 0;
  for (const TextField& field : kTexts) {
    if (!(record.*field.value).empty()) words.push_back(word(field.name, record.*field.value));
    if (!(record.*field.value).empty()) size += words.back().size() + 1;
  }
  for (const ListField& field : kLists) {
    const std::vector<std::string>& list = record.*field.value;
    for (size_t i = 0; i < list.size() && i < kTlsPolicyLinesLimit; ++i) {
      std::string next = word(field.name, list[i]);
      size += next.size() + 1;
      if (size > kTlsRecordLimitBytes) return words;
      words.push_back(std::move(next));
    }
  }
  return words;
}

Result<TlsRecord> parse_tls_record(const std::vector<std::string>& words) {
  TlsRecord record;
  size_t size = 0;
  for (const std::string& text : words) {
    const size_t equals = text.find('=');
    const std::string_view name = std::string_view(text).substr(0, equals);
    const std::string_view value =
        equals == std::string::npos ? "" : std::string_view(text).substr(equals + 1);
    const auto field = std::find_if(kTexts.begin(), kTexts.end(),
                                    [&](const TextField& known) { return known.name == name; });
    const auto list = std::find_if(kLists.begin(), kLists.end(),
                                   [&](const ListField& known) { return known.name == name; });
    size += text.size() + 1;
    const bool fits = size <= kTlsRecordLimitBytes && !value.empty() && is_plain(value);
    if (fits && field != kTexts.end()) {
      record.*field->value = value;
    } else if (fits && list != kLists.end() && (record.*list->value).size() < kTlsPolicyLinesLimit) {
      (record.*list->value).emplace_back(value);
    } else {
      return permanent("read a TLS record: \"" + printable(text, 80) + "\" is no word of one");
    }
  }
  if (!is_policy_domain(record.domain)) return permanent("read a TLS record: it has no domain");
  if (!is_one_of(kTypes, record.type)) return permanent("read a TLS record: its type is unknown");
  if (!record.result.empty() && !is_one_of(kResults, record.result))
    return permanent("read a TLS record: its result is unknown");
  return record;
}

std::string format_tls_line(const TlsRecord& record) {
  std::string line;
  for (const std::string& text : tls_record_words(record)) line += (line.empty() ? "" : "\t") + text;
  return line + "\n";
}

Result<TlsRecord> parse_tls_line(std::string_view line) {
  std::vector<std::string> words;
  for (const std::string_view text : split(line, '\t')) words.emplace_back(text);
  return parse_tls_record(words);
}

void send_tls_record(const std::string& program, const TlsRecord& record) {
  if (program == "none" || !is_policy_domain(record.domain)) return;
  Request request;
  request.arguments = tls_record_words(record);
  request.arguments.insert(request.arguments.begin(), "record");
  Result<void> sent;
  int error = 0;
  if (program.starts_with('@')) {
    errno = 0;
    Result<Fd> socket = try_connect_service(program.substr(1));
    if (!socket) error = errno;
    sent = socket ? send_request(socket->get(), request) : Result<void>(socket.failure());
  } else {
    Result<Reply> reply = call_program(program, request, now_milliseconds() + kPathMilliseconds);
    if (!reply) sent = reply.failure();
  }
  // Nobody there, or too busy: less is reported, and a line for each session would help nobody.
  if (sent || error == ENOENT || error == ECONNREFUSED || error == EAGAIN) return;
  log_warning("record a TLS session for the reports", sent.failure());
}

}  // namespace postern
