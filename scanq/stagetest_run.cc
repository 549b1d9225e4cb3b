#include "scanq/stagetest_run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "lib/call.h"
#include "lib/child.h"
#include "lib/request.h"
#include "lib/text.h"
#include "scanq/stagetest_processes.h"

namespace postern::stagetest {

namespace {

constexpr size_t kOutputLimitBytes = size_t{256} * 1024 * 1024;
constexpr size_t kLogKeptBytes = 4096;

// A file on disk that goes with its descriptor.
Result<Fd> disk_file_with(std::string_view bytes) {
  const char* parent = ::getenv("TMPDIR");
  std::string path = std::string(parent != nullptr ? parent : "/tmp") + "/postern-stagetest.XXXXXX";
  Fd file{::mkostemp(path.data(), O_CLOEXEC)};
  if (!file) return os_failure("make a file like " + path, errno);
  ::unlink(path.c_str());
  if (Result<void> wrote = write_all(file.get(), bytes, "write a file"); !wrote) return wrote.failure();
  return file;
}

struct GivenFile {
  Fd ours;
  Fd theirs;
};

Result<GivenFile> give(std::string_view bytes, Given as, const char* name) {
  Result<Fd> file = as == Given::disk_file ? disk_file_with(bytes) : memory_file_with(name, bytes);
  if (!file) return file.failure();
  if (as == Given::sealed) {
    if (Result<void> sealed = seal(file->get()); !sealed) return sealed.failure();
  }
  const std::string path = "/proc/self/fd/" + std::to_string(file->get());
  const int how = as == Given::unreadable ? O_WRONLY : O_RDONLY;
  Fd theirs{::open(path.c_str(), how | O_CLOEXEC)};
  if (!theirs) return os_failure("open " + path, errno);
  return GivenFile{std::move(*file), std::move(theirs)};
}

bool still_holds(int fd, std::string_view bytes) {
  Result<size_t> size = file_size(fd, "look at a file");
  if (!size || *size != bytes.size()) return false;
  std::array<char, 65536> buffer;
  for (size_t at = 0; at < bytes.size(); at += buffer.size()) {
    Result<size_t> got = pread_full(fd, buffer, static_cast<off_t>(at), "look at a file");
    if (!got || bytes.substr(at, buffer.size()) != std::string_view(buffer.data(), *got)) return false;
  }
  return true;
}

bool contains(const std::vector<int>& list, int number) {
  return std::find(list.begin(), list.end(), number) != list.end();
}

// The reading end is non-blocking, the other one is as a stage finds it in scanq.
struct Pipe {
  Fd reading, writing;
};
Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) < 0) return os_failure("make a pipe", errno);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// Everything that is there now; false at end of file.
bool drain(int fd, std::string& into) {
  std::array<char, 16384> buffer;
  for (int reads = 0; reads < 16; ++reads) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0) return errno == EINTR || errno == EAGAIN;
    if (got == 0) return false;
    into.append(buffer.data(), static_cast<size_t>(got));
  }
  return true;
}

std::string last_line(std::string_view log) {
  while (log.ends_with('\n')) log.remove_suffix(1);
  return std::string(log.substr(log.rfind('\n') + 1));
}

Environment process_environment(const StageRequest& request) {
  if (request.bare_environment) {
    Environment bare;
    bare.set("PATH", "/usr/local/bin:/usr/bin:/bin");
    return bare;
  }
  Environment all = child_environment(request.environment);
  for (const auto& [name, value] : request.settings) all.set(name, value);
  return all;
}

std::vector<PassedFd> passed(const StageRequest& request, const Fd& message, const Fd& envelope,
                             const Fd& output) {
  std::vector<PassedFd> fds;
  if (!contains(request.absent, 0)) fds.push_back({message.get(), 0});
  if (!contains(request.absent, 3)) fds.push_back({envelope.get(), 3});
  if (!contains(request.absent, 4)) fds.push_back({output.get(), 4});
  return fds;
}

}  // namespace

Result<StageProgram> parse_stage_program(std::string_view program) {
  StageProgram parsed;
  for (const std::string_view word : words(program)) parsed.words.emplace_back(word);
  if (parsed.words.empty()) return permanent("no program is named");
  if (parsed.words.front().starts_with('@')) {
    parsed.resident = true;
    parsed.service = parsed.words.front().substr(1);
    if (parsed.service.empty() || parsed.words.size() > 1) return permanent("@NAME stands alone");
  }
  return parsed;
}

StageRun StageRun::begin(const StageProgram& program, const StageRequest& request,
                         int64_t timeout_milliseconds) {
  StageRun run;
  run.started_ = now_milliseconds();
  run.deadline_ = run.started_ + timeout_milliseconds;
  run.open_files(request);
  if (!run.seen_.not_asked.empty()) return run;
  if (!program.resident) {
    run.start_path(program, request);
    return run;
  }
  Result<Fd> connection = connect_service(program.service, run.deadline_);
  if (!connection) {
    run.seen_.not_asked = connection.failure().text;
    return run;
  }
  run.connection_ = std::move(*connection);
  run.asked_on_ = run.connection_.get();
  run.ask_resident(request);
  return run;
}

StageRun StageRun::begin_on(int connection, const StageRequest& request, int64_t timeout_milliseconds) {
  StageRun run;
  run.started_ = now_milliseconds();
  run.deadline_ = run.started_ + timeout_milliseconds;
  run.open_files(request);
  run.asked_on_ = connection;
  if (run.seen_.not_asked.empty()) run.ask_resident(request);
  return run;
}

