#include "smtpd/message.h"

#include <algorithm>

#include "lib/available_memory.h"
#include "lib/log.h"

namespace postern::smtpd {

namespace {

constexpr size_t kWriteBytes = 49152;  // pieces that go to the file together
// All connections together could fill the memory, so what is left is looked at: first here, that small
// messages cost nothing, and then often enough that what comes between two looks is little.
constexpr uint64_t kFirstLookBytes = 1024 * 1024;
constexpr uint64_t kNextLookBytes = 4 * 1024 * 1024;
// Two hundred connections that look at the same moment come by no more than this before they look again;
// when less than this is left to the limit, they look so often that together they pass it by 50 MiB.
constexpr uint64_t kNearBytes = 1024 * 1024 * 1024;
constexpr uint64_t kNextLookNearBytes = 256 * 1024;

}  // namespace

SpoolFile::SpoolFile(std::string_view first_header, uint64_t least_free_bytes)
    : least_free_bytes_(least_free_bytes), waiting_(first_header), next_look_bytes_(kFirstLookBytes) {
  waiting_.reserve(kWriteBytes + kInputBufferBytes);
  Result<Fd> made = memory_file("message");
  if (made) {
    fd_ = std::move(*made);
  } else {
    fail(made.failure());
  }
}

void SpoolFile::write() {
  if (fault_ == Reply::ok && size_bytes_ + waiting_.size() > next_look_bytes_) look_at_memory();
  if (fault_ == Reply::ok) {
    if (Result<void> wrote = write_all(fd_.get(), waiting_, "write the message to a memory file"); !wrote) {
      fail(wrote.failure());
    }
  }
  size_bytes_ += waiting_.size();
  waiting_.clear();
}

Fd SpoolFile::sealed() {
  write();
  if (fault_ != Reply::ok) return Fd{};
  if (Result<void> done = seal(fd_.get()); !done) fail(done.failure());
  return std::move(fd_);
}

void SpoolFile::look_at_memory() {
  const uint64_t now = size_bytes_ + waiting_.size();
  next_look_bytes_ = now + kNextLookBytes;
  if (least_free_bytes_ == 0) return;
  const std::optional<uint64_t> available = available_memory_bytes();
  if (!available) return;
  if (*available >= least_free_bytes_) {
    if (*available - least_free_bytes_ < kNearBytes) next_look_bytes_ = now + kNextLookNearBytes;
    return;
  }
  fail(temporary(std::to_string(*available >> 20) + " MiB of memory are available, less than the " +
                     std::to_string(least_free_bytes_ >> 20) + " of control/minfreememory",
                 0, "4.3.1"));
  fault_ = Reply::low_memory;
}

void SpoolFile::fail(const Failure& failure) {
  log_warning("keep a message", failure);
  fault_ = failure.status == "4.3.1" ? Reply::no_room : Reply::spool_fault;
  forget();
}

MessageReceiver::MessageReceiver(Framing framing, std::string_view first_header, const MessageLimits& limits)
    : limits_(limits), text_(framing, limits.text), spool_(first_header, limits.least_free_bytes) {}

Reading MessageReceiver::read_data(Client& client) {
  return read(client, UINT64_MAX);
}

Reading MessageReceiver::read_chunk(Client& client, uint64_t bytes) {
  return read(client, bytes);
}

Reading MessageReceiver::read(Client& client, uint64_t most_bytes) {
  while (!text_.ended() && most_bytes > 0) {
    if (passed_over_bytes_ > kPassOverLimitBytes) return {};
    if (const Came came = client.wait(); came != Came::bytes) return {.came = came};
    const size_t before = spool_.waiting().size();
    const std::string_view input = client.buffered();
    const size_t taken =
        text_.take(input.substr(0, std::min<uint64_t>(most_bytes, input.size())), spool_.waiting());
    client.take(taken);
    most_bytes -= taken;
    header_.take(std::string_view(spool_.waiting()).substr(before));
    if (fault() != Reply::ok) {
      passed_over_bytes_ += taken;
      spool_.forget();  // the rest may be long in coming
    }
    if (spool_.waiting().size() >= kWriteBytes) spool_.write();
  }
  return {.complete = true};
}

Reply MessageReceiver::fault() const {
  if (text_.bare_line_ends() && limits_.text.bare_line_ends == BareLineEnds::refuse)
    return Reply::bare_line_ends;
  if (text_.too_large()) return Reply::too_large;
  if (text_.line_too_long()) return Reply::text_line_too_long;
  if (limits_.header_bytes != 0 && header_.size_bytes() > limits_.header_bytes)
    return Reply::header_too_large;
  if (limits_.hops != 0 && header_.hops() >= limits_.hops) return Reply::looping;
  return spool_.fault();
}

Fd MessageReceiver::finish() {
  const size_t before = spool_.waiting().size();
  text_.finish(spool_.waiting());
  header_.take(std::string_view(spool_.waiting()).substr(before));
  header_.finish();
  return fault() == Reply::ok ? spool_.sealed() : Fd{};
}

Reading pass_over_chunk(Client& client, uint64_t bytes) {
  if (bytes > kPassOverLimitBytes) return {};
  while (bytes > 0) {
    if (const Came came = client.wait(); came != Came::bytes) return {.came = came};
    const size_t taken = std::min<uint64_t>(bytes, client.buffered().size());
    client.take(taken);
    bytes -= taken;
  }
  return {.complete = true};
}

}  // namespace postern::smtpd
