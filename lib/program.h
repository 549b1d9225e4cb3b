// What every main() does: name the program, ignore SIGPIPE, run the job, and turn what nobody caught into
// an exit code.
#pragma once

#include <string_view>

namespace postern {

struct ExitCodes {
  int no_memory = 111;
  int bug = 111;
};

// Runs `run` and returns its exit code. bad_alloc becomes no_memory, any other exception bug; both are
// logged. `name` must live as long as the program does.
int run_program(std::string_view name, ExitCodes codes, int (*run)(int argc, char** argv), int argc,
                char** argv);

}  // namespace postern
