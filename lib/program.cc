#include "lib/program.h"

#include <signal.h>

#include <exception>
#include <new>

#include "lib/log.h"

namespace postern {

int run_program(std::string_view name, ExitCodes codes, int (*run)(int, char**), int argc, char** argv) {
  set_program_name(name);
  ::signal(SIGPIPE, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    log_critical("go on", "out of memory");
    return codes.no_memory;
  } catch (const std::exception& error) {
    log_critical("go on", error.what());
    return codes.bug;
  }
}

}  // namespace postern
