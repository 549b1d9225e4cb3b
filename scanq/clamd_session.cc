#include "scanq/clamd_session.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>

#include "lib/fd.h"
#include "lib/text.h"
#include "scanq/clamd_protocol.h"

// Commands are answered one after another, in an IDSESSION too: the client's scans at once are its
// connections.

namespace postern {

namespace {

constexpr size_t kReadBytes = 65536;
constexpr size_t kWaitingFds = 16;

// A file's name in a reply, which is a line.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, '?');
  return text;
}

class Session {
 public:
  Session(int connection, const ClamdLimits& limits, const ClamdAnswers& answers)
      : connection_(connection), limits_(limits), answers_(answers), block_(kReadBytes, '\0') {}

  void converse() {
    for (;;) {
      const std::optional<TakenCommand> taken = take_clamd_command(bytes_, whole_);
      if (!taken) {
        if (!receive()) return;
        continue;
      }
      bytes_.erase(0, taken->bytes);
      ::alarm(limits_.scan_seconds + static_cast<unsigned>(limits_.idle_seconds));
      terminator_ = taken->command.terminator;
      if (!obey(taken->command) || !numbered_) return;
    }
  }

 private:
  // More bytes of the client behind those that we have, and descriptors with them. False: that was all.
  bool receive() {
    pollfd wait{connection_, POLLIN, 0};
    const int ready = ::poll(&wait, 1, limits_.idle_seconds * 1000);
    if (ready < 0 && errno == EINTR) return true;
    if (ready <= 0) return false;
    iovec part{block_.data(), block_.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(kWaitingFds * sizeof(int))> control{};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t count = ::recvmsg(connection_, &header, MSG_CMSG_CLOEXEC);
    if (count < 0) return errno == EINTR;
    keep_descriptors(header);
    if (count == 0 || fds_.size() > kWaitingFds) return false;
    // An old client's command is what it sends at once.
    whole_ = bytes_.empty();
    bytes_.append(block_, 0, static_cast<size_t>(count));
    return true;
  }

  void keep_descriptors(msghdr& header) {
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
      if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
      const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (size_t i = 0; i < count; ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
        fds_.emplace_back(fd);
      }
    }
  }

  bool reply(const std::string& text) {
    const std::string number = numbered_ ? std::to_string(number_) + ": " : "";
    return write_all(connection_, number + text + terminator_, "answer a client of clamd").ok();
  }

  // False: the connection ends here. In a session each command but END counts.
  bool obey(const ClamdCommand& command) {
    if (numbered_) ++number_;
    switch (command.verb) {
      case ClamdVerb::ping:
        return reply("PONG");
      case ClamdVerb::version:
        return reply(answers_.version());
      case ClamdVerb::version_commands:
        return reply(answers_.version() + "| " + std::string(clamd_command_names()));
      case ClamdVerb::stats:
        return reply(answers_.stats() + "END");
      case ClamdVerb::reload:
        return reply(answers_.reload() ? "RELOADING" : "the scanner is away. ERROR");
      case ClamdVerb::scan:
        return scan_path(command.argument, true);
      case ClamdVerb::contscan:
      case ClamdVerb::multiscan:
      case ClamdVerb::allmatchscan:
        return scan_path(command.argument, false);
      case ClamdVerb::instream:
        return scan_stream();
      case ClamdVerb::fildes:
        return scan_descriptor();
      case ClamdVerb::idsession:
        // Only with a prefix: without one nobody knows where a command ends.
        if (!command.prefixed || numbered_) break;
        numbered_ = true;
        return true;
      case ClamdVerb::end:
        return false;
      case ClamdVerb::unknown:
        break;
    }
    (void)reply("UNKNOWN COMMAND");
    return false;
  }

  bool scan_stream() {
    Result<Fd> file = memory_file("stream");
    ClamdStream stream;
    for (size_t size = 0; !stream.ended();) {
      std::string_view rest = bytes_;
      const std::string_view content = stream.take(rest);
      const bool fits = content.size() <= limits_.stream_bytes - size;
      const bool kept = fits && file && write_all(file->get(), content, "keep a stream").ok();
      if (!kept) {
        (void)reply(fits ? "no room for the stream. ERROR" : "INSTREAM size limit exceeded. ERROR");
        return false;
      }
      size += content.size();
      bytes_.erase(0, bytes_.size() - rest.size());
      if (content.empty() && !stream.ended() && !receive()) return false;
    }
    return reply("stream: " + (file ? answers_.scan(file->get()) : "no memory. ERROR"));
  }

