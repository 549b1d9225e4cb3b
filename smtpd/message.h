// One message, from behind DATA or from the chunks of BDAT, into a sealed memory file, ready to be handed on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/fd.h"
#include "smtpd/client.h"
#include "smtpd/data.h"
#include "smtpd/header_scan.h"
#include "smtpd/replies.h"

namespace postern::smtpd {

struct MessageLimits {
  TextLimits text;
  uint64_t header_bytes = 0;      // 0: any
  uint64_t hops = 0;              // so many Received: fields are too many; 0: never
  uint64_t least_free_bytes = 0;  // a large message is refused when less memory is available; 0: never
};

// What a refused message may still send; then the connection cannot go on.
constexpr uint64_t kPassOverLimitBytes = 1024 * 1024 * 1024;

struct Reading {
  Came came = Came::bytes;  // anything else: the client's input ended
  bool complete = false;    // all was read, up to the end of data or of the chunk
};

// The memory file while it is written.
class SpoolFile {
 public:
  SpoolFile(std::string_view first_header, uint64_t least_free_bytes);
  std::string& waiting() { return waiting_; }  // what is to be written next
  void write();
  [[nodiscard]] Reply fault() const { return fault_; }
  [[nodiscard]] uint64_t size_bytes() const { return size_bytes_; }
  void forget() {  // it will not be wanted: gives the memory back
    waiting_.clear();
    fd_.reset();
  }
  Fd sealed();  // everything is written; nothing when there is a fault

 private:
  void look_at_memory();
  void fail(const Failure& failure);

  uint64_t least_free_bytes_;
  Fd fd_;
  std::string waiting_;
  uint64_t size_bytes_ = 0;
  uint64_t next_look_bytes_;
  Reply fault_ = Reply::ok;
};

class MessageReceiver {
 public:
  MessageReceiver(Framing framing, std::string_view first_header, const MessageLimits& limits);

  // Before anything is read: what HeaderScan::keep_authors() keeps will be wanted.
  void keep_authors() { header_.keep_authors(); }

  // Both read on whatever is wrong with the message, so that the session can go on behind it.
  Reading read_data(Client& client);
  Reading read_chunk(Client& client, uint64_t bytes);

  // What is wrong so far; Reply::ok: nothing.
  [[nodiscard]] Reply fault() const;
  // The message is complete: sealed, `first_header` before it; nothing when there is a fault.
  Fd finish();
  [[nodiscard]] const HeaderScan& header() const { return header_; }
  [[nodiscard]] uint64_t size_bytes() const { return spool_.size_bytes(); }  // of the file, when finished

 private:
  Reading read(Client& client, uint64_t most_bytes);

  MessageLimits limits_;
  TextReader text_;
  HeaderScan header_;
  SpoolFile spool_;
  uint64_t passed_over_bytes_ = 0;
};

// Reads the bytes of a chunk that nobody wants.
Reading pass_over_chunk(Client& client, uint64_t bytes);

}  // namespace postern::smtpd
