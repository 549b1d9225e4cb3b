#include "smtpd/message.h"

#include "lib/log.h"
#include "lib/available_memory.h"
#include "smtpd/data.h"

namespace postern::smtpd {

namespace {

constexpr size_t kWriteBytes = 49152;                         // pieces that go to the file together
constexpr uint64_t kPassOverLimitBytes = 1024 * 1024 * 1024;  // of a message that is refused already
// All connections together could fill the memory, so what is left is looked at: first here, that small
// messages cost nothing, and then often enough that what comes between two looks is little.
constexpr uint64_t kFirstLookBytes = 1024 * 1024;
constexpr uint64_t kNextLookBytes = 4 * 1024 * 1024;
constexpr unsigned kHopLimit = 100;  // Received: fields; RFC 5321, 6.3

class SpoolFile {
 public:
  SpoolFile(std::string_view first_header, uint64_t least_free_bytes)
      : least_free_bytes_(least_free_bytes), waiting_(first_header) {
    waiting_.reserve(kWriteBytes + kInputBufferBytes);
    Result<Fd> made = memory_file("message");
    if (made) {
      fd_ = std::move(*made);
    } else {
      fail(made.failure());
    }
  }

  std::string& waiting() { return waiting_; }
  [[nodiscard]] bool failed() const { return failed_; }

  void write() {
    if (!failed_ && size_bytes_ + waiting_.size() > next_look_bytes_) look_at_memory();
    if (!failed_) {
      if (Result<void> wrote = write_all(fd_.get(), waiting_, "write the message to a memory file"); !wrote) {
        fail(wrote.failure());
      }
    }
    size_bytes_ += waiting_.size();
    waiting_.clear();
  }

  void close_into(Message& message) {
    write();
    if (Result<void> sealed = failed_ ? Result<void>() : seal(fd_.get()); !sealed) fail(sealed.failure());
    message.size_bytes = size_bytes_;
    if (failed_) {
      message.reply = fault_;
    } else {
      message.file = std::move(fd_);
    }
  }

 private:
  void look_at_memory() {
    next_look_bytes_ += kNextLookBytes;
    if (least_free_bytes_ == 0) return;
    const std::optional<uint64_t> available = available_memory_bytes();
    if (!available || *available >= least_free_bytes_) return;
    fail(temporary(std::to_string(*available >> 20) + " MiB of memory are available, less than the " +
                       std::to_string(least_free_bytes_ >> 20) + " of control/minfreememory",
                   0, "4.3.1"));
    fault_ = Reply::low_memory;
  }

  void fail(const Failure& failure) {
    log_warning("keep a message", failure);
    failed_ = true;
    fault_ = failure.status == "4.3.1" ? Reply::no_room : Reply::spool_fault;
    fd_.reset();  // gives the memory back now; the rest of the message may be long in coming
  }

  uint64_t least_free_bytes_;
  Fd fd_;
  std::string waiting_;
  uint64_t size_bytes_ = 0;
  uint64_t next_look_bytes_ = kFirstLookBytes;
  bool failed_ = false;
  Reply fault_ = Reply::ok;  // when failed
};

Reply fault_of(const DataReader& data, const HeaderScan& header) {
  if (data.bare_line_ends()) return Reply::bare_line_ends;
  if (data.too_large()) return Reply::too_large;
  if (header.hops() >= kHopLimit) return Reply::looping;
  return Reply::ok;
}

}  // namespace

Message receive_message(Client& client, std::string_view first_header, const MessageLimits& limits) {
  Message message;
  DataReader data(limits.message_bytes);
  SpoolFile spool(first_header, limits.least_free_bytes);
  uint64_t passed_over_bytes = 0;
  while (!data.ended() && passed_over_bytes <= kPassOverLimitBytes) {
    message.came = client.wait();
    if (message.came != Came::bytes) return message;
    const size_t before = spool.waiting().size();
    const size_t taken = data.take(client.buffered(), spool.waiting());
    client.take(taken);
    message.header.take(std::string_view(spool.waiting()).substr(before));
    if (data.at_fault() || spool.failed()) passed_over_bytes += taken;
    if (spool.waiting().size() >= kWriteBytes) spool.write();
  }
  message.ended = data.ended();
  message.header.finish();
  message.reply = fault_of(data, message.header);
  if (message.reply == Reply::ok) spool.close_into(message);
  return message;
}

}  // namespace postern::smtpd
