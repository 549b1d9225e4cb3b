// parts: receipt/reputation_history.cc
//
// By the first byte: control/reputationlists, control/reputationtable, or a history file whose entries say
// anything.
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lib/reputation_settings.h"
#include "receipt/reputation_history.h"
#include "tests/fuzz/must.h"

using namespace postern;

namespace {

constexpr uint64_t kNow = 1767268800;
constexpr off_t kHeadBytes = 64;
constexpr off_t kEntriesBytes = 16384 * 8 * 52;

bool in_range(int tenths) {
  return tenths >= -kMostScore && tenths <= kMostScore;
}

void lists(std::string_view text) {
  const Result<ReputationSettings> settings = parse_reputation_lists(text, "lists");
  if (!settings) return must(settings.failure().text.starts_with("lists:"));
  must(settings->lists.size() <= kMostLists && settings->timeout_milliseconds > 0);
  for (const DnsList& list : settings->lists) {
    must(list_name(IpBytes{}, list.zone).size() <= 253 && list.weight >= 0);
    for (const ReturnCode& code : list.codes) must(code.first <= code.last && in_range(code.score));
  }
}

void table(std::string_view text) {
  const Result<ReputationTable> rows = ReputationTable::parse(text, "table");
  if (!rows) return must(rows.failure().text.starts_with("table:"));
  if (const auto row = rows->find(IpBytes{})) must(in_range(row->score) && row->line > 0);
}

// The bytes as entries all over the file, so that those of an address are among them.
void history(std::string_view text) {
  static const std::string path = [] {
    std::string name = "/tmp/postern-fuzz.XXXXXX";
    ::close(::mkstemp(name.data()));
    return name;
  }();
  Result<ReputationHistory> opened = ReputationHistory::open(path, true);
  must(opened.ok());
  if (text.empty()) return;
  std::string entries;
  while (entries.size() < 52 * 8) entries += text;
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  std::string block;
  while (block.size() < 52 * 8 * 64) block.append(entries, 0, 52 * 8);
  for (off_t at = 0; at + static_cast<off_t>(block.size()) <= kEntriesBytes;
       at += static_cast<off_t>(block.size()))
    must(::pwrite(fd, block.data(), block.size(), kHeadBytes + at) == static_cast<ssize_t>(block.size()));
  ::close(fd);
  IpBytes address{};
  for (size_t i = 0; i < address.size() && i < text.size(); ++i) address[i] = static_cast<uint8_t>(text[i]);
  const Experience seen = opened->experience(address, kNow, 86400);
  must(seen.accepted >= 0 && seen.spam >= 0 && seen.virus >= 0 && seen.unknown >= 0);
  if (const std::optional<int> score = score_of(seen)) must(in_range(*score));
  if (const auto answer = opened->list_answer(address, kNow, 1)) must(in_range(answer->score.value_or(0)));
  opened->note(address, {.spam = 1}, kNow, 86400);
  must(opened->experience(address, kNow, 86400).spam >= 0.99);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 16 == 2) {
    history(text);
  } else if (data[0] % 2 == 0) {
    lists(text);
  } else {
    table(text);
  }
  return 0;
}
