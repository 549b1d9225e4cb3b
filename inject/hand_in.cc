#include "inject/hand_in.h"

#include <unistd.h>

#include <algorithm>
#include <vector>

#include "inject/message_text.h"
#include "lib/child.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/text.h"

namespace postern::inject {

namespace {

constexpr size_t kReadBytes = 65536;
constexpr int64_t kQueueMilliseconds = 240000;
constexpr unsigned kAlarmSeconds = 300;  // from the end of the input on; a program may take days to write it

// What comes on descriptor 0, with LF line ends, up to its end or the line of a dot.
class Input {
 public:
  explicit Input(bool dot_ends) : dot_ends_(dot_ends), buffer_(kReadBytes) {}

  // Appends the next bytes; false at the end.
  Result<bool> read(std::string& out) {
    if (ended_) return false;
    Result<size_t> got = read_some(0, buffer_, "read the message");
    if (!got) return got.failure();
    if (*got == 0) {
      ended_ = true;
      return false;
    }
    const std::string_view bytes(buffer_.data(), *got);
    if (!dot_ends_) {
      line_ends_.take(bytes, out);
      return true;
    }
    std::string lines;
    line_ends_.take(bytes, lines);
    dot_end_.take(lines, out);
    ended_ = dot_end_.ended();
    return true;
  }

  // Reads what is left, so that whoever writes sees our exit code and not a broken pipe.
  void drain() {
    std::string passed_over;
    while (!ended_) {
      passed_over.clear();
      if (Result<bool> more = read(passed_over); !more) return;
    }
  }

 private:
  bool dot_ends_;
  bool ended_ = false;
  std::vector<char> buffer_;
  LineEnds line_ends_;
  DotEnd dot_end_;
};

// A memory file that takes no more than the limit, counted as RFC 1870 does: with CR LF.
class Letter {
 public:
  explicit Letter(uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  Result<void> open() {
    Result<Fd> made = memory_file("message");
    if (!made) return made.failure();
    file_ = std::move(*made);
    return {};
  }
  Result<void> write(std::string_view bytes) {
    size_bytes_ += bytes.size() + static_cast<uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
    if (limit_bytes_ != 0 && size_bytes_ > limit_bytes_)
      return permanent(
          "take the message: it has more than " + std::to_string(limit_bytes_) + " bytes (control/databytes)",
          0, "5.3.4");
    return write_all(file_.get(), bytes, "keep the message");
  }
  [[nodiscard]] const Fd& file() const { return file_; }

 private:
  uint64_t limit_bytes_;
  uint64_t size_bytes_ = 0;
  Fd file_;
};

SmtpReply reply_of(const Failure& failure) {
  const char* code = failure.permanent() ? "554" : "451";
  return {.code = code, .status = failure.status, .text = "unable to " + failure.text};
}

Result<Composed> read_and_compose(Input& input, HeaderReader& header, const Order& order,
                                  const Setup& setup) {
  std::string bytes;
  while (!header.over()) {
    bytes.clear();
    Result<bool> more = input.read(bytes);
    if (!more) return more.failure();
    if (!*more) header.finish();
    if (Result<void> taken = header.take(bytes); !taken) return taken.failure();
  }
  return compose(header.fields(), order, setup, now_microseconds() / 1000000, make_mid());
}

Result<void> write_letter(Letter& letter, Input& input, const HeaderReader& header,
                          const Composed& composed) {
  if (Result<void> opened = letter.open(); !opened) return opened;
  if (Result<void> wrote = letter.write(composed.header); !wrote) return wrote;
  std::string bytes = header.rest();
  for (;;) {
    if (Result<void> wrote = letter.write(bytes); !wrote) return wrote;
    bytes.clear();
    Result<bool> more = input.read(bytes);
    if (!more) return more.failure();
    if (!*more) return seal(letter.file().get());
  }
}

Result<void> print(const Letter& letter) {
  ::lseek(letter.file().get(), 0, SEEK_SET);
  Result<size_t> copied = copy_to_end(letter.file().get(), 1, SIZE_MAX, "print the message");
  return copied ? Result<void>() : Result<void>(copied.failure());
}

}  // namespace

SmtpReply hand_in(const Order& order, const Environment& environment, Then then) {
  Result<Setup> setup = read_setup(environment);
  if (!setup) return reply_of(setup.failure());
  Input input(order.dot_ends);
  HeaderReader header;
  Result<Composed> composed = read_and_compose(input, header, order, *setup);
  Letter letter(setup->message_limit_bytes);
  Result<void> written = composed ? write_letter(letter, input, header, *composed) : composed.failure();
  if (!written) {
    input.drain();
    return reply_of(written.failure());
  }
  if (then == Then::print) {
    if (Result<void> printed = print(letter); !printed) return reply_of(printed.failure());
    return queue_reply({.exit_code = 0, .reason = {}});
  }
  ::alarm(kAlarmSeconds);
  return queue_reply(submit(environment.get_or("QMAILQUEUE", "@pickup"), letter.file().get(),
                            composed->envelope, environment, now_milliseconds() + kQueueMilliseconds));
}

}  // namespace postern::inject
