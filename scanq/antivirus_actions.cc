#include "scanq/antivirus_actions.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "lib/request.h"
#include "lib/text.h"
#include "scanq/antivirus_culprits.h"
#include "scanq/antivirus_finding.h"
#include "scanq/antivirus_note.h"
#include "scanq/message_edits.h"
#include "scanq/message_parts.h"

namespace postern {

namespace {

constexpr size_t kNotedRecipients = 100;  // each notice is a message of its own
constexpr size_t kReasonBytes = 500;
constexpr std::string_view kRejected = "5.7.1 message refused by the virus scanner: $Verdict ($VirusName)";

VerdictLine line(std::string verb, std::vector<std::string> arguments = {}) {
  return {.verb = std::move(verb), .arguments = std::move(arguments), .may_ignore = false};
}

// One line of a log and of a list of what is held: no break in it.
std::string reason_of(const AntivirusVerdict& verdict) {
  const std::string name = verdict.name.substr(0, kReasonBytes);
  if (verdict.kind == AntivirusKind::infected) return name;
  return std::string(kind_name(verdict.kind)) + (name.empty() ? "" : ": " + name);
}

// In their order, each once.
std::vector<std::string> distinct_recipients(const Envelope& envelope) {
  std::vector<std::string> addresses;
  std::unordered_set<std::string_view> seen;
  for (const Recipient& recipient : envelope.recipients)
    if (seen.insert(recipient.address).second) addresses.push_back(recipient.address);
  return addresses;
}

// In the header of the message, as scanq would remove it.
bool has_field(std::string_view message, std::string_view name) {
  while (!message.empty()) {
    const size_t end = message.find('\n');
    const std::string_view field = message.substr(0, end);
    if (trim(field).empty() || end == std::string_view::npos) return false;
    if (equal_ignoring_case(trim(field.substr(0, field.find(':'))), name)) return true;
    message.remove_prefix(end + 1);
  }
  return false;
}

// One message as it is so far, while the settings are carried out.
class Carrying {
 public:
  Carrying(const AntivirusPolicy& policy, const AntivirusRequest& request)
      : policy_(policy),
        request_(request),
        direction_(request.environment.get_or("POSTERN_DIRECTION", "in")),
        exempt_(exempt_virus(request.environment)),
        text_(request.message) {}

  AntivirusAnswer carry_out(AntivirusVerdict verdict) {
    remove_forged();
    verdict = without_exempt(std::move(verdict), text_);
    while (true) {
      handled_.push_back(verdict.kind);
      verdict_ = verdict;
      const std::vector<AntivirusAction>& actions = policy_.of(verdict, direction_);
      const bool wants_edit = std::any_of(actions.begin(), actions.end(), is_edit);
      std::optional<AntivirusVerdict> left;
      if (wants_edit) left = edit(verdict, actions);
      add_copies(actions);
      if (wants_edit && !left) {
        place(verdict, actions, true);
        break;
      }
      change(verdict, actions);
      if (!left) place(verdict, actions, false);
      if (!left || left->kind == AntivirusKind::clean) break;
      verdict = std::move(*left);
    }
    return finish();
  }

 private:
  static bool is_edit(const AntivirusAction& action) {
    return action.what == AntivirusDo::repair || action.what == AntivirusDo::replace;
  }

  [[nodiscard]] AntivirusVariables variables(const AntivirusVerdict& verdict) const {
    return antivirus_variables(verdict, policy_, request_.environment);
  }
  [[nodiscard]] std::string expanded(std::string_view text, const AntivirusVerdict& verdict) const {
    return expand_antivirus_text(text, variables(verdict));
  }

  AntivirusVerdict without_exempt(AntivirusVerdict verdict, std::string_view text);
  [[nodiscard]] std::vector<Culprit> culprits(const AntivirusVerdict& verdict, const MessagePart& top,
                                              bool by_search) const;
  [[nodiscard]] std::optional<std::string> without(const MessagePart& top, const std::vector<Culprit>& bad,
                                                   AntivirusDo how) const;
  std::optional<AntivirusVerdict> edit(const AntivirusVerdict& verdict,
                                       const std::vector<AntivirusAction>& actions);
  void remove_forged();
  void note_removed(const MessagePart& top, const std::vector<Culprit>& bad, AntivirusDo how);
  void add_copies(const std::vector<AntivirusAction>& actions);
  void notify(const AntivirusAction& action);
  void prepend_to_subject(const std::string& text);
  void change(const AntivirusVerdict& verdict, const std::vector<AntivirusAction>& actions);
  void redirect(const std::string& address);
  void place(const AntivirusVerdict& verdict, const std::vector<AntivirusAction>& actions, bool edit_failed);
  [[nodiscard]] std::vector<VerdictLine> hold_lines() const;
  AntivirusAnswer finish();

