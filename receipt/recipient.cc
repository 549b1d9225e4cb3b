#include "receipt/recipient.h"

#include "lib/child.h"
#include "lib/control.h"
#include "lib/local_part.h"
#include "lib/text.h"
#include "receipt/alias_table.h"
#include "receipt/bounce_tag.h"
#include "receipt/domain_map.h"

namespace postern {

namespace {

constexpr const char* kDefaultDomain = "default-domain";
constexpr const char* kDomainMap = "domain-map";
constexpr const char* kRecipientTable = "recipient-table";
constexpr const char* kAlias = "alias";
// Below the five minutes that a client waits for the reply to RCPT (RFC 5321 4.5.3.2.3).
constexpr int64_t kAllQuestionsMilliseconds = 270000;

SmtpReply relaying_denied() {
  return {.code = "550", .status = "5.7.1", .text = "relaying denied: that domain is not ours"};
}
SmtpReply routed_address() {
  return {.code = "550", .status = "5.7.1", .text = "relaying denied: a route inside an address"};
}
SmtpReply rejected() {
  return {.code = "550", .status = "5.7.1", .text = "mail for this recipient is not accepted here"};
}

Decision refuse_to_relay(SmtpReply reply, std::string why) {
  Decision decision = refuse(kRecipientTable, std::move(reply), std::move(why));
  decision.relaying = true;
  return decision;
}

bool is_bare_postmaster(std::string_view address) {
  return equal_ignoring_case(address, "postmaster");
}

Failure broken(const LineTable& table, size_t line) {
  return temporary("read " + table.place(line) +
                       " of the compiled table: it is not of postern-rcpt; make it anew "
                       "with postern-rcpt compile",
                   55, "4.3.5");
}

}  // namespace

bool RecipientVerdict::is_no_recipient() const {
  if (passes()) return false;
  const Decision& refusal = steps.back();
  return refusal.reply.permanent() && !refusal.unasked && refusal.step != kBounceTagStep;
}

Result<RecipientChecks> RecipientChecks::open(RecipientContext context, RecipientHooks hooks) {
  Result<RecipientSettingsTable> settings = RecipientSettingsTable::read();
  if (!settings) return settings.failure();
  Result<std::string> program = control_line_or("rcptcheck", "");
  if (!program) return program.failure();
  RecipientInquiries inquiries(settings->of(context.listener), *program, context.environment, hooks.ask);
  const std::string listener = context.listener;
  RecipientChecks checks(std::move(context), std::move(hooks), std::move(inquiries));
  const auto open_into = [](std::optional<LineTable>& into, const char* name,
                            std::string_view of) -> Result<void> {
    Result<std::optional<LineTable>> table = LineTable::open(name, of);
    if (!table) return table.failure();
    into = std::move(*table);
    return {};
  };
  if (Result<void> done = open_into(checks.domain_map_, "domainmap", listener); !done) return done.failure();
  if (Result<void> done = open_into(checks.table_, "rat", listener); !done) return done.failure();
  if (Result<void> done = open_into(checks.aliases_, "aliases", ""); !done) return done.failure();
  return checks;
}

Result<RecipientVerdict> RecipientChecks::judge(std::string_view address, std::string_view sender) {
  Result<RecipientVerdict> verdict = take_steps(address, sender);
  if (!verdict || verdict->passes()) return verdict;
  verdict->recipients.clear();
  verdict->dropped = false;
  return verdict;
}

Result<RecipientVerdict> RecipientChecks::take_steps(std::string_view address, std::string_view sender) {
  RecipientVerdict verdict;
  verdict.address = address;
  give_domain(verdict);
  verdict.said = verdict.address;
  if (hooks_.verify_bounce) {
    verdict.steps.push_back(hooks_.verify_bounce(verdict.address, sender));
    verdict.steps.back().rewrites = verdict.address != verdict.said;
    if (!verdict.passes()) return verdict;
  }
  if (hooks_.welcome) {
    verdict.steps.push_back(hooks_.welcome(verdict.address));
    if (!verdict.passes()) return verdict;
  }
  if (Result<void> mapped = map_domain(verdict); !mapped) return mapped.failure();
  Bypass bypass;
  if (is_bare_postmaster(address)) {
    bypass = {.users = true, .program = true, .ldap = true, .call_ahead = true, .rates = false};
    verdict.steps.push_back(pass(kRecipientTable, "postmaster without a domain (RFC 5321 4.5.1)"));
  } else {
    Result<Decision> table = look_at_table(verdict.address, bypass, verdict.accepted);
    if (!table) return table.failure();
    verdict.steps.push_back(std::move(*table));
    if (!verdict.passes()) return verdict;
  }
  verdict.bypasses_rates = bypass.rates;
  if (hooks_.rates && !bypass.rates) {
    if (Decision limit = hooks_.rates(sender); !limit.passes()) {
      limit.unasked = true;
      verdict.steps.push_back(std::move(limit));
      return verdict;
    }
  }
  if (Result<void> followed = follow_aliases(verdict); !followed) return followed.failure();
  verdict.rewritten = verdict.recipients.size() != 1 || verdict.recipients[0] != verdict.said;
  if (verdict.dropped) return verdict;
  if (Result<void> checked = check_all(verdict, sender, bypass); !checked) return checked.failure();
  return verdict;
}

void RecipientChecks::give_domain(RecipientVerdict& verdict) const {
  if (verdict.address.find('@') != std::string::npos) return;
  const bool mine = is_bare_postmaster(verdict.address) || context_.default_domain.empty();
  verdict.address += "@" + lower(mine ? context_.me : context_.default_domain);
  verdict.steps.push_back(pass(kDefaultDomain, verdict.address));
}

Result<void> RecipientChecks::map_domain(RecipientVerdict& verdict) {
  if (!domain_map_) {
    verdict.steps.push_back(pass(kDomainMap, "off: there is no control/domainmap.cdb"));
    return {};
  }
  Result<std::optional<LineMatch>> match = domain_map_->find(verdict.address);
  if (!match) return match.failure();
  if (!match->has_value()) {
    verdict.steps.push_back(pass(kDomainMap, "no line fits"));
    return {};
  }
  const std::string to = mapped_address(verdict.address, (*match)->value);
  verdict.steps.push_back(
      pass(kDomainMap, domain_map_->place((*match)->line) + ": " + verdict.address + " is " + to));
  verdict.steps.back().rewrites = to != verdict.address;
  verdict.address = to;
  return {};
}

Result<Decision> RecipientChecks::look_at_table(std::string_view address, Bypass& bypass,
                                                std::optional<SmtpReply>& accepted) {
  if (context_.relays) return pass(kRecipientTable, "the client may send to anybody");
  std::string why = "control/rcpthosts";
  if (table_) {
    Result<std::optional<LineMatch>> match = table_->find(address);
    if (!match) return match.failure();
    if (!match->has_value()) return refuse_to_relay(relaying_denied(), table_->name() + ": no line fits");
    const std::optional<RecipientEntry> entry = recipient_entry_of(**match);
    if (!entry) return broken(*table_, (*match)->line);
    why = table_->place(entry->line);
    if (!entry->accepts) return refuse(kRecipientTable, entry->reply.value_or(rejected()), why);
    bypass = entry->bypass;
    accepted = entry->reply;
  } else {
    const std::string domain = domain_of(address);
    Result<bool> ours = hooks_.is_ours ? hooks_.is_ours(domain) : Result<bool>(false);
    if (!ours) return ours.failure();
    if (!*ours) return refuse_to_relay(relaying_denied(), domain + " is not in " + why);
  }
  // None of them means anything here, and a host behind us must not be led to relay by one.
  if (has_route_in_it(local_part_of(address))) return refuse_to_relay(routed_address(), why);
  return pass(kRecipientTable, why);
}

Result<void> RecipientChecks::follow_aliases(RecipientVerdict& verdict) {
  verdict.recipients = {verdict.address};
  if (!aliases_) {
    verdict.steps.push_back(pass(kAlias, "off: there is no control/aliases.cdb"));
    return {};
  }
  Result<std::optional<LineMatch>> match = aliases_->find(verdict.address);
  if (!match) return match.failure();
  if (!match->has_value()) {
    verdict.steps.push_back(pass(kAlias, "no line fits"));
    return {};
  }
  verdict.recipients = alias_recipients_of((*match)->value);
  if (verdict.recipients.empty()) return broken(*aliases_, (*match)->line);
  std::string to;
  for (const std::string& recipient : verdict.recipients) to += (to.empty() ? "" : ", ") + recipient;
  verdict.steps.push_back(
      pass(kAlias, aliases_->place((*match)->line) + ": " + verdict.address + " is " + to));
  verdict.steps.back().rewrites = verdict.recipients.front() != kDropped;
  if (verdict.steps.back().rewrites) return {};
  verdict.dropped = true;
  verdict.recipients.clear();
  return {};
}

// Of an alias with several recipients those are left out that do not exist; it is refused where none is left,
// and waits where one cannot be asked about now, so that a later try reaches them all.
Result<void> RecipientChecks::check_all(RecipientVerdict& verdict, std::string_view sender,
                                        const Bypass& bypass) {
  const int64_t deadline = now_milliseconds() + kAllQuestionsMilliseconds;
  const bool by_alias = verdict.recipients.size() != 1 || verdict.recipients[0] != verdict.address;
  std::vector<std::string> left;
  std::optional<Decision> refused;
  for (std::string& recipient : verdict.recipients) {
    Bypass own = bypass;
    bool asks_others = !context_.relays;
    if (by_alias && asks_others) {
      // Who is elsewhere is not in our directory.
      std::optional<SmtpReply> ignored;
      Result<Decision> ours = look_at_table(recipient, own, ignored);
      if (!ours) return ours.failure();
      asks_others = ours->passes();
    }
    Result<std::vector<Decision>> steps = check(recipient, sender, own, asks_others, deadline);
    if (!steps) return steps.failure();
    const bool passes = steps->back().passes();
    if (!passes && !steps->back().reply.permanent()) {
      verdict.steps.insert(verdict.steps.end(), steps->begin(), steps->end());
      return {};
    }
    if (!passes) {
      refused = steps->back();
      steps->back() = pass(refused->step, recipient + " is left out: " + refused->why);
      steps->back().rewrites = by_alias;
    }
    verdict.steps.insert(verdict.steps.end(), steps->begin(), steps->end());
    if (passes) left.push_back(std::move(recipient));
  }
  if (left.empty() && refused) verdict.steps.back() = std::move(*refused);
  verdict.recipients = std::move(left);
  return {};
}

Result<std::vector<Decision>> RecipientChecks::check(std::string_view address, std::string_view sender,
                                                     const Bypass& bypass, bool asks_others,
                                                     int64_t deadline) {
  const RecipientInQuestion question{.address = address, .sender = sender, .deadline = deadline};
  struct Step {
    const char* name;
    bool bypassed;
    bool applies;
    Decision (RecipientInquiries::*ask)(const RecipientInQuestion&);
  };
  const Step all[] = {{kUsersStep, bypass.users, true, &RecipientInquiries::users},
                      {kProgramStep, bypass.program, true, &RecipientInquiries::program},
                      {kLdapStep, bypass.ldap, asks_others, &RecipientInquiries::ldap},
                      {kCallAheadStep, bypass.call_ahead, asks_others, &RecipientInquiries::call_ahead}};
  std::vector<Decision> steps;
  for (const Step& step : all) {
    if (step.bypassed) {
      steps.push_back(pass(step.name, "bypassed"));
    } else if (!step.applies) {
      steps.push_back(pass(step.name, context_.relays ? "the client may send to anybody" : "not ours"));
    } else {
      steps.push_back((inquiries_.*step.ask)(question));
      if (!steps.back().passes()) break;
    }
  }
  return steps;
}

}  // namespace postern
