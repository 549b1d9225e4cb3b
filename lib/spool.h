// A directory of queue files: queue/, work/ and each quarantine (design, Joint 3).
//
//   tmp/S/MID    being written       new/S/MID    durable, not yet seen by the program that works the spool
//   cur/S/MID    taken over by it    defer/S/MID  what was tried so far
//
// S is the mid modulo conf-split. The order that makes a message durable is fixed here and nowhere else:
// write under tmp/, fsync the file, rename to new/, fsync the directory, then say yes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/fd.h"
#include "lib/queue_file.h"
#include "lib/result.h"

namespace postern {

// Beside the directories of queue/: how many recipients were not sent to because of the global unsubscribe
// list, a decimal number, written by postern-send alone.
constexpr std::string_view kUnsubscribedFile = "unsubscribed";

// What is older in tmp/ is garbage; must stay above every deadline of a writer.
constexpr int64_t kGarbageSeconds = 36 * 60 * 60;

// A message that is complete and synced under tmp/. It is removed when this goes, unless it was committed.
class StagedMessage {
 public:
  StagedMessage() = default;
  StagedMessage(StagedMessage&& other) noexcept;
  StagedMessage& operator=(StagedMessage&& other) noexcept;
  ~StagedMessage();
  [[nodiscard]] uint64_t mid() const { return mid_; }
  [[nodiscard]] uint64_t message_size() const { return message_size_; }

 private:
  friend class Spool;
  uint64_t mid_ = 0;
  uint64_t message_size_ = 0;
  std::string temporary_path_;
};

class Spool {
 public:
  explicit Spool(std::string directory) : directory_(std::move(directory)) {}

  // Every directory of the layout, parents first, without the spool's own.
  [[nodiscard]] std::vector<std::string> directories() const;
  // Makes those that are missing and the spool's own, mode 0700.
  [[nodiscard]] Result<void> make_directories() const;

  struct Content {
    int message;                    // descriptor: a file (read from 0) or a pipe
    size_t limit_bytes;             // of the message
    std::string_view first_header;  // put before the message: a Received: line, or nothing
    const Envelope& envelope;
    const Environment& kept;
  };
  // Writes and fsyncs under tmp/; exit codes 53, 54, 31 or 61..66 in the failure. `wanted_mid` 0: makes one.
  [[nodiscard]] Result<StagedMessage> stage(const Content& content, uint64_t wanted_mid) const;
  // rename to new/ and fsync of the directory; the mid may be another one if the wanted one was taken. Who
  // may have been there before with the same message says so in `is_ours`: then nothing is added.
  [[nodiscard]] Result<uint64_t> commit(StagedMessage&& staged,
                                        const std::function<Result<bool>()>& is_ours = {}) const;

  [[nodiscard]] std::string path(std::string_view where, uint64_t mid) const;
  // The file in cur/ or new/, for reading and writing; a permanent failure when there is none.
  [[nodiscard]] Result<Fd> open(uint64_t mid) const;
  // All mids of tmp, new, cur or defer, unordered.
  [[nodiscard]] Result<std::vector<uint64_t>> list(std::string_view where) const;
  // Those of one part, added to `mids`; what was read before a failure too.
  [[nodiscard]] Result<void> list_part(std::string_view where, unsigned part,
                                       std::vector<uint64_t>& mids) const;
  // new/ to cur/; permanent failure when it is not in new/, temporary when cur/ has one of that name.
  [[nodiscard]] Result<void> take(uint64_t mid) const;
  // The message that was taken (it stands in cur/) is finished: removes it, and what stands beside it when
  // there is such.
  [[nodiscard]] Result<void> finish(uint64_t mid, bool was_deferred) const;
  // Removes the message wherever it stands, and what stands beside it.
  [[nodiscard]] Result<void> remove(uint64_t mid) const;
  // Removes what is older than 36 hours from tmp/, and from defer/ what stands beside no message any more.
  void collect_garbage() const;
  [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
  // It stands in new/: makes that durable.
  static Result<uint64_t> settle(StagedMessage& message, const std::string& final_path);
  void collect_unfinished() const;
  void collect_left_attempts() const;
  std::string directory_;
};

}  // namespace postern
