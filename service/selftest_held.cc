#include "service/selftest_held.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "lib/child.h"
#include "lib/fd.h"
#include "lib/mid.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kLineLimitBytes = 1024 * 1024;  // 10,000 recipients stand in one line
constexpr size_t kReason = 7;                    // which field of a line (postern-quarantine(8))
constexpr size_t kComplaintLimitBytes = 300;

// Ends well with its output in `output`; else the failure has what it said on descriptor 2.
Result<void> ask_quarantine(std::vector<std::string> words, int output, int64_t deadline) {
  Result<Fd> complaint = memory_file("complaint");
  if (!complaint) return complaint.failure();
  ChildOptions options;
  options.arguments = std::move(words);
  options.environment = Environment::of_process();
  options.fds = {{output, 1}, {complaint->get(), 2}};
  const std::string doing = options.arguments[0] + " " + options.arguments[1];
  Result<ChildEnd> end = run_child(options, deadline, 0);
  if (!end) return end.failure();
  if (end->timed_out) return temporary(doing + ": no answer in time");
  if (end->signal == 0 && end->exit_code == 0) return {};
  Result<std::string> said = pread_string(complaint->get(), 0, kComplaintLimitBytes, "read its complaint");
  return temporary(doing + " ended with " + std::to_string(end->exit_code) + ": " +
                   (said ? printable(trim(*said)) : ""));
}

}  // namespace

std::optional<HeldTest> parse_held_line(std::string_view line, std::string_view marker) {
  if (line.find(marker) == std::string_view::npos) return std::nullopt;
  const std::vector<std::string_view> fields = split(line, '\t');
  const std::optional<uint64_t> mid = parse_mid(fields[0]);
  if (!mid || fields.size() < 2) return std::nullopt;
  return HeldTest{*mid, std::string(fields[1]), std::string(fields.size() > kReason ? fields[kReason] : "")};
}

bool held_in(const HeldTest& held, std::string_view name) {
  const std::vector<std::string_view> names = split(held.quarantine, ',');
  return std::any_of(names.begin(), names.end(), [&](std::string_view one) { return trim(one) == name; });
}

Result<std::vector<HeldTest>> find_held(std::string_view marker, int64_t deadline_milliseconds) {
  Result<Fd> list = memory_file("list");
  if (!list) return list.failure();
  Result<void> asked = ask_quarantine({"postern-quarantine", "list"}, list->get(), deadline_milliseconds);
  if (!asked) return asked.failure();
  std::vector<HeldTest> found;
  std::string text;
  off_t offset = 0;
  std::array<char, 64 * 1024> buffer;
  for (;;) {
    Result<size_t> got = pread_full(list->get(), buffer, offset, "read the list");
    if (!got) return got.failure();
    if (*got == 0) return found;
    offset += static_cast<off_t>(*got);
    text.append(buffer.data(), *got);
    size_t begin = 0;
    for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
      if (const auto held = parse_held_line(std::string_view(text).substr(begin, end - begin), marker))
        found.push_back(*held);
      begin = end + 1;
    }
    text.erase(0, begin);
    if (text.size() > kLineLimitBytes) return temporary("the quarantine's list has a line without end");
  }
}

Result<void> delete_held(const std::vector<HeldTest>& held, int64_t deadline_milliseconds) {
  std::vector<std::string> words = {"postern-quarantine", "delete"};
  for (const HeldTest& message : held) {
    // One that is in several quarantines may have a line for each.
    std::string mid = std::to_string(message.mid);
    if (std::find(std::next(words.begin(), 2), words.end(), mid) == words.end())
      words.push_back(std::move(mid));
  }
  Result<Fd> output = memory_file("output");
  if (!output) return output.failure();
  return ask_quarantine(std::move(words), output->get(), deadline_milliseconds);
}

}  // namespace postern
