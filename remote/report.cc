#include "remote/report.h"

#include <algorithm>

#include "lib/request.h"
#include "lib/text.h"

namespace postern {

namespace {
constexpr size_t kTextLimitBytes = 900;
}  // namespace

std::string failure_text(const Failure& failure) {
  // What a server said has its code and status inside already.
  return failure.text.find(" said: ") != std::string::npos ? failure.text
                                                           : failure.status + " " + failure.text;
}

std::vector<RecipientResult> all_failed(size_t recipients, const Failure& failure) {
  return {recipients, {failure.permanent() ? 'h' : 's', failure_text(failure)}};
}

void as_temporary(std::vector<RecipientResult>& held) {
  for (RecipientResult& result : held) {
    if (result.letter == 'w') result = {'s', result.text.substr(result.text.find(' ') + 1)};
  }
}

std::string format_reports(const std::vector<RecipientResult>& results) {
  // printable() may make four bytes of one, but what comes here was printable before.
  const size_t room = (kReplyLimitBytes - 256) / (results.size() + 1);
  const size_t limit = std::clamp<size_t>(room, 8, kTextLimitBytes + 8) - 8;  // letter, NUL, "..."
  std::string bytes;
  const auto append = [&](char letter, std::string_view text) {
    bytes += letter;
    if (text.size() > limit) {
      bytes.append(text.substr(0, limit)).append("...");
    } else {
      bytes += text;
    }
    bytes += '\0';
  };
  const auto find = [&](auto wanted) {
    return std::find_if(results.begin(), results.end(),
                        [&](const RecipientResult& r) { return wanted(r.letter); });
  };
  for (const RecipientResult& result : results) append(result.letter, result.text);
  if (const auto done = find([](char letter) { return is_delivered(letter) || letter == 'u'; });
      done != results.end()) {
    append('K', done->text);
  } else if (const auto temporary_one = find([](char letter) { return letter == 's' || letter == 'w'; });
             temporary_one != results.end()) {
    append('Z', temporary_one->text);
  } else {
    append('D', results.empty() ? "5.5.4 no recipients" : results.front().text);
  }
  return bytes;
}

}  // namespace postern
