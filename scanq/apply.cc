#include "scanq/apply.h"

#include <algorithm>

#include "lib/control.h"
#include "lib/mid.h"
#include "lib/quarantine_name.h"
#include "lib/text.h"
#include "scanq/edits.h"
#include "scanq/notice.h"
#include "scanq/recipients.h"
#include "scanq/score.h"
#include "scanq/verbs.h"

namespace postern {

namespace {

constexpr size_t kEnvironmentLimitBytes = 48 * 1024;  // leaves room for arguments in a request
constexpr size_t kMade = 1000;                        // parts and copies of one verdict

// Enhanced status and text of "5.7.1 text"; the status is taken from the code where the text begins with
// none.
SmtpReply refusal(std::string_view code, std::string_view text) {
  return queue_reply({.exit_code = 82,
                      .reason = (code[0] == '5' ? "D" : "Z") + std::string(code) + " " + std::string(text)});
}

size_t bytes_of(const Environment& environment) {
  size_t bytes = 0;
  for (const auto& [name, value] : environment.pairs()) bytes += name.size() + value.size() + 2;
  return bytes;
}

std::string recipients_text(const Envelope& envelope) {
  std::string text;
  for (const Recipient& recipient : envelope.recipients)
    text.append(text.empty() ? "" : ", ").append(recipient.address);
  return text;
}

class Application {
 public:
  Application(Part part, std::string_view stage, const std::vector<VerdictLine>& lines, const Fd& output)
      : stage_(stage),
        lines_(lines),
        output_(output),
        result_{.part = std::move(part), .split_off = {}, .copies = {}, .events = {}} {}

  Result<Applied> apply(const std::vector<VerdictVerb>& verbs) {
    for (size_t i = 0; i < lines_.size(); ++i) {
      if (verbs[i] == VerdictVerb::split || is_copy(verbs[i])) {
        // They take the message as it is now.
        if (Result<void> edited = edit_message(); !edited) return edited.failure();
      }
      if (Result<void> applied = apply_line(verbs[i], lines_[i].arguments); !applied)
        return temporary(lines_[i].verb + ": " + applied.failure().text);
    }
    if (Result<void> edited = edit_message(); !edited) return edited.failure();
    if (Result<void> placeable = check_places(); !placeable) return placeable.failure();
    if (result_.split_off.size() + result_.copies.size() > kMade)
      return temporary("it makes more than 1000 parts and copies");
    return std::move(result_);
  }

 private:
  [[nodiscard]] Part& part() { return result_.part; }

  static bool is_copy(VerdictVerb verb) {
    return verb == VerdictVerb::bcc || verb == VerdictVerb::archive || verb == VerdictVerb::copy_quarantine;
  }

  Result<void> apply_line(VerdictVerb verb, const std::vector<std::string>& arguments);
  Result<void> change_envelope(VerdictVerb verb, const std::vector<std::string>& arguments);
  Result<void> make_copy(VerdictVerb verb, const std::vector<std::string>& arguments);
  Result<void> split_off(const std::vector<std::string>& arguments);
  Result<void> notify(const std::vector<std::string>& arguments);
  Result<void> edit_message();
  Result<void> check_places();

  void decide(Fate fate) {
    part().decision.fate = fate;
    part().decision.stage = stage_;
    part().stopped = true;
  }
  void hold_until(std::string_view until) {
    uint64_t seconds = 0;
    if (until.starts_with('+')) {
      until.remove_prefix(1);
      seconds = now_microseconds() / 1000000;
    }
    part().environment.set("POSTERN_HOLD_UNTIL", std::to_string(seconds + *parse_number(until)));
  }
  void skip(const std::string& name) {
    const std::string before = part().environment.get_or("POSTERN_SKIP", "");
    const std::vector<std::string_view> names = words(before);
    if (std::find(names.begin(), names.end(), name) != names.end()) return;
    part().environment.set("POSTERN_SKIP", before + (before.empty() ? "" : " ") + name);
  }
  void say(std::string event) { result_.events.push_back(std::move(event)); }

