#include "local/mailbox.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "lib/text.h"
#include "local/maildir.h"
#include "local/trace_fields.h"

namespace postern {

namespace {

constexpr mode_t kForbiddenHomeBits = S_IWOTH;  // whoever may write the home may write where mail goes

Result<void> enter_home(const std::string& home) {
  const std::string shown = printable(home);
  if (home.empty() || home.front() != '/')
    return temporary("enter the home \"" + shown + "\": it must begin with /", 0, "4.3.5");
  if (::chdir(home.c_str()) < 0) return os_failure("enter the home " + shown, errno);
  struct stat status {};
  if (::stat(".", &status) < 0) return os_failure("look at the home " + shown, errno);
  if ((status.st_mode & kForbiddenHomeBits) != 0) {
    return temporary("use the home " + shown + ": everybody may write there; chmod o-w it", 0, "4.7.0");
  }
  // As qmail has it: an owner who changes his instructions sets this bit and mail waits.
  if ((status.st_mode & S_ISVTX) != 0) {
    return temporary(
        "use the home " + shown + ": it is sticky, its owner is at work there; chmod -t it when done", 0,
        "4.2.1");
  }
  return {};
}

// "./Maildir/" as a path from the root, for the one who reads the log.
Result<std::string> maildir_path(const MailboxDelivery& delivery) {
  std::string_view where = delivery.default_delivery;
  if (where.size() < 2 || (where.front() != '.' && where.front() != '/') || !where.ends_with('/')) {
    return temporary(
        "deliver to \"" + printable(where, 80) +
            "\": the default delivery must be a Maildir, a path that begins with . or / and ends with /",
        0, "4.3.5");
  }
  if (where.front() == '/') return std::string(where);
  if (where.starts_with("./")) where.remove_prefix(2);
  return delivery.home + (delivery.home.ends_with('/') ? "" : "/") + std::string(where);
}

Result<std::string> deliver_in_home(const MailboxDelivery& delivery, int message) {
  if (Result<void> entered = enter_home(delivery.home); !entered) return entered.failure();
  const std::string delivered_to = delivered_to_line(delivery.local, delivery.domain);
  Result<bool> looping = header_has_line(message, delivered_to);
  if (!looping) return looping.failure();
  if (*looping) return permanent("this message is looping: it already has my Delivered-To line", 0, "5.4.6");
  Result<std::string> maildir = maildir_path(delivery);
  if (!maildir) return maildir;
  return deliver_to_maildir(*maildir, return_path_line(delivery.sender) + delivered_to, message);
}

}  // namespace

Result<MailboxDelivery> mailbox_delivery_of(const std::vector<std::string>& arguments) {
  if (arguments.size() != 8) {
    return temporary("read the arguments: USER HOME LOCAL DASH EXT DOMAIN SENDER DEFAULTDELIVERY are eight",
                     0, "4.3.5");
  }
  return MailboxDelivery{arguments[0], arguments[1], arguments[2], arguments[3],
                         arguments[4], arguments[5], arguments[6], arguments[7]};
}

MailboxOutcome mailbox_outcome_of(const Failure& failure) {
  return {failure.permanent() ? kNever : kTryAgain,
          failure.status + (failure.permanent() ? " " : " unable to ") + failure.text};
}

MailboxOutcome deliver_to_mailbox(const MailboxDelivery& delivery, int message) {
  Result<std::string> path = deliver_in_home(delivery, message);
  if (!path) return mailbox_outcome_of(path.failure());
  return {kDelivered, "maildir: " + printable(*path, 4096)};
}

}  // namespace postern
