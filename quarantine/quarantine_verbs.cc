#include "quarantine/quarantine_verbs.h"

#include <algorithm>
#include <functional>

#include "lib/log.h"
#include "lib/mid.h"
#include "lib/request.h"
#include "lib/text.h"
#include "quarantine/quarantine_arguments.h"
#include "quarantine/quarantine_list.h"
#include "quarantine/quarantine_repair.h"

namespace postern::quarantine {

namespace {

constexpr std::string_view kUsage =
    "usage: postern-quarantine put NAME REASON [NAME REASON]... | list [FILTER]... [--json] | show MID | "
    "release [--from NAME] [--except \"STAGE VERDICT\"] MID|FILTER... | delete MID|FILTER... | move [--from "
    "NAME] --to NAME MID|FILTER... | audit MID | check [--repair] | --keep";
constexpr size_t kChunkBytes = 64 * 1024;

int failed(std::string_view doing, const Failure& failure) {
  log_warning(doing, failure);
  return failure.permanent() ? 100 : 111;
}

class Lister {
 public:
  Lister(QuarantineStore& store, Answer& answer, const Selection& selection)
      : store_(store), answer_(answer), selection_(selection) {}

  int run() {
    Result<void> listed = list();
    if (!listed) return failed("list the quarantine", listed.failure());
    return exit_code_;
  }

 private:
  Result<void> list() {
    Result<Session> index = store_.session();
    if (!index) return index.failure();
    if (selection_.json) chunk_ = "[";
    Result<void> selected =
        (*index)->select(selection_.filter, [&](const HeldRow& row) { return print(row); });
    if (!selected) return selected;
    if (selection_.json) chunk_ += first_ ? "]\n" : "\n]\n";
    return answer_.write(chunk_);
  }

  Result<void> print(const HeldRow& row) {
    if (!store_.has_file(row.mid) && still_listed(row.mid)) {
      // The others can still be listed; the exit code says that one is missing.
      exit_code_ = failed("list message " + std::to_string(row.mid),
                          temporary("its file is gone; `postern-quarantine check` tells more"));
      return {};
    }
    if (selection_.json) {
      chunk_.append(first_ ? "\n" : ",\n").append(held_json(row));
    } else {
      chunk_ += held_lines(row, selection_.filter.quarantine);
    }
    first_ = false;
    if (chunk_.size() < kChunkBytes) return {};
    Result<void> wrote = answer_.write(chunk_);
    chunk_.clear();
    return wrote;
  }

  // It may have been released since its row was read.
  bool still_listed(uint64_t mid) {
    QuarantineStore fresh(store_.home());
    const Result<HeldMessage> found = fresh.find(mid);
    return found || found.failure().text.find("file is gone") != std::string::npos;
  }

