#include "inject/incoming.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "inject/message_text.h"
#include "lib/available_memory.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/text.h"

namespace postern::inject {

namespace {

constexpr size_t kReadBytes = 65536;
constexpr uint64_t kNextLookBytes = 4 * 1024 * 1024;  // between two looks at the memory that is left
constexpr unsigned kHopLimit = 100;                   // Received: fields; RFC 5321, 6.3, as postern-smtpd

SmtpReply taken() {
  return queue_reply({.exit_code = 0, .reason = {}});
}
SmtpReply refused(const char* code, const char* status, std::string text) {
  return {.code = code, .status = status, .text = std::move(text)};
}

std::string number_or_nothing(const Environment& environment, std::string_view name) {
  const std::optional<uint64_t> number = parse_mid(environment.get_or(name, ""));
  return number ? std::to_string(*number) : std::string();
}

bool is_domain_byte(char c) {
  return static_cast<unsigned char>(c) > 0x20 && c != 0x7f &&
         std::string_view("<>()\\,;\"@").find(c) == std::string_view::npos;
}

// Nothing that could not be written in a log line or said to another host. Whether it is an address there is
// that host's business.
bool is_address(std::string_view address) {
  const size_t at = address.rfind('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == address.size()) return false;
  const std::string_view local_part = address.substr(0, at);
  const std::string_view domain = address.substr(at + 1);
  return std::none_of(local_part.begin(), local_part.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }) &&
         std::all_of(domain.begin(), domain.end(), is_domain_byte);
}

void complete(std::string& address, const std::string& me) {
  if (!address.empty() && address.find('@') == std::string::npos) address += "@" + lower(me);
}

class Copy {
 public:
  Copy(int from, const PickupSettings& settings) : from_(from), settings_(settings), buffer_(kReadBytes) {}

  OwnMessage make(const std::string& first_header) {
    OwnMessage message;
    message.reply = copy(first_header);
    if (message.reply.accepted()) {
      message.file = std::move(file_);
      message.size_bytes = size_bytes_;
    }
    return message;
  }

 private:
  SmtpReply copy(const std::string& first_header) {
    Result<Fd> made = memory_file("message");
    if (!made) return fault(made.failure(), 53);
    file_ = std::move(*made);
    if (Result<void> wrote = write_all(file_.get(), first_header, "keep the message"); !wrote)
      return fault(wrote.failure(), 53);
    size_bytes_ = first_header.size();
    std::string lines;
    for (;;) {
      Result<size_t> got = read();
      if (!got) return fault(got.failure(), 54);
      if (*got == 0) break;
      lines.clear();
      line_ends_.take({buffer_.data(), *got}, lines);
      if (const SmtpReply reply = keep(lines); !reply.accepted()) return reply;
    }
    if (hops_.hops() >= kHopLimit) return refused("554", "5.4.6", "too many hops: this message is looping");
    if (Result<void> sealed = seal(file_.get()); !sealed) return fault(sealed.failure(), 53);
    return taken();
  }

  // From the start of what can seek, whose offset the user shares; else, by hand, from a pipe.
  Result<size_t> read() {
    if (!is_pipe_) {
      Result<size_t> got = pread_full(from_, buffer_, at_, "read the message");
      if (got) {
        at_ += static_cast<off_t>(*got);
        return got;
      }
      if (at_ != 0 || ::lseek(from_, 0, SEEK_CUR) >= 0) return got;
      is_pipe_ = true;
    }
    return read_some(from_, buffer_, "read the message");
  }

  SmtpReply keep(std::string_view lines) {
    hops_.take(lines);
    line_breaks_ += static_cast<uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
    size_bytes_ += lines.size();
    const uint64_t limit = settings_.message_limit_bytes;
    if (limit != 0 && size_bytes_ + line_breaks_ > limit)
      return refused("552", "5.3.4", "the message is larger than " + std::to_string(limit) + " bytes");
    if (size_bytes_ > next_look_bytes_ && settings_.least_free_mib != 0) {
      next_look_bytes_ = size_bytes_ + kNextLookBytes;
      const std::optional<uint64_t> available = available_memory_bytes();
      if (available && *available < settings_.least_free_mib << 20)
        return refused("452", "4.3.1", "too little memory at the moment");
    }
    if (Result<void> wrote = write_all(file_.get(), lines, "keep the message"); !wrote)
      return fault(wrote.failure(), 53);
    return taken();
  }

  static SmtpReply fault(const Failure& failure, int exit_code) {
    log_warning("take a message", failure);
    return queue_reply({.exit_code = exit_code, .reason = {}});
  }

  int from_;
  const PickupSettings& settings_;
  std::vector<char> buffer_;
  Fd file_;
  LineEnds line_ends_;
  HopCounter hops_;
  off_t at_ = 0;
  bool is_pipe_ = false;
  uint64_t size_bytes_ = 0;
  uint64_t line_breaks_ = 0;
  uint64_t next_look_bytes_ = kNextLookBytes;
};

}  // namespace

Claims claims_of(const Environment& environment) {
  return {.mid = number_or_nothing(environment, "POSTERN_MID"),
          .parent = number_or_nothing(environment, "POSTERN_PARENT_MID"),
          .keep_unsigned = environment.get("POSTERN_SIGN") == "no"};
}

SmtpReply refusal_of_user(uid_t uid, const Claims& claims) {
  const std::string text = "user " + std::to_string(uid) + " may not hand mail in (control/pickupusers)";
  if (claims.parent.empty()) return refused("550", "5.7.1", text);
  return refused("451", "4.7.1", text + ", so its forwards wait");
}

Environment message_environment(uint64_t mid, const Claims& claims) {
  Environment environment;
  environment.set("POSTERN_MID", std::to_string(mid));
  environment.set("POSTERN_LISTENER", "local");
  environment.set("RELAYCLIENT", "");
  if (claims.keep_unsigned) environment.set("POSTERN_SIGN", "no");
  if (claims.parent.empty()) return environment;
  environment.set("POSTERN_PARENT_MID", claims.parent);
  // A forward: whoever sent its parent has his answer, and a verdict that refused it here would reach a
  // forged sender as a bounce. It is held instead.
  environment.set("POSTERN_DEFERRED", "1");
  return environment;
}

SmtpReply check_number(const Envelope& envelope, const Claims& claims, uint64_t most) {
  if (!claims.parent.empty() || envelope.recipients.size() <= most) return taken();
  return refused("554", "5.5.3", "more than " + std::to_string(most) + " recipients (control/maxrcpt)");
}

SmtpReply check_envelope(Envelope& envelope, const std::string& me) {
  complete(envelope.sender, me);
  if (!envelope.sender.empty() && !is_address(envelope.sender) && !envelope.sender.ends_with("-@[]"))
    return refused("553", "5.1.7", "the sender's address is none");
  for (Recipient& recipient : envelope.recipients) {
    complete(recipient.address, me);
    if (!is_address(recipient.address))
      return refused("553", "5.1.3", "the address \"" + printable(recipient.address, 100) + "\" is none");
  }
  return taken();
}

std::string received_line(uid_t uid, uint64_t mid, const std::string& me) {
  return "Received: (invoked by uid " + std::to_string(uid) + ")\n  by " + me + " with local id " +
         std::to_string(mid) + ";\n  " + rfc5322_date(now_microseconds() / 1000000) + "\n";
}

OwnMessage copy_message(int from, const std::string& first_header, const PickupSettings& settings) {
  return Copy(from, settings).make(first_header);
}

}  // namespace postern::inject
