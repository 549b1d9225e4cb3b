#include "local/outcome.h"

namespace postern {

MailboxOutcome mailbox_outcome_of(const Failure& failure) {
  return {.exit_code = failure.permanent() ? kNever : kTryAgain,
          .line = failure.status + (failure.permanent() ? " " : " unable to ") + failure.text,
          .letter = failure.permanent() ? 'h' : 's'};
}

}  // namespace postern
