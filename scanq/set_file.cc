#include "scanq/set_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include "lib/mid.h"
#include "lib/next_hop.h"
#include "lib/record.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr std::array<char, 8> kMagic = {'P', 'O', 'S', 'T', 'S', 'E', 'T', '1'};
constexpr size_t kRecordsLimitBytes = size_t{64} << 20;
constexpr size_t kMostOutputs = 4096;

// All numbers little-endian, as in the queue file's trailer.
struct Head {
  std::array<char, 8> magic;
  uint64_t records_size;
};
static_assert(sizeof(Head) == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

Failure broken(std::string_view why) {
  return temporary("read a set: " + std::string(why));
}

// The same open file under several handles is one message.
Result<ino_t> identity(int file) {
  struct stat status {};
  if (::fstat(file, &status) < 0) return os_failure("look at a message", errno);
  return status.st_ino;
}

void append_output(std::string& records, const Output& output, size_t message) {
  append_record(records, output.holds.empty() ? 'Q' : 'H', std::to_string(output.mid));
  append_record(records, 'i', std::to_string(message));
  for (const Hold& hold : output.holds) {
    append_record(records, 'k', hold.quarantine);
    append_record(records, 'w', hold.reason);
  }
  for (const auto& [name, value] : output.environment.pairs())
    append_record(records, 'v', name + "=" + value);
  append_record(records, 's', output.envelope.sender);
  append_record_if(records, 'r', output.envelope.ret);
  append_record_if(records, 'e', output.envelope.envid);
  append_record_if(records, 'b', output.envelope.body);
  if (output.envelope.smtputf8) append_record(records, 'u', {});
  for (const Recipient& recipient : output.envelope.recipients) {
    append_record(records, 't', recipient.address);
    append_record_if(records, 'n', recipient.notify);
    append_record_if(records, 'o', recipient.orcpt);
    append_record_if(records, 'h', recipient.route);
  }
}

struct ReadOutput {
  Output output;
  size_t message = 0;
  bool to_quarantine = false;
  bool has_message = false;
  bool has_sender = false;
  bool reason_due = false;
};

struct Records {
  std::vector<uint64_t> message_sizes;
  std::vector<ReadOutput> outputs;
};

// One record of an output; false when it cannot stand there.
bool take_record(char letter, std::string_view value, ReadOutput& read) {
  Output& output = read.output;
  Envelope& envelope = output.envelope;
  if (read.reason_due && letter != 'w') return false;
  Recipient* last = envelope.recipients.empty() ? nullptr : &envelope.recipients.back();
  const bool too_long = value.size() > kAddressLimitBytes;
  switch (letter) {
    case 'i': {
      const std::optional<uint64_t> number = parse_number(value);
      if (!number || read.has_message) return false;
      read.message = *number;
      return read.has_message = true;
    }
    case 'k':
      if (!read.to_quarantine || value.empty()) return false;
      output.holds.push_back({std::string(value), {}});
      return read.reason_due = true;
    case 'w':
      if (!std::exchange(read.reason_due, false)) return false;
      output.holds.back().reason = value;
      return true;
    case 'v': {
      const size_t equals = value.find('=');
      if (equals == 0 || equals == std::string_view::npos) return false;
      output.environment.set(value.substr(0, equals), value.substr(equals + 1));
      return true;
    }
    case 's':
      if (read.has_sender || too_long) return false;
      envelope.sender = value;
      return read.has_sender = true;
    case 'r':
      envelope.ret = value;
      return !too_long;
    case 'e':
      envelope.envid = value;
      return !too_long;
    case 'b':
      envelope.body = value;
      return !too_long;
    case 'u':
      return envelope.smtputf8 = true;
    case 't':
      if (too_long || envelope.recipients.size() == kRecipientLimit) return false;
      envelope.recipients.push_back({.address = std::string(value), .notify = {}, .orcpt = {}});
      return true;
    case 'n':
      if (last != nullptr) last->notify = value;
      return last != nullptr && !too_long;
    case 'o':
      if (last != nullptr) last->orcpt = value;
      return last != nullptr && !too_long;
    case 'h':
      if (last != nullptr) last->route = value;
      return last != nullptr && is_next_hop(value);
    default:
      return false;
  }
}

bool is_whole(const ReadOutput& read) {
  return read.has_message && read.has_sender && !read.reason_due &&
         !read.output.envelope.recipients.empty() && read.to_quarantine == !read.output.holds.empty();
}

Result<Records> parse_records(std::string_view bytes) {
  Records records;
  while (!bytes.empty()) {
    const std::optional<std::string_view> record = cut_record(bytes);
    if (!record || record->empty()) return broken("a record is cut short");
    const char letter = record->front();
    const std::string_view value = record->substr(1);
    if (letter == 'm') {
      const std::optional<uint64_t> size = parse_number(value);
      if (!size || !records.outputs.empty() || records.message_sizes.size() == kMostOutputs)
        return broken("a message's size is wrong");
      records.message_sizes.push_back(*size);
    } else if (letter == 'Q' || letter == 'H') {
      const std::optional<uint64_t> mid = parse_mid(value);
      if (!mid || records.outputs.size() == kMostOutputs) return broken("an output's number is wrong");
      if (!records.outputs.empty() && !is_whole(records.outputs.back()))
        return broken("an output is not whole");
      records.outputs.emplace_back();
      records.outputs.back().output.mid = *mid;
      records.outputs.back().to_quarantine = letter == 'H';
    } else if (records.outputs.empty() || !take_record(letter, value, records.outputs.back())) {
      return broken("a record is wrong");
    }
  }
  if (records.outputs.empty() || !is_whole(records.outputs.back())) return broken("an output is not whole");
  return records;
}

// Each message in a sealed memory file of its own.
Result<std::vector<Fd>> read_messages(int file, size_t at, size_t end, const std::vector<uint64_t>& sizes) {
  std::vector<Fd> messages;
  for (const uint64_t size : sizes) {
    if (size > end - at) return broken("it is shorter than its messages");
    Result<Fd> message = memory_file("message");
    if (!message) return message.failure();
    Result<void> copied = copy_range(file, static_cast<off_t>(at), size, message->get(), "read a set");
    if (copied) copied = seal(message->get());
    if (!copied) return copied.failure();
    messages.push_back(std::move(*message));
    at += size;
  }
  if (at != end) return broken("something stands behind its end");
  return messages;
}

}  // namespace