  QuarantineStore& store_;
  Answer& answer_;
  const Selection& selection_;
  std::string chunk_;
  bool first_ = true;
  int exit_code_ = 0;
};

// The numbers that the selection stands for. Numbers alone are taken as they are, so that each is reported.
Result<std::vector<uint64_t>> selected(QuarantineStore& store, const Selection& selection) {
  const Filter& filter = selection.filter;
  const bool plain = filter.quarantine.empty() && filter.sender.empty() && filter.recipient.empty() &&
                     filter.subject.empty() && filter.reason.empty() && filter.before == 0 &&
                     filter.after == 0;
  if (plain) return filter.mids;
  std::vector<uint64_t> mids;
  Result<Session> index = store.session();
  if (!index) return index.failure();
  Result<void> done = (*index)->select(filter, [&](const HeldRow& row) -> Result<void> {
    mids.push_back(row.mid);
    return {};
  });
  if (!done) return done.failure();
  return mids;
}

// All of them are tried; a temporary failure of one outweighs a permanent one of another.
int for_each(QuarantineStore& store, const Selection& selection, std::string_view verb,
             const std::function<Result<void>(uint64_t)>& act) {
  Result<std::vector<uint64_t>> mids = selected(store, selection);
  if (!mids) return failed(std::string(verb) + " messages", mids.failure());
  int exit_code = 0;
  for (const uint64_t mid : *mids) {
    const Result<void> done = act(mid);
    if (!done)
      exit_code =
          std::max(exit_code, failed(std::string(verb) + " message " + std::to_string(mid), done.failure()));
  }
  return exit_code;
}

Result<void> show(QuarantineStore& store, uint64_t mid, Answer& answer) {
  Result<HeldMessage> held = store.find(mid);
  if (!held) return held.failure();
  return answer.copy(held->file.get(), held->row.size);
}

Result<void> print_release(uint64_t mid, const Released& released, Answer& answer) {
  const std::string old = std::to_string(mid);
  if (!released.still_held_in.empty()) {
    std::string names;
    for (const std::string& name : released.still_held_in)
      names.append(names.empty() ? "" : ",").append(name);
    return answer.write(old + " held in " + names + "\n");
  }
  std::string lines;
  for (const Part& part : released.parts) {
    lines.append(old).append(" released as ").append(part.mid).append(" ").append(part.fate);
    lines.append(part.detail.empty() ? "" : " ").append(part.detail).append("\n");
  }
  return answer.write(lines);
}

int check(QuarantineStore& store, bool repair, Answer& answer, const std::string& who) {
  Result<std::vector<Finding>> findings = check_store(store, repair, who);
  if (!findings) return failed("check the quarantine", findings.failure());
  bool all_mended = true;
  for (const Finding& one : *findings) {
    all_mended = all_mended && one.mended;
    if (Result<void> wrote = answer.write(one.text + (one.mended ? " (mended)\n" : "\n")); !wrote)
      return failed("check the quarantine", wrote.failure());
  }
  return all_mended ? 0 : 100;
}

Result<void> print_audits(QuarantineStore& store, uint64_t mid, Answer& answer) {
  Result<Session> index = store.session();
  if (!index) return index.failure();
  Result<std::vector<Audit>> audits = (*index)->audits(mid);
  if (!audits) return audits.failure();
  if (audits->empty()) return permanent("nothing was done with it");
  std::string lines;
  for (const Audit& one : *audits) {
    lines.append(iso8601_utc(one.time)).append("\t").append(std::to_string(one.mid)).append("\t");
    lines.append(one.act).append("\t").append(one.quarantine).append("\t").append(printable(one.who));
    lines.append("\t").append(one.new_mid == 0 ? "" : std::to_string(one.new_mid)).append("\t");
    lines.append(printable(one.fate)).append("\t").append(printable(one.exemption)).append("\n");
  }
  return answer.write(lines);
}

struct VerbName {
  const char* name;
  Verb verb;
};
constexpr VerbName kVerbs[] = {{"list", Verb::list},     {"show", Verb::show}, {"release", Verb::release},
                               {"delete", Verb::remove}, {"move", Verb::move}, {"check", Verb::check},
                               {"audit", Verb::audit}};

}  // namespace

Result<void> Answer::write(std::string_view bytes) {
  if (fd_ >= 0) return write_all(fd_, bytes, "write the answer");
  if (reply_.size() + bytes.size() > kReplyLimitBytes)
    return permanent("the answer is over 64 KiB: pass descriptor 4 for it");
  reply_.append(bytes);
  return {};
}

Result<void> Answer::copy(int from, size_t length) {
  if (fd_ >= 0) return copy_range(from, 0, length, fd_, "write the message");
  if (length > kReplyLimitBytes) return permanent("the message is over 64 KiB: pass descriptor 4 for it");
  Result<std::string> bytes = pread_string(from, 0, length, "read the message");
  if (!bytes) return bytes.failure();
  return write(*bytes);
}

int wrong_usage(std::string_view what) {
  log_critical("start", std::string(what) + "; " + std::string(kUsage));
  return 100;
}

int carry_out(QuarantineStore& store, Job& job, Answer& answer, const std::string& who) {
  const std::string name = job.arguments.empty() ? "" : job.arguments[0];
  const auto* const known = std::find_if(std::begin(kVerbs), std::end(kVerbs),
                                         [&](const VerbName& one) { return name == one.name; });
  if (known == std::end(kVerbs))
    return wrong_usage(name.empty() ? "say what to do" : "there is no verb \"" + printable(name, 40) + "\"");
  Result<Selection> selection =
      parse_selection(known->verb, {job.arguments.begin() + 1, job.arguments.end()}, now_microseconds());
  if (!selection) return wrong_usage(name + ": " + selection.failure().text);
  const Act act{.who = who, .why = "by operator"};
  switch (known->verb) {
    case Verb::list:
      return Lister(store, answer, *selection).run();
    case Verb::show:
      return for_each(store, *selection, name, [&](uint64_t mid) { return show(store, mid, answer); });
    case Verb::release:
      if (job.connection >= 0) {
        // Its worker would wait for scanq while scanq's wait for ours.
        log_warning("answer a request",
                    "a release runs in a process of its own; start it as root or as the store's owner");
        return 100;
      }
      return for_each(store, *selection, name, [&](uint64_t mid) -> Result<void> {
        const ReleaseOrder order{.from = selection->from, .exemption = selection->exemption, .act = act};
        Result<Released> released = release_message(store, mid, order, job.environment);
        if (!released) return released.failure();
        return print_release(mid, *released, answer);
      });
    case Verb::remove:
      return for_each(store, *selection, name, [&](uint64_t mid) { return delete_message(store, mid, act); });
    case Verb::move:
      return for_each(store, *selection, name, [&](uint64_t mid) {
        return move_message(store, mid, selection->from, selection->to, act);
      });
    case Verb::check:
      return check(store, selection->repair, answer, who);
    case Verb::audit:
      return for_each(store, *selection, name,
                      [&](uint64_t mid) { return print_audits(store, mid, answer); });
  }
  return 100;
}

}  // namespace postern::quarantine
