#include "lib/signals.h"

namespace postern {

constinit Asked asked;

namespace {

void note(int number) {
  switch (number) {
    case SIGTERM:
    case SIGINT:
      asked.stop = 1;
      break;
    case SIGHUP:
      asked.reload = 1;
      break;
    case SIGALRM:
      asked.flush = 1;
      break;
    default:
      break;
  }
}

}  // namespace

sigset_t catch_signals(std::initializer_list<int> numbers) {
  sigset_t held;
  sigset_t while_waiting;
  ::sigemptyset(&held);
  for (const int number : numbers) ::sigaddset(&held, number);
  ::sigprocmask(SIG_BLOCK, &held, &while_waiting);
  struct sigaction action {};
  action.sa_handler = note;
  for (const int number : numbers) {
    // Who executes itself anew has them blocked already.
    ::sigdelset(&while_waiting, number);
    ::sigaction(number, &action, nullptr);
  }
  return while_waiting;
}

}  // namespace postern