Result<Fd> make_set_file(const std::vector<Output>& outputs) {
  std::vector<ino_t> known;
  std::vector<int> messages;
  std::string sizes;
  std::string records;
  for (const Output& output : outputs) {
    Result<ino_t> id = identity(output.message.get());
    if (!id) return id.failure();
    const auto found = std::find(known.begin(), known.end(), *id);
    append_output(records, output, static_cast<size_t>(found - known.begin()));
    if (found != known.end()) continue;
    Result<size_t> size = file_size(output.message.get(), "look at a message");
    if (!size) return size.failure();
    append_record(sizes, 'm', std::to_string(*size));
    known.push_back(*id);
    messages.push_back(output.message.get());
  }
  records.insert(0, sizes);
  if (records.size() > kRecordsLimitBytes || outputs.size() > kMostOutputs)
    return temporary("write a set: there are too many outputs or recipients");
  const Head head{.magic = kMagic, .records_size = records.size()};
  Result<Fd> file = memory_file("set");
  if (!file) return file;
  Result<void> wrote =
      write_all(file->get(), {reinterpret_cast<const char*>(&head), sizeof head}, "write a set");
  if (wrote) wrote = write_all(file->get(), records, "write a set");
  for (const int message : messages) {
    if (!wrote) break;
    Result<size_t> size = file_size(message, "look at a message");
    wrote = size ? copy_range(message, 0, *size, file->get(), "write a set") : Result<void>(size.failure());
  }
  if (wrote) wrote = seal(file->get());
  if (!wrote) return wrote.failure();
  return file;
}

Result<std::vector<Output>> read_set_file(int file) {
  Result<size_t> size = file_size(file, "read a set");
  if (!size) return size.failure();
  Head head{};
  if (*size < sizeof head) return broken("it is too short");
  Result<std::string> start = pread_string(file, 0, sizeof head, "read a set");
  if (!start) return start.failure();
  std::memcpy(&head, start->data(), sizeof head);
  if (head.magic != kMagic) return broken("it is none, or of a version that is not known");
  if (head.records_size > kRecordsLimitBytes || head.records_size > *size - sizeof head)
    return broken("its records are longer than it");
  Result<std::string> bytes = pread_string(file, sizeof head, head.records_size, "read a set");
  if (!bytes) return bytes.failure();
  Result<Records> records = parse_records(*bytes);
  if (!records) return records.failure();
  Result<std::vector<Fd>> messages =
      read_messages(file, sizeof head + head.records_size, *size, records->message_sizes);
  if (!messages) return messages.failure();
  std::set<uint64_t> mids;
  std::vector<Output> outputs;
  for (ReadOutput& read : records->outputs) {
    if (read.message >= messages->size()) return broken("an output has no message");
    if (!mids.insert(read.output.mid).second) return broken("two outputs have the same number");
    Result<Fd> message = twin((*messages)[read.message]);
    if (!message) return message.failure();
    read.output.message = std::move(*message);
    outputs.push_back(std::move(read.output));
  }
  return outputs;
}

}  // namespace postern
