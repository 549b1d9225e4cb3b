#include "queue/signals.h"

#include <initializer_list>

namespace postern {

constinit Asked asked;

namespace {

void note_stop(int) {
  asked.stop = 1;
}
void note_reload(int) {
  asked.reload = 1;
}
void note_flush(int) {
  asked.flush = 1;
}

}  // namespace

sigset_t catch_signals() {
  sigset_t held;
  sigset_t before;
  ::sigemptyset(&held);
  struct Catch {
    int number;
    void (*handler)(int);
  };
  for (const auto& [number, handler] :
       {Catch{SIGTERM, note_stop}, {SIGHUP, note_reload}, {SIGALRM, note_flush}}) {
    struct sigaction action {};
    action.sa_handler = handler;
    ::sigaction(number, &action, nullptr);
    ::sigaddset(&held, number);
  }
  ::sigprocmask(SIG_BLOCK, &held, &before);
  return before;
}

}  // namespace postern
