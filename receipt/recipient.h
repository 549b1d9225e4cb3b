// What becomes of a recipient, from RCPT to what stands in the envelope, in one order:
//
//   default domain → bounce verification → the operator's list → domain map → recipient table → rates
//   (where they are known to be reached) → alias table → mailboxes of this host → the operator's program →
//   directory → call-ahead
//
// Each step leaves a Decision, so that who explains a recipient prints them in order. Tables and settings are
// opened at the first recipient.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/environment.h"
#include "lib/result.h"
#include "receipt/decision.h"
#include "receipt/line_table.h"
#include "receipt/recipient_inquiries.h"
#include "receipt/recipient_table.h"

namespace postern {

// What is known of the connection.
struct RecipientContext {
  std::string me;              // control/me
  std::string default_domain;  // of what came without a domain; postmaster is me's (RFC 5321 4.5.1)
  std::string listener;
  bool relays = false;        // the client may send to anybody: no recipient table, directory and call-ahead
  Environment environment{};  // of the connection: joint variables
};

struct RecipientHooks {
  // Is the domain ours where there is no recipient table: control/rcpthosts.
  std::function<Result<bool>(std::string_view domain)> is_ours;
  // Bounce verification: may refuse, and may take the tag off the address. Empty: not done.
  std::function<Decision(std::string& address, std::string_view sender)> verify_bounce;
  // Is the address, without a tag, on the operator's list of those that get nothing? Empty: there is none.
  std::function<Decision(std::string_view address)> welcome;
  // Would the limits of rates, as far as they are known, refuse one more recipient of this sender? Asked
  // before others are asked about it; empty: nobody counts.
  std::function<Decision(std::string_view sender)> rates;
  AskProgram ask;  // empty: the programs themselves are asked
};

struct RecipientVerdict {
  std::vector<Decision> steps;          // in order; refused is what the last one refuses
  std::string said;                     // the address of the client, with a domain
  std::string address;                  // the same, behind bounce verification and domain map
  std::vector<std::string> recipients;  // of the envelope; none where it was refused or is dropped
  bool dropped = false;                 // taken and thrown away
  bool rewritten = false;               // the envelope has another address than was said
  bool bypasses_rates = false;
  std::optional<SmtpReply> accepted;  // the recipient table's own reply

  [[nodiscard]] bool passes() const { return steps.empty() || steps.back().passes(); }
  // Refused for good by somebody who knows: for who counts those that try out addresses. A bounce to an
  // address that was forged says nothing of what the client knows of our recipients.
  [[nodiscard]] bool is_no_recipient() const;
};

class RecipientChecks {
 public:
  // Opens what there is. A failure is temporary (4.3.5): a table or setting that cannot be read.
  static Result<RecipientChecks> open(RecipientContext context, RecipientHooks hooks);
  // The client has shown who it is since: from now on it may send to anybody, or not.
  void client_relays(bool relays) { context_.relays = relays; }
  // `address` as the client said it, `sender` empty for the null reverse-path.
  Result<RecipientVerdict> judge(std::string_view address, std::string_view sender);

 private:
  RecipientChecks(RecipientContext context, RecipientHooks hooks, RecipientInquiries inquiries)
      : context_(std::move(context)), hooks_(std::move(hooks)), inquiries_(std::move(inquiries)) {}
  Result<RecipientVerdict> take_steps(std::string_view address, std::string_view sender);
  void give_domain(RecipientVerdict& verdict) const;
  Result<void> map_domain(RecipientVerdict& verdict);
  Result<Decision> look_at_table(std::string_view address, Bypass& bypass,
                                 std::optional<SmtpReply>& accepted);
  Result<void> follow_aliases(RecipientVerdict& verdict);
  Result<void> check_all(RecipientVerdict& verdict, std::string_view sender, const Bypass& bypass);
  Result<std::vector<Decision>> check(std::string_view address, std::string_view sender, const Bypass& bypass,
                                      bool asks_others, int64_t deadline);

  RecipientContext context_;
  RecipientHooks hooks_;
  RecipientInquiries inquiries_;
  std::optional<LineTable> domain_map_;
  std::optional<LineTable> table_;
  std::optional<LineTable> aliases_;
};

}  // namespace postern
