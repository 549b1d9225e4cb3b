#include "lib/queue_file.h"

#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <type_traits>

#include "lib/fd.h"
#include "lib/record.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kBuffer = 65536;
constexpr std::array<char, 8> kMagic = {'P', 'O', 'S', 'T', 'E', 'R', 'N', 'Q'};
constexpr uint32_t kVersion = 1;
constexpr uint32_t kVersionWithRoutes = 2;  // it has `h` records, which version 1 did not know
constexpr size_t kRecordsLimitBytes = 32 * 1024 * 1024;

// All numbers little-endian; the struct is the wire layout on the machines that we build for.
struct Trailer {
  uint64_t message_size;
  uint64_t records_size;
  uint64_t message_hash;
  uint64_t records_hash;  // with every state byte taken as 'P'
  uint64_t born;
  uint32_t recipients;
  uint32_t version;
  uint64_t trailer_hash;  // of the 48 bytes before it
  std::array<char, 8> magic;
};
static_assert(sizeof(Trailer) == 64 && std::is_trivially_copyable_v<Trailer>);
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

struct HashStateFree {
  void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
};
using HashState = std::unique_ptr<XXH3_state_t, HashStateFree>;

uint64_t hash_of(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

uint64_t trailer_hash(const Trailer& trailer) {
  return XXH3_64bits(&trailer, offsetof(Trailer, trailer_hash));
}

Result<void> copy_message(int to, int message, size_t limit_bytes, std::string_view first_header,
                          QueuedMessage& queued) {
  const HashState hash{XXH3_createState()};
  XXH3_64bits_reset(hash.get());
  std::array<char, kBuffer> buffer;
  std::string_view chunk = first_header;
  const bool seekable = ::lseek(message, 0, SEEK_CUR) >= 0;
  off_t offset = 0;
  for (;;) {
    if (!chunk.empty()) {
      XXH3_64bits_update(hash.get(), chunk.data(), chunk.size());
      Result<void> wrote = write_all(to, chunk, "write the message");
      if (!wrote) return Failure{Kind::temporary, wrote.failure().status, wrote.failure().text, 53};
      queued.message_size += chunk.size();
    }
    Result<size_t> got = seekable ? pread_full(message, buffer, offset, "read the message")
                                  : read_some(message, buffer, "read the message");
    if (!got) return temporary(got.failure().text, 54);
    if (*got == 0) break;
    if (queued.message_size + *got > limit_bytes) {
      return permanent("the message is larger than " + std::to_string(limit_bytes) + " bytes", 31, "5.3.4");
    }
    offset += static_cast<off_t>(*got);
    chunk = {buffer.data(), *got};
  }
  queued.message_hash = XXH3_64bits_digest(hash.get());
  return {};
}

std::string make_records(const Envelope& envelope, const Environment& kept, QueuedMessage& queued) {
  std::string records;
  append_record(records, 's', envelope.sender);
  append_record_if(records, 'r', envelope.ret);
  append_record_if(records, 'e', envelope.envid);
  append_record_if(records, 'b', envelope.body);
  if (envelope.smtputf8) append_record(records, 'u', {});
  for (const auto& [name, value] : kept.pairs()) append_record(records, 'v', name + "=" + value);
  for (const Recipient& recipient : envelope.recipients) {
    queued.state_offsets.push_back(static_cast<off_t>(queued.message_size + records.size()));
    queued.states.push_back(RecipientState::pending);
    append_record(records, static_cast<char>(RecipientState::pending), recipient.address);
    append_record_if(records, 'n', recipient.notify);
    append_record_if(records, 'o', recipient.orcpt);
    append_record_if(records, 'h', recipient.route);
  }
  return records;
}

bool has_routes(const Envelope& envelope) {
  return std::any_of(envelope.recipients.begin(), envelope.recipients.end(),
                     [](const Recipient& recipient) { return !recipient.route.empty(); });
}

Failure damaged(std::string why) {
  Failure failure = temporary("read the queue file: " + std::move(why));
  failure.damaged = true;
  return failure;
}

// Of a version that this program does not know: it may be whole.
Failure not_understood(std::string why) {
  return temporary("read the queue file: " + std::move(why));
}

Result<Trailer> read_trailer(int fd, size_t size) {
  Trailer trailer{};
  if (size < sizeof trailer) return damaged("it is too short for a trailer");
  Result<std::string> bytes =
      pread_string(fd, static_cast<off_t>(size - sizeof trailer), sizeof trailer, "read the queue file");
  if (!bytes) return bytes.failure();
  std::memcpy(&trailer, bytes->data(), sizeof trailer);
  if (trailer.magic != kMagic) return damaged("it has no trailer");
  if (trailer.version != kVersion && trailer.version != kVersionWithRoutes)
    return not_understood("it is of version " + std::to_string(trailer.version));
  if (trailer.trailer_hash != trailer_hash(trailer)) return damaged("the trailer's checksum is wrong");
  if (trailer.records_size > size || trailer.message_size > size ||
      trailer.message_size + trailer.records_size + sizeof trailer != size) {
    return damaged("the trailer's lengths do not add up");
  }
  if (trailer.records_size > kRecordsLimitBytes) return not_understood("its records are longer than may be");
  return trailer;
}

bool is_small_letter(char letter) {
  return letter >= 'a' && letter <= 'z';
}

bool take_state(char letter, QueuedMessage& queued) {
  switch (static_cast<RecipientState>(letter)) {
    case RecipientState::pending:
    case RecipientState::done:
    case RecipientState::failed:
    case RecipientState::held:
    case RecipientState::removed:
      queued.states.push_back(static_cast<RecipientState>(letter));
      return true;
  }
  return false;
}

// Takes one record; capital letters are recipients in that state, small ones everything else.
bool take_record(std::string_view record, QueuedMessage& queued) {
  const std::string_view value = record.substr(1);
  Envelope& envelope = queued.envelope;
  const bool has_recipient = !envelope.recipients.empty();
  switch (record.front()) {
    case 's':
      envelope.sender = value;
      return true;
    case 'r':
      envelope.ret = value;
      return true;
    case 'e':
      envelope.envid = value;
      return true;
    case 'b':
      envelope.body = value;
      return true;
    case 'u':
      envelope.smtputf8 = true;
      return true;
    case 'v': {
      const size_t equals = value.find('=');
      if (equals == std::string_view::npos) return false;
      queued.kept.set(value.substr(0, equals), value.substr(equals + 1));
      return true;
    }
    case 'n':
      if (has_recipient) envelope.recipients.back().notify = value;
      return has_recipient;
    case 'o':
      if (has_recipient) envelope.recipients.back().orcpt = value;
      return has_recipient;
    case 'h':
      if (has_recipient) envelope.recipients.back().route = value;
      return has_recipient;
    default:
      if (!take_state(record.front(), queued)) return false;
      envelope.recipients.push_back({.address = std::string(value), .notify = {}, .orcpt = {}});
      return true;
  }
}

}  // namespace