  // The descriptor comes with one byte behind the command.
  bool scan_descriptor() {
    while (bytes_.empty() || fds_.empty()) {
      if (!bytes_.empty() || !receive()) {
        (void)reply("no descriptor came. ERROR");
        return false;
      }
    }
    bytes_.erase(0, 1);
    const Fd fd = std::move(fds_.front());
    fds_.pop_front();
    struct stat status {};
    const bool is_file = ::fstat(fd.get(), &status) == 0 && S_ISREG(status.st_mode);
    return reply("fd[" + std::to_string(fd.get()) +
                 "]: " + (is_file ? answers_.scan(fd.get()) : std::string("not a regular file. ERROR")));
  }

  bool scan_path(const std::string& path, bool until_first) {
    const Fd fd{path.starts_with('/') ? ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
                                      : -1};
    const std::string shown = one_line(path);
    if (!fd) {
      const char* why = path.starts_with('/') ? std::strerror(errno) : "it does not begin with a slash";
      return reply(shown + ": File path check failure: " + why + ". ERROR");
    }
    struct stat status {};
    if (::fstat(fd.get(), &status) < 0 || (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)))
      return reply(shown + ": Not supported file type. ERROR");
    files_ = 0;
    reported_ = false;
    if (S_ISREG(status.st_mode)) return reply(shown + ": " + answers_.scan(fd.get()));
    if (!scan_directory(fd, path, 0, until_first)) return false;
    return reported_ || reply(shown + ": OK");
  }

  // False: the client has gone.
  bool scan_directory(const Fd& directory, const std::string& path, size_t depth, bool until_first) {
    const int copy = ::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, int (*)(DIR*)> opened{copy < 0 ? nullptr : ::fdopendir(copy), ::closedir};
    if (!opened) return report(path, std::string(std::strerror(errno)) + ". ERROR");
    while (const dirent* entry = ::readdir(opened.get())) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (until_first && reported_) return true;
      const std::string inner = std::string(path).append(path.ends_with('/') ? "" : "/").append(name);
      if (!scan_entry(directory.get(), inner, entry->d_name, depth, until_first)) return false;
    }
    return true;
  }

  bool scan_entry(int directory, const std::string& path, const char* name, size_t depth, bool until_first) {
    // O_NONBLOCK: a FIFO would wait for its writer.
    const Fd fd{::openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    struct stat status {};
    if (!fd) return errno == ELOOP || report(path, std::string(std::strerror(errno)) + ". ERROR");
    if (::fstat(fd.get(), &status) < 0) return true;
    if (S_ISDIR(status.st_mode)) {
      return depth < limits_.depth ? scan_directory(fd, path, depth + 1, until_first)
                                   : report(path, "too many directories inside each other. ERROR");
    }
    if (!S_ISREG(status.st_mode)) return true;
    if (++files_ > limits_.files) return report(path, "too many files. ERROR");
    ::alarm(limits_.scan_seconds);
    const std::string answer = answers_.scan(fd.get());
    return answer == "OK" || report(path, answer);
  }

  bool report(const std::string& path, const std::string& answer) {
    reported_ = true;
    return reply(one_line(path) + ": " + answer);
  }

  int connection_;
  const ClamdLimits& limits_;
  const ClamdAnswers& answers_;
  std::string block_;
  std::string bytes_;  // received, not yet taken
  bool whole_ = false;
  std::deque<Fd> fds_;
  bool numbered_ = false;  // in an IDSESSION
  unsigned number_ = 0;
  char terminator_ = '\n';
  size_t files_ = 0;
  bool reported_ = false;
};

}  // namespace

void converse_clamd(int connection, const ClamdLimits& limits, const ClamdAnswers& answers) {
  Session(connection, limits, answers).converse();
}

}  // namespace postern
