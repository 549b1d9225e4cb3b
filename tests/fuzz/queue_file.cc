// parts: lib
//
// A queue file of any content. The first byte says how it is made: 2, the rest is records in a file whose
// sums are right, since no mutation finds those; any other even one, the rest is the file as it is; odd, the
// rest is a message in a good file, in which the second byte then damages one byte behind the message. What
// is read as good is consistent; damage is never read as anything else than another state of a recipient.
#include "lib/queue_file.h"

#include <xxhash.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/fd.h"
#include "tests/fuzz/must.h"

using namespace postern;

namespace {

Fd file_with(std::string_view bytes) {
  Result<Fd> file = memory_file_with("queue", bytes);
  must(file.ok());
  return std::move(*file);
}

void check_read(int fd, size_t size) {
  Result<QueuedMessage> read = read_queue_file(fd);
  if (!read) {
    must(!read.failure().permanent());
    return;
  }
  must(read->message_size < size && message_intact(fd, *read).ok());
  must(read->states.size() == read->envelope.recipients.size() &&
       read->states.size() == read->state_offsets.size());
  for (size_t i = 0; i < read->states.size(); ++i) {
    const size_t offset = static_cast<size_t>(read->state_offsets[i]);
    must(offset >= read->message_size && offset < size);
    must(write_state(fd, *read, i, RecipientState::done).ok());
  }
  Result<QueuedMessage> again = read_queue_file(fd);
  must(again.ok());
  for (const RecipientState state : again->states) must(state == RecipientState::done);
}

void append_number(std::string& bytes, uint64_t value, size_t size) {
  for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(value >> 8 * i);
}

// The trailer as doc/INTERNALS.md describes it.
std::string file_of_records(std::string_view records) {
  const std::string message = "m\n";
  std::string plain(records);
  uint32_t recipients = 0;
  for (size_t i = 0; i < plain.size(); ++i) {
    const bool first = i == 0 || plain[i - 1] == '\0';
    if (!first || std::string_view("PDXHR").find(plain[i]) == std::string_view::npos) continue;
    plain[i] = 'P';
    ++recipients;
  }
  std::string trailer;
  append_number(trailer, message.size(), 8);
  append_number(trailer, records.size(), 8);
  append_number(trailer, XXH3_64bits(message.data(), message.size()), 8);
  append_number(trailer, XXH3_64bits(plain.data(), plain.size()), 8);
  append_number(trailer, 1, 8);
  append_number(trailer, recipients, 4);
  append_number(trailer, 1, 4);
  append_number(trailer, XXH3_64bits(trailer.data(), trailer.size()), 8);
  return message + std::string(records) + trailer + "POSTERNQ";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (data[0] == 2) {
    const std::string bytes = file_of_records(rest);
    check_read(file_with(bytes).get(), bytes.size());
    return 0;
  }
  if (data[0] % 2 == 0) {
    check_read(file_with(rest).get(), rest.size());
    return 0;
  }
  Envelope envelope;
  envelope.sender = rest.substr(0, rest.find('\0'));
  envelope.recipients = {{"a@example.org", "NEVER", ""}, {"b@example.org", "", "rfc822;b"}};
  Environment kept;
  kept.set("POSTERN_ICID", "1");
  const Fd file = file_with("");
  Result<QueuedMessage> written =
      write_queue_file(file.get(), file_with(rest).get(), 1 << 20, "", envelope, kept);
  must(written.ok() && written->message_size == rest.size());
  Result<std::string> bytes = read_whole(file.get(), 1 << 24, "read");
  must(bytes.ok());
  const size_t at = rest.size() + data[1] % (bytes->size() - rest.size());
  std::string damaged = *bytes;
  damaged[at] = static_cast<char>(damaged[at] ^ (data[0] | 1));
  Result<QueuedMessage> read = read_queue_file(file_with(damaged).get());
  bool is_state = false;
  for (const off_t offset : written->state_offsets) is_state = is_state || static_cast<size_t>(offset) == at;
  must(!read.ok() || is_state);
  check_read(file.get(), bytes->size());
  return 0;
}
