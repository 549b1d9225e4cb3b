// One request to the stage under test, in either form, with everything that the joint leaves open to vary:
// absent descriptors, files that cannot be read, another environment. What came of it is told as it was seen;
// whether that is right is judged elsewhere.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/environment.h"
#include "lib/fd.h"
#include "lib/result.h"

namespace postern::stagetest {

struct StageProgram {
  bool resident = false;
  std::string service;             // of the resident, without the @
  std::vector<std::string> words;  // of the path form
};
// The failure is that of the command line: nothing named.
Result<StageProgram> parse_stage_program(std::string_view program);

enum class Given {
  sealed,     // a sealed memory file, as scanq gives it
  writable,   // a memory file that its reader could open again for writing
  disk_file,  // a file on disk
  unreadable  // open for writing alone
};

struct StageRequest {
  std::string_view message;
  std::string_view envelope;
  Given message_as = Given::sealed;
  Given envelope_as = Given::sealed;
  Environment environment;        // the joint's variables
  std::vector<int> absent{};      // descriptors, of 0, 2, 3 and 4
  bool full_log = false;          // descriptor 2 takes nothing: no space left (path form)
  bool bare_environment = false;  // nothing but PATH (path form)
  std::vector<std::pair<std::string, std::string>> settings{};  // of the process itself (path form)
  std::string directory{};                                      // to work in (path form)
};

struct Seen {
  std::string not_asked;  // why; empty: it was
  bool late = false;      // no end before the deadline
  bool no_reply = false;  // the resident closed the connection instead
  int signal = 0;         // that killed it
  int exit_code = 0;
  std::string verdict;
  bool flooded = false;    // more than 64 KiB of verdict
  std::string output;      // what it wrote to descriptor 4
  size_t left_behind = 0;  // children that went on after it (path form)
  bool message_changed = false;
  bool envelope_changed = false;
  int64_t milliseconds = 0;
  std::string last_words;  // the last line of descriptor 2 (path form)
};

constexpr int64_t kGraceMilliseconds = 2000;
constexpr int64_t kOthersAreUnderWay = -1;

// A request under way. Several may be; then only the last to end may be asked for what it left behind.
class StageRun {
 public:
  static StageRun begin(const StageProgram& program, const StageRequest& request,
                        int64_t timeout_milliseconds);
  // Waits. When no other run is under way, all children that we still have are its own: they have so long to
  // end too.
  Seen end(int64_t grace_milliseconds = kGraceMilliseconds);
  // The client goes: nobody reads the verdict any more.
  void hang_up();

  // For a resident: asks on this connection (of connect_resident) instead of one of its own.
  static StageRun begin_on(int connection, const StageRequest& request, int64_t timeout_milliseconds);

 private:
  void open_files(const StageRequest& request);
  void start_path(const StageProgram& program, const StageRequest& request);
  void ask_resident(const StageRequest& request);
  void follow_path();
  void wait_for_reply();
  void look_at_files();

  std::string_view message_text_;
  std::string_view envelope_text_;
  Fd message_file_, envelope_file_;  // ours
  Fd message_, envelope_, output_;   // as they are passed
  Fd connection_;
  int asked_on_ = -1;
  pid_t pid_ = -1;
  Fd verdict_, log_;
  int64_t started_ = 0;
  int64_t deadline_ = 0;
  Seen seen_;
};

}  // namespace postern::stagetest