void StageRun::open_files(const StageRequest& request) {
  message_text_ = request.message;
  envelope_text_ = request.envelope;
  Result<GivenFile> message = give(request.message, request.message_as, "message");
  Result<GivenFile> envelope = give(request.envelope, request.envelope_as, "envelope");
  Result<Fd> output = memory_file("output");
  if (!message || !envelope || !output) {
    seen_.not_asked = (!message ? message.failure() : !envelope ? envelope.failure() : output.failure()).text;
    return;
  }
  message_file_ = std::move(message->ours);
  message_ = std::move(message->theirs);
  envelope_file_ = std::move(envelope->ours);
  envelope_ = std::move(envelope->theirs);
  output_ = std::move(*output);
}

void StageRun::start_path(const StageProgram& program, const StageRequest& request) {
  Result<Pipe> verdict = make_pipe();
  Result<Pipe> log = make_pipe();
  if (!verdict || !log) {
    seen_.not_asked = (!verdict ? verdict.failure() : log.failure()).text;
    return;
  }
  ChildOptions options;
  options.arguments = program.words;
  options.environment = process_environment(request);
  options.directory = request.directory;
  options.dies_with_us = true;
  options.fds = passed(request, message_, envelope_, output_);
  options.fds.push_back({verdict->writing.get(), 1});
  const Fd full{request.full_log ? ::open("/dev/full", O_WRONLY | O_CLOEXEC) : -1};
  if (!contains(request.absent, 2)) options.fds.push_back({full ? full.get() : log->writing.get(), 2});
  for (const int number : {0, 2}) {
    if (contains(request.absent, number)) options.closed.push_back(number);
  }
  Result<pid_t> pid = start_child(options);
  if (!pid) {
    seen_.not_asked = pid.failure().text;
    return;
  }
  pid_ = *pid;
  verdict_ = std::move(verdict->reading);
  log_ = std::move(log->reading);
}

void StageRun::ask_resident(const StageRequest& request) {
  Request packet{.arguments = {},
                 .environment = request.environment,
                 .fds = passed(request, message_, envelope_, output_)};
  Result<void> sent = send_request(asked_on_, packet);
  if (sent) return;
  seen_.no_reply = true;
  seen_.last_words = sent.failure().text;
}

void StageRun::hang_up() {
  verdict_.reset();
  connection_.reset();
}

// As scanq does it: until the process has ended, not until all others have closed the pipe.
void StageRun::follow_path() {
  const Fd life{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))};
  std::string log;
  for (bool ended = false; !ended;) {
    std::array<pollfd, 3> waits = {
        {{life.get(), POLLIN, 0}, {verdict_.get(), POLLIN, 0}, {log_.get(), POLLIN, 0}}};
    const int64_t left = std::max<int64_t>(deadline_ - now_milliseconds(), 0);
    const int ready = ::poll(waits.data(), waits.size(), static_cast<int>(std::min<int64_t>(left, 1 << 30)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      seen_.late = true;
      ::kill(-pid_, SIGKILL);
      ::kill(pid_, SIGKILL);
    }
    ended = ready <= 0 || waits[0].revents != 0;
    if (verdict_ && !drain(verdict_.get(), seen_.verdict)) verdict_.reset();
    if (log_ && !drain(log_.get(), log)) log_.reset();
    if (log.size() > kLogKeptBytes) log.erase(0, log.size() - kLogKeptBytes);
    if (seen_.verdict.size() > kReplyLimitBytes) {
      seen_.flooded = true;
      seen_.verdict.resize(kReplyLimitBytes);
      verdict_.reset();
    }
  }
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) seen_.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status) && !seen_.late) seen_.signal = WTERMSIG(status);
  seen_.last_words = last_line(log);
}

void StageRun::wait_for_reply() {
  Result<Reply> reply = await_reply(asked_on_, deadline_);
  if (reply) {
    seen_.exit_code = reply->exit_code;
    seen_.verdict = std::move(reply->output);
  } else if (now_milliseconds() >= deadline_) {
    seen_.late = true;
  } else {
    seen_.no_reply = true;
    seen_.last_words = reply.failure().text;
  }
}

void StageRun::look_at_files() {
  seen_.message_changed = !still_holds(message_file_.get(), message_text_);
  seen_.envelope_changed = !still_holds(envelope_file_.get(), envelope_text_);
  Result<std::string> output = read_whole(output_.get(), kOutputLimitBytes, "read what it wrote");
  if (output) seen_.output = std::move(*output);
}

Seen StageRun::end(int64_t grace_milliseconds) {
  if (!seen_.not_asked.empty()) return std::move(seen_);
  if (pid_ > 0) {
    follow_path();
  } else if (!seen_.no_reply && asked_on_ >= 0) {
    wait_for_reply();
  }
  connection_.reset();  // a client that asks nothing more would hold a worker
  seen_.milliseconds = now_milliseconds() - started_;
  if (pid_ > 0 && grace_milliseconds != kOthersAreUnderWay) {
    const size_t left = end_left_behind(seen_.late ? 0 : grace_milliseconds);
    if (!seen_.late) seen_.left_behind = left;  // else it had no chance to end them itself
  }
  look_at_files();
  return std::move(seen_);
}

}  // namespace postern::stagetest
