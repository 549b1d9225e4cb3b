#include "smtpd/message.h"

#include "lib/log.h"
#include "smtpd/data.h"

namespace postern::smtpd {

namespace {

constexpr size_t kWriteBytes = 49152;                         // pieces that go to the file together
constexpr uint64_t kPassOverLimitBytes = 1024 * 1024 * 1024;  // of a message that is refused already
constexpr unsigned kHopLimit = 100;                           // Received: fields; RFC 5321, 6.3

class SpoolFile {
 public:
  explicit SpoolFile(std::string_view first_header) : waiting_(first_header) {
    waiting_.reserve(kWriteBytes + kInputBufferBytes);
    Result<Fd> made = memory_file("message");
    if (made) {
      fd_ = std::move(*made);
    } else {
      fail(made.failure());
    }
  }

  std::string& waiting() { return waiting_; }

  void write() {
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
      message.reply = full_ ? Reply::no_room : Reply::spool_fault;
    } else {
      message.file = std::move(fd_);
    }
  }

 private:
  void fail(const Failure& failure) {
    log_warning("keep a message", failure);
    failed_ = true;
    full_ = failure.status == "4.3.1";
  }

  Fd fd_;
  std::string waiting_;
  uint64_t size_bytes_ = 0;
  bool failed_ = false;
  bool full_ = false;
};

Reply fault_of(const DataReader& data, const HeaderScan& header) {
  if (data.bare_line_ends()) return Reply::bare_line_ends;
  if (data.too_large()) return Reply::too_large;
  if (header.hops() >= kHopLimit) return Reply::looping;
  return Reply::ok;
}

}  // namespace

Message receive_message(Client& client, std::string_view first_header, uint64_t limit_bytes) {
  Message message;
  DataReader data(limit_bytes);
  SpoolFile spool(first_header);
  uint64_t passed_over_bytes = 0;
  while (!data.ended() && passed_over_bytes <= kPassOverLimitBytes) {
    message.came = client.wait();
    if (message.came != Came::bytes) return message;
    const size_t before = spool.waiting().size();
    const size_t taken = data.take(client.buffered(), spool.waiting());
    client.take(taken);
    message.header.take(std::string_view(spool.waiting()).substr(before));
    if (data.at_fault()) passed_over_bytes += taken;
    if (spool.waiting().size() >= kWriteBytes) spool.write();
  }
  message.ended = data.ended();
  message.header.finish();
  message.reply = fault_of(data, message.header);
  if (message.reply == Reply::ok) spool.close_into(message);
  return message;
}

}  // namespace postern::smtpd