  const AntivirusPolicy& policy_;
  const AntivirusRequest& request_;
  std::string direction_;
  std::string exempt_;
  std::string_view text_;
  std::optional<std::string> rewritten_;
  std::vector<AntivirusKind> handled_;
  std::vector<VerdictLine> copies_;   // they hold whatever becomes of the message
  std::vector<VerdictLine> changes_;  // not where the message goes nowhere
  std::vector<VerdictLine> placed_;
  AntivirusVerdict verdict_;   // the last that was acted on
  bool goes_nowhere_ = false;  // dropped or refused
  bool failed_ = false;        // exit 111
  std::string not_possible_;   // what of the settings could not be done: it is quarantined instead
};

// Fields by which the settings tell of a verdict are ours alone: those that came with the message go.
void Carrying::remove_forged() {
  for (const std::string& name : policy_.header_names()) {
    if (has_field(text_, name)) changes_.push_back(line("header-remove", {name}));
  }
}

// Exactly the virus that the release named counts as none: the scan passed over it. An engine ends with the
// first that it finds in what it is given, so each part is looked at by itself too, for what only the engine
// takes out of it; which ones stand beside it within one part only the engine can know.
AntivirusVerdict Carrying::without_exempt(AntivirusVerdict verdict, std::string_view text) {
  if (!verdict.passed_over || verdict.kind == AntivirusKind::infected) return verdict;
  if (verdict.kind == AntivirusKind::clean) {
    const MessagePart top = read_message_parts(text);
    ScanResult worst;
    for (const Culprit& culprit : unclean_parts(top, text, request_.rescan))
      worst = worse(worst, {culprit.verdict.kind, culprit.verdict.name});
    verdict = {worst.kind, worst.what, {}, true};
    if (verdict.kind != AntivirusKind::clean) return verdict;
  }
  const VerdictLine said =
      line("log", {"virus " + exempt_ + " is exempt: the release of this message says so"});
  if (std::none_of(copies_.begin(), copies_.end(),
                   [&](const VerdictLine& other) { return other.arguments == said.arguments; }))
    copies_.push_back(said);
  return verdict;
}

std::vector<Culprit> Carrying::culprits(const AntivirusVerdict& verdict, const MessagePart& top,
                                        bool by_search) const {
  if (!by_search) return named_culprits(top, verdict);
  std::vector<Culprit> found;
  for (Culprit& culprit : unclean_parts(top, text_, request_.rescan)) {
    if (culprit.verdict.kind == AntivirusKind::error) return {};
    if (culprit.verdict.kind == verdict.kind) found.push_back(std::move(culprit));
  }
  // A top that goes no deeper for us is no part that could be taken out.
  const bool whole = found.size() == 1 && found.front().part == &top;
  return whole && part_at(top, {}) == nullptr ? std::vector<Culprit>() : found;
}

std::optional<std::string> Carrying::without(const MessagePart& top, const std::vector<Culprit>& bad,
                                             AntivirusDo how) const {
  if (how == AntivirusDo::repair) return text_without(text_, top, bad);
  return text_with_notes(text_, top, bad, [&](const Culprit& culprit) {
    AntivirusVariables about = variables(culprit.verdict);
    about.file_name = shown_file_name(text_, *culprit.part);
    return expand_antivirus_text(policy_.note, about);
  });
}

// Tries the edits in the order of the settings, by the places that the verdict names and by looking at each
// part. What the message is afterwards; nothing where none of them was possible.
std::optional<AntivirusVerdict> Carrying::edit(const AntivirusVerdict& verdict,
                                               const std::vector<AntivirusAction>& actions) {
  if (!request_.can_rewrite || !request_.rescan) {
    copies_.push_back(line("log", {"no part is taken out: there is no descriptor 4 to write to"}));
    return std::nullopt;
  }
  std::string_view why = "which ones they are cannot be told with certainty";
  const MessagePart top = read_message_parts(text_);
  for (const bool by_search : {false, true}) {
    const std::vector<Culprit> bad = culprits(verdict, top, by_search);
    if (bad.empty()) continue;
    for (const AntivirusAction& action : actions) {
      if (!is_edit(action)) continue;
      std::optional<std::string> edited = without(top, bad, action.what);
      if (!edited || edited->empty()) why = "nothing would be left, or its header is broken";
      if (!edited || edited->empty()) continue;
      AntivirusVerdict left = without_exempt(request_.rescan(*edited), *edited);
      // What is edited never passes without having been looked at again.
      const bool handled = std::find(handled_.begin(), handled_.end(), left.kind) != handled_.end();
      if (handled || left.kind == AntivirusKind::infected || left.kind == AntivirusKind::error) {
        why = "without them it is not clean either";
        continue;
      }
      note_removed(top, bad, action.what);
      rewritten_ = std::move(edited);
      text_ = *rewritten_;
      return left;
    }
  }
  copies_.push_back(line("log", {"no part is taken out: " + std::string(why)}));
  return std::nullopt;
}

void Carrying::note_removed(const MessagePart& top, const std::vector<Culprit>& bad, AntivirusDo how) {
  for (const Culprit& culprit : bad) {
    const bool whole = culprit.part == &top;
    copies_.push_back(line(
        "log",
        {std::string(how == AntivirusDo::repair ? "dropped " : "replaced ") +
         (whole ? "the body" : "the part " + shown_file_name(text_, *culprit.part)) + ": " +
         std::string(kind_name(culprit.verdict.kind)) + " " + culprit.verdict.name.substr(0, kReasonBytes)}));
  }
}

// Copies and notices: made whatever becomes of the message itself.
void Carrying::add_copies(const std::vector<AntivirusAction>& actions) {
  for (const AntivirusAction& action : actions) {
    if (action.what == AntivirusDo::archive) copies_.push_back(line("archive", {action.first}));
    if (action.what == AntivirusDo::notify) notify(action);
  }
}

void Carrying::notify(const AntivirusAction& action) {
  if (action.first == "admin" || action.first.find('@') != std::string::npos) {
    const std::string& address = action.first == "admin" ? policy_.admin : action.first;
    copies_.push_back(line("notify", {action.second, address}));
    return;
  }
  const std::optional<Envelope> envelope = request_.envelope ? request_.envelope() : std::nullopt;
  if (!envelope) return;
  if (action.first == "sender") {
    // The sender of mail from outside is most likely forged: a notice would hit somebody who wrote nothing.
    const bool ours = direction_ == "out" || direction_ == "local";
    if (ours && !is_notification_sender(envelope->sender))
      copies_.push_back(line("notify", {action.second, envelope->sender}));
    return;
  }
  const std::vector<std::string> recipients = distinct_recipients(*envelope);
  for (size_t i = 0; i < recipients.size() && i < kNotedRecipients; ++i)
    copies_.push_back(line("notify", {action.second, recipients[i]}));
  if (recipients.size() > kNotedRecipients)
    copies_.push_back(line("log", {"only the first 100 recipients are notified"}));
}

void Carrying::change(const AntivirusVerdict& verdict, const std::vector<AntivirusAction>& actions) {
  for (const AntivirusAction& action : actions) {
    if (action.what == AntivirusDo::header) {
      changes_.push_back(line("header-add", {action.first, expanded(action.second, verdict)}));
    } else if (action.what == AntivirusDo::subject) {
      prepend_to_subject(expanded(action.first, verdict));
    } else if (action.what == AntivirusDo::redirect) {
      redirect(action.first);
    } else if (action.what == AntivirusDo::route) {
      changes_.push_back(line("route", {action.first}));
    }
  }
}

void Carrying::prepend_to_subject(const std::string& text) {
  const MessagePart top = read_message_parts(text_);
  std::optional<std::vector<Edit>> edits = prepend_subject(text_, top, text);
  if (!edits || !request_.can_rewrite) {
    not_possible_ = edits ? "there is no descriptor 4 to write the new subject to"
                          : "the header is broken, so the subject cannot be changed";
    return;
  }
  rewritten_ = edited_text(text_, std::move(*edits));
  text_ = *rewritten_;
}

// All recipients become one. Each is named, so a list of thousands may be too long for a verdict.
void Carrying::redirect(const std::string& address) {
  const std::optional<Envelope> envelope = request_.envelope ? request_.envelope() : std::nullopt;
  const std::vector<std::string> recipients =
      envelope ? distinct_recipients(*envelope) : std::vector<std::string>();
  if (recipients.empty()) {
    not_possible_ = "there is no envelope on descriptor 3, so nothing can be redirected";
    return;
  }
  const bool is_one = std::find(recipients.begin(), recipients.end(), address) != recipients.end();
  const std::string& replaced = is_one ? address : recipients.front();
  if (!is_one) changes_.push_back(line("recipient-replace", {replaced, address}));
  for (const std::string& recipient : recipients)
    if (recipient != replaced) changes_.push_back(line("recipient-remove", {recipient}));
}

// What becomes of a message that was not edited clean.
void Carrying::place(const AntivirusVerdict& verdict, const std::vector<AntivirusAction>& actions,
                     bool edit_failed) {
  const auto last = std::find_if(actions.begin(), actions.end(),
                                 [](const AntivirusAction& action) { return is_final(action.what); });
  const bool passes = last == actions.end() || last->what == AntivirusDo::pass;
  if (edit_failed && passes) {
    placed_ = hold_lines();
    return;
  }
  if (!passes && last->what == AntivirusDo::quarantine)
    placed_.push_back(line("quarantine", {last->first, reason_of(verdict)}));
  if (!passes && last->what == AntivirusDo::drop) {
    placed_.push_back(line("drop", {reason_of(verdict)}));
    goes_nowhere_ = true;
  }
  if (!passes && last->what == AntivirusDo::reject) {
    const std::string text = last->second.empty() ? std::string(kRejected) : last->second;
    placed_.push_back(line("reject", {last->first.empty() ? "554" : last->first, expanded(text, verdict)}));
    goes_nowhere_ = true;
  }
  if (!passes && last->what == AntivirusDo::defer) {
    if (last->first.empty()) failed_ = true;
    placed_.push_back(line("defer", {expanded(last->first, verdict)}));
    goes_nowhere_ = true;
  }
  const bool stops = std::any_of(actions.begin(), actions.end(), [](const AntivirusAction& action) {
    return action.what == AntivirusDo::stop;
  });
  if (stops && !goes_nowhere_) placed_.push_back(line("stop"));
}

std::vector<VerdictLine> Carrying::hold_lines() const {
  const bool infected = verdict_.kind == AntivirusKind::infected;
  return {line("quarantine", {infected ? "Virus" : "Unscannable", reason_of(verdict_)}), line("stop")};
}

AntivirusAnswer Carrying::finish() {
  AntivirusAnswer answer;
  if (failed_)
    return {.lines = {},
            .message = {},
            .failed = true,
            .why = verdict_.kind == AntivirusKind::error ? verdict_.name : reason_of(verdict_)};
  answer.lines = copies_;
  const auto append = [&](const std::vector<VerdictLine>& lines) {
    answer.lines.insert(answer.lines.end(), lines.begin(), lines.end());
  };
  if (not_possible_.empty() || goes_nowhere_) {
    if (!goes_nowhere_) append(changes_);
    if (!goes_nowhere_ && rewritten_) {
      answer.message = std::move(rewritten_);
      answer.lines.push_back(line("message"));
    }
    append(placed_);
    size_t bytes = 0;
    for (const VerdictLine& one : answer.lines) bytes += format_verdict_line(one).size();
    if (bytes <= kReplyLimitBytes) return answer;
    not_possible_ = "what the settings say needs a verdict of more than 64 KiB";
    answer = {};
  }
  answer.lines.push_back(line("log", {not_possible_ + "; quarantined"}));
  append(hold_lines());
  return answer;
}

}  // namespace

AntivirusAnswer act(const AntivirusVerdict& verdict, const AntivirusPolicy& policy,
                    const AntivirusRequest& request) {
  return Carrying(policy, request).carry_out(verdict);
}

std::string exempt_virus(const Environment& environment) {
  if (!environment.get("POSTERN_RELEASED")) return {};
  const std::string exempt = environment.get_or("POSTERN_EXEMPT", "");
  for (const std::string_view stage : {"antivirus ", "clamd "}) {
    if (exempt.starts_with(stage)) return std::string(trim(std::string_view(exempt).substr(stage.size())));
  }
  return {};
}

}  // namespace postern