  std::string stage_;
  const std::vector<VerdictLine>& lines_;
  const Fd& output_;
  Applied result_;
  bool rewritten_ = false;         // since the last split or copy
  std::vector<HeaderEdit> edits_;  // the same
};

Result<void> Application::apply_line(VerdictVerb verb, const std::vector<std::string>& arguments) {
  const std::string mid = mid_text(part().mid);
  switch (verb) {
    case VerdictVerb::stop:
      part().stopped = true;
      return {};
    case VerdictVerb::drop:
      part().decision.reason = arguments[0];
      decide(Fate::drop);
      return {};
    case VerdictVerb::reject:
      part().decision.reply = refusal(arguments[0], arguments[1]);
      decide(Fate::refuse);
      return {};
    case VerdictVerb::defer:
      part().decision.reply = refusal("451", arguments[0]);
      decide(Fate::refuse);
      return {};
    case VerdictVerb::bounce:
      part().decision.reason = arguments[0];
      decide(Fate::bounce);
      return {};
    case VerdictVerb::hold:
      hold_until(arguments[0]);
      mark(part().decision.holds, kHoldQuarantine, arguments[1]);
      part().decision.stage = stage_;
      return {};
    case VerdictVerb::quarantine:
      mark(part().decision.holds, arguments[0], arguments[1]);
      part().decision.stage = stage_;
      return {};
    case VerdictVerb::tag:
      part().environment.set("POSTERN_TAG_" + arguments[0], arguments[1]);
      return {};
    case VerdictVerb::skip:
      skip(arguments[0]);
      return {};
    case VerdictVerb::log:
      say(mid + " " + stage_ + ": " + printable(arguments[0]));
      return {};
    case VerdictVerb::score:
      add_score(part().environment, *parse_points(arguments[0]), arguments[1]);
      say(mid + " " + stage_ + " score " + format_points(*parse_points(arguments[0])) + " " + arguments[1] +
          " total " + part().environment.get_or("POSTERN_SCORE", "") + ": " + printable(arguments[2]));
      return {};
    case VerdictVerb::message:
      rewritten_ = true;
      return {};
    case VerdictVerb::header_add:
      edits_.push_back({.name = arguments[0], .value = arguments[1]});
      return {};
    case VerdictVerb::header_remove:
      edits_.push_back({.name = arguments[0], .value = {}, .remove = true});
      return {};
    case VerdictVerb::source:
      part().environment.set("POSTERN_SOURCE", arguments[0]);
      return {};
    case VerdictVerb::bounce_profile:
      part().environment.set("POSTERN_BOUNCE_PROFILE", arguments[0]);
      return {};
    case VerdictVerb::split:
      return split_off(arguments);
    case VerdictVerb::notify:
      return notify(arguments);
    case VerdictVerb::bcc:
    case VerdictVerb::archive:
    case VerdictVerb::copy_quarantine:
      return make_copy(verb, arguments);
    case VerdictVerb::sender:
    case VerdictVerb::recipient_add:
    case VerdictVerb::recipient_remove:
    case VerdictVerb::recipient_replace:
    case VerdictVerb::route:
      return change_envelope(verb, arguments);
    case VerdictVerb::ignored:
      return {};
  }
  return {};
}

Result<void> Application::change_envelope(VerdictVerb verb, const std::vector<std::string>& arguments) {
  Envelope& envelope = part().envelope;
  const std::string said = mid_text(part().mid) + " " + stage_ + ": ";
  switch (verb) {
    case VerdictVerb::sender:
      envelope.sender = arguments[0];
      note_utf8(envelope, arguments[0]);
      say(said + "sender is <" + printable(arguments[0]) + "> now");
      return {};
    case VerdictVerb::recipient_add:
      say(said + "recipient <" + printable(arguments[0]) + "> added");
      return add_recipient(envelope, arguments[0]);
    case VerdictVerb::recipient_remove:
      say(said + "recipient <" + printable(arguments[0]) + "> removed");
      remove_recipient(envelope, arguments[0]);
      return {};
    case VerdictVerb::recipient_replace:
      say(said + "recipient <" + printable(arguments[0]) + "> is <" + printable(arguments[1]) + "> now");
      return replace_recipient(envelope, arguments[0], arguments[1]);
    default:
      say(said + "route to " + arguments[0]);
      return route_recipients(envelope, arguments[0], {arguments.begin() + 1, arguments.end()});
  }
}

// As Joint 4 has it: its own number, envelope and policy, and the stages behind this one on its own.
Result<void> Application::split_off(const std::vector<std::string>& arguments) {
  const uint64_t mid = make_mid();
  Result<Part> split = copy_of(part(), mid);
  if (!split) return split.failure();
  Result<std::vector<Recipient>> taken =
      take_recipients(part().envelope, {arguments.begin() + 1, arguments.end()});
  if (!taken) return taken.failure();
  split->envelope.recipients = std::move(*taken);
  say(mid_text(part().mid) + " was split creating " + mid_text(mid) + " due to " + arguments[0]);
  result_.split_off.push_back(std::move(*split));
  return {};
}

Result<void> Application::make_copy(VerdictVerb verb, const std::vector<std::string>& arguments) {
  Result<Part> copy = copy_of(part(), make_mid());
  if (!copy) return copy.failure();
  copy->environment.unset("POSTERN_HOLD_UNTIL");
  std::vector<Hold> holds;
  std::string how = "bcc";
  if (verb == VerdictVerb::bcc) {
    // The sender knows nothing of it, so it hears nothing of it.
    copy->envelope.recipients = {{.address = arguments[0], .notify = "NEVER", .orcpt = {}}};
    note_utf8(copy->envelope, arguments[0]);
  } else if (verb == VerdictVerb::archive) {
    how = "archive";
    holds = {{"archive " + arguments[0], "archived by " + stage_}};
  } else {
    how = "copy-quarantine";
    holds = {{arguments[0], arguments[1]}};
  }
  if (copy->envelope.recipients.empty()) return temporary("the message has no recipient any more");
  say(mid_text(copy->mid) + " was generated based on " + mid_text(part().mid) + " by " + how + " filter '" +
      stage_ + "'");
  result_.copies.push_back({.mid = copy->mid,
                            .message = std::move(copy->message),
                            .envelope = std::move(copy->envelope),
                            .environment = std::move(copy->environment),
                            .holds = std::move(holds)});
  return {};
}

Result<void> Application::notify(const std::vector<std::string>& arguments) {
  Result<std::string> text = read_template(arguments[0]);
  if (!text) return text.failure();
  Result<std::string> header = read_header(part().message.get());
  if (!header) return header.failure();
  Result<std::string> me = control_me();
  if (!me) return me.failure();
  Result<Part> copy = copy_of(part(), make_mid());
  if (!copy) return copy.failure();
  const Variables variables = {{"Subject", field_value(*header, "Subject")},
                               {"MID", std::to_string(part().mid)},
                               {"EnvelopeFrom", part().envelope.sender},
                               {"EnvelopeRecipients", recipients_text(part().envelope)},
                               {"FilterName", stage_},
                               {"remoteip", part().environment.get_or("TCPREMOTEIP", "")},
                               {"reason", reason_in(lines_)}};
  Result<std::string> notice = make_notice(*text, variables,
                                           {.from = "Mail gateway <postmaster@" + *me + ">",
                                            .to = "<" + printable(arguments[1]) + ">",
                                            .message_id = "<" + std::to_string(copy->mid) + "@" + *me + ">",
                                            .date = rfc5322_date(now_microseconds() / 1000000)});
  if (!notice) return temporary("control/templates/" + arguments[0] + ": " + notice.failure().text);
  Result<Fd> message = memory_file_with("notice", *notice);
  if (!message) return message.failure();
  if (Result<void> sealed = seal(message->get()); !sealed) return sealed;
  Envelope envelope;
  envelope.recipients = {{.address = arguments[1], .notify = {}, .orcpt = {}}};
  note_utf8(envelope, arguments[1]);
  Environment environment;
  environment.set("POSTERN_MID", std::to_string(copy->mid));
  environment.set("POSTERN_PARENT_MID", std::to_string(part().mid));
  say(mid_text(copy->mid) + " was generated based on " + mid_text(part().mid) + " by notify filter '" +
      stage_ + "'");
  result_.copies.push_back({.mid = copy->mid,
                            .message = std::move(*message),
                            .envelope = std::move(envelope),
                            .environment = std::move(environment),
                            .holds = {}});
  return {};
}

Result<void> Application::edit_message() {
  if (rewritten_) {
    Result<size_t> size = file_size(output_.get(), "read the rewritten message");
    if (!size) return size.failure();
    if (*size == 0) return temporary("it says \"message\" and wrote none");
    if (Result<void> sealed = seal(output_.get()); !sealed) return sealed.failure();
    Result<Fd> message = twin(output_);
    if (!message) return message.failure();
    part().message = std::move(*message);
  }
  if (!edits_.empty()) {
    Result<Fd> edited = with_edited_header(part().message.get(), edits_);
    if (!edited) return edited.failure();
    part().message = std::move(*edited);
  }
  rewritten_ = false;
  edits_.clear();
  return {};
}

// What is not seen here would be seen when the message is placed, and has a 250 then.
Result<void> Application::check_places() {
  const auto check = [](const Environment& environment, const std::vector<Hold>& holds) -> Result<void> {
    size_t bytes = bytes_of(environment);
    for (const Hold& hold : holds) bytes += hold.quarantine.size() + hold.reason.size() + 2;
    if (bytes > kEnvironmentLimitBytes)
      return temporary("tags, other variables and reasons to hold it would be over 48 KiB");
    if (holds.size() > kMembershipLimit) return temporary("more than 16 quarantines would hold it");
    return {};
  };
  if (Result<void> checked = check(part().environment, part().decision.holds); !checked) return checked;
  for (const Part& split : result_.split_off)
    if (Result<void> checked = check(split.environment, split.decision.holds); !checked) return checked;
  for (const Output& copy : result_.copies)
    if (Result<void> checked = check(copy.environment, copy.holds); !checked) return checked;
  return {};
}

}  // namespace

Result<Applied> apply_verdict(const Part& part, std::string_view stage, const std::vector<VerdictLine>& lines,
                              Fd output) {
  std::vector<VerdictVerb> verbs;
  for (const VerdictLine& line : lines) {
    CheckedLine checked = check_line(line);
    if (checked.problem) return temporary(std::move(checked.problem->text));
    verbs.push_back(checked.verb);
  }
  Result<Part> working = copy_of(part, part.mid);
  if (!working) return working.failure();
  working->environment = part.environment;
  return Application(std::move(*working), stage, lines, output).apply(verbs);
}

std::string reason_in(const std::vector<VerdictLine>& lines) {
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    const bool one = line->verb == "drop" || line->verb == "bounce" || line->verb == "defer";
    const bool two = line->verb == "quarantine" || line->verb == "copy-quarantine" || line->verb == "hold" ||
                     line->verb == "reject";
    if (one || two) return line->arguments.at(one ? 0 : 1);
  }
  return {};
}

}  // namespace postern
