// postern-inject - complete a message of a user of this host and hand it in.
//
//   usage      postern-inject [-nNaAhH] [-fSENDER] [RECIPIENT]...
//   fd 0 in    the message           fd 1 out   the completed message, only with -n
//   env        POSTERN_HOME, QMAILQUEUE (default @pickup), QMAILUSER and its like (postern-inject(8))
//   control    me, defaulthost, defaultdomain, plusdomain, idhost, databytes
//   user       whoever calls it
//   exit       0 taken and durable, 100 never, 111 try again

#include <unistd.h>

#include "inject/hand_in.h"
#include "lib/log.h"
#include "lib/program.h"

namespace {

using namespace postern;
using namespace postern::inject;

struct Call {
  Order order;
  Then then = Then::queue;
};

Result<Call> parse_arguments(int argc, char** argv) {
  Call call;
  ::opterr = 0;
  for (int letter = 0; (letter = ::getopt(argc, argv, "+aAhHnNf:")) != -1;) {
    switch (letter) {
      case 'a':
        call.order.recipients_from = RecipientsFrom::arguments;
        break;
      case 'A':
        call.order.recipients_from = RecipientsFrom::either;
        break;
      case 'h':
        call.order.recipients_from = RecipientsFrom::header;
        break;
      case 'H':
        call.order.recipients_from = RecipientsFrom::both;
        break;
      case 'n':
        call.then = Then::print;
        break;
      case 'N':
        call.then = Then::queue;
        break;
      case 'f':
        call.order.sender = ::optarg;
        break;
      default:
        return permanent("usage: postern-inject [-nNaAhH] [-fSENDER] [RECIPIENT]...");
    }
  }
  call.order.arguments.assign(argv + ::optind, argv + argc);
  return call;
}

int run(int argc, char** argv) {
  Result<Call> call = parse_arguments(argc, argv);
  if (!call) {
    log_critical("start", call.failure().text);
    return 100;
  }
  const SmtpReply reply = hand_in(call->order, Environment::of_process(), call->then);
  if (reply.accepted()) return 0;
  log_critical("hand the message in", reply.line());
  return reply.permanent() ? 100 : 111;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-inject", {}, run, argc, argv);
}
