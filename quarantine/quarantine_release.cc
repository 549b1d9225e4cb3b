#include "quarantine/quarantine_release.h"

#include <vector>

#include "lib/child.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/submit.h"

namespace postern {

namespace {

constexpr std::string_view kSpam = "Spam";
constexpr int64_t kDeadlineMilliseconds = 300 * 1000;  // above the 240 s that scanning may take

// The message alone: nobody but the store's owner gets a descriptor of a queue file.
Result<Fd> message_alone(const HeldMessage& held, const QueuedMessage& queued) {
  Result<bool> intact = message_intact(held.file.get(), queued);
  if (!intact) return intact.failure();
  if (!*intact) return temporary("the stored message's checksum is wrong: it was damaged on the disk");
  Result<Fd> copy = memory_file("message");
  if (!copy) return copy;
  Result<void> copied = copy_range(held.file.get(), 0, queued.message_size, copy->get(), "copy the message");
  if (!copied) return copied.failure();
  if (Result<void> sealed = seal(copy->get()); !sealed) return sealed.failure();
  return copy;
}

}  // namespace

std::string release_target(std::string_view quarantine, const Environment& environment) {
  if (quarantine == kSpam) return environment.get_or("POSTERN_QUEUE", "@queue");
  return environment.get_or("POSTERN_RELEASE_TO", "@scanq");
}

Environment release_environment(const QueuedMessage& message, std::string_view quarantine, uint64_t new_mid) {
  Environment environment;
  for (const auto& [name, value] : message.kept.pairs()) {
    const bool of_the_store = name == "POSTERN_QUARANTINE" || name == "POSTERN_REASON";
    if (!of_the_store && !name.starts_with("POSTERN_TAG_")) environment.set(name, value);
  }
  environment.set("POSTERN_MID", std::to_string(new_mid));
  environment.set("POSTERN_RELEASED", quarantine);
  return environment;
}

Result<uint64_t> release_message(const QuarantineStore& store, uint64_t mid, const Environment& environment) {
  Result<HeldMessage> held = store.find(mid);
  if (!held) return held.failure();
  if (Result<void> locked = store.lock(*held); !locked) return locked.failure();
  Result<QueuedMessage> queued = read_queue_file(held->file.get());
  if (!queued) return queued.failure();
  Result<Fd> message = message_alone(*held, *queued);
  if (!message) return message.failure();

  const uint64_t new_mid = make_mid();
  const std::string target = release_target(held->quarantine, environment);
  const QueueAnswer answer = submit(target, message->get(), queued->envelope,
                                    release_environment(*queued, held->quarantine, new_mid),
                                    now_milliseconds() + kDeadlineMilliseconds);
  const SmtpReply reply = queue_reply(answer);
  if (!reply.accepted()) {
    const std::string text = target + " did not take it: " + reply.line() + "; it stays in quarantine";
    return reply.permanent() ? permanent(text) : temporary(text);
  }
  const std::string name = "MID " + std::to_string(mid);
  LogLines()
      .info(name + " released from quarantine \"" + held->quarantine + "\" (by operator)")
      .info(name + " rewritten to " + std::to_string(new_mid) + " by quarantine \"" + held->quarantine +
            "\"");
  if (Result<void> removed = store.remove(*held); !removed) {
    return temporary("it was released as " + std::to_string(new_mid) + " but could not be removed: " +
                     removed.failure().text + "; delete it, or a second release sends it again");
  }
  return new_mid;
}

}  // namespace postern