Result<QueuedMessage> write_queue_file(int to, int message, size_t limit_bytes, std::string_view first_header,
                                       const Envelope& envelope, const Environment& kept) {
  QueuedMessage queued;
  queued.envelope = envelope;
  queued.kept = kept;
  queued.born = now_microseconds();
  Result<void> copied = copy_message(to, message, limit_bytes, first_header, queued);
  if (!copied) return copied.failure();
  std::string tail = make_records(envelope, kept, queued);
  Trailer trailer{.message_size = queued.message_size,
                  .records_size = tail.size(),
                  .message_hash = queued.message_hash,
                  .records_hash = hash_of(tail),
                  .born = queued.born,
                  .recipients = static_cast<uint32_t>(envelope.recipients.size()),
                  .version = has_routes(envelope) ? kVersionWithRoutes : kVersion,
                  .trailer_hash = 0,
                  .magic = kMagic};
  trailer.trailer_hash = trailer_hash(trailer);
  tail.append(reinterpret_cast<const char*>(&trailer), sizeof trailer);
  Result<void> wrote = write_all(to, tail, "write the records");
  if (!wrote) return Failure{Kind::temporary, wrote.failure().status, wrote.failure().text, 53};
  return queued;
}

Result<QueuedMessage> read_queue_file(int fd) {
  Result<size_t> size = file_size(fd, "read the queue file");
  if (!size) return size.failure();
  Result<Trailer> trailer = read_trailer(fd, *size);
  if (!trailer) return trailer.failure();
  Result<std::string> records = pread_string(fd, static_cast<off_t>(trailer->message_size),
                                             trailer->records_size, "read the queue file");
  if (!records) return records.failure();
  QueuedMessage queued;
  queued.message_size = trailer->message_size;
  queued.message_hash = trailer->message_hash;
  queued.born = trailer->born;
  bool all_known = true;
  size_t at = 0;
  while (at < records->size()) {
    const size_t end = records->find('\0', at);
    if (end == std::string::npos || end == at) return damaged("a record is cut short");
    const size_t recipients_before = queued.states.size();
    const bool known = take_record(std::string_view(*records).substr(at, end - at), queued);
    // A state byte is changed in place and in no checksum; of other records the checksum tells.
    if (!known && !is_small_letter((*records)[at])) return damaged("a record is unknown");
    all_known = all_known && known;
    if (queued.states.size() > recipients_before) {
      queued.state_offsets.push_back(static_cast<off_t>(queued.message_size + at));
      (*records)[at] = static_cast<char>(RecipientState::pending);
    }
    at = end + 1;
  }
  if (hash_of(*records) != trailer->records_hash) return damaged("the records' checksum is wrong");
  if (!all_known) return not_understood("a record is unknown");
  if (queued.states.size() != trailer->recipients) return damaged("a recipient is missing");
  return queued;
}

Result<bool> message_intact(int fd, const QueuedMessage& message) {
  const HashState hash{XXH3_createState()};
  XXH3_64bits_reset(hash.get());
  std::array<char, kBuffer> buffer;
  for (uint64_t at = 0; at < message.message_size;) {
    const size_t want = std::min<uint64_t>(buffer.size(), message.message_size - at);
    Result<size_t> got = pread_full(fd, {buffer.data(), want}, static_cast<off_t>(at), "read the message");
    if (!got) return got.failure();
    if (*got != want) return false;
    XXH3_64bits_update(hash.get(), buffer.data(), want);
    at += want;
  }
  return XXH3_64bits_digest(hash.get()) == message.message_hash;
}

Result<void> write_state(int fd, const QueuedMessage& message, size_t recipient, RecipientState state) {
  const char letter = static_cast<char>(state);
  return pwrite_all(fd, {&letter, 1}, message.state_offsets.at(recipient), "write a recipient's state");
}

}  // namespace postern
