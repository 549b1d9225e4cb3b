// AUTH (RFC 4954). The conversation with the client is here; what the responses mean, and whose passwords
// they prove, only authq knows. What goes there and comes back is base64 as it came: no password is ever
// decoded in this process.
#include <algorithm>

#include "lib/child.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "lib/text.h"
#include "smtpd/session.h"

namespace postern::smtpd {

namespace {

// "A TAB B": either may be empty.
std::pair<std::string, std::string> two_fields(const std::string& output) {
  const size_t tab = std::min(output.find('\t'), output.size());
  return {output.substr(0, tab), output.substr(std::min(tab + 1, output.size()))};
}

struct Forgetting {
  Client& client;
  ~Forgetting() { client.forget_taken(); }
};

}  // namespace

std::string Session::user() const {
  return environment_.get_or("POSTERN_AUTH", "");
}

// RFC 3207, 4.2: what was said in clear counts for nothing under TLS.
void Session::forget_user() {
  if (logged_in_) environment_.unset("POSTERN_AUTH");
  logged_in_ = false;
}

// RFC 4954, 4: what is not offered is not taken either.
bool Session::auth_is_offered() const {
  return settings_.policy.auth != AuthUse::off && extended_ && (tls_ || settings_.policy.auth_without_tls);
}

void Session::auth(std::string_view argument) {
  // Whatever becomes of the command, there may be a password in it.
  keep_memory_private();
  const Forgetting taken{client_};
  if (settings_.policy.auth == AuthUse::off) return refuse(Reply::not_implemented);
  if (!extended_) return refuse(Reply::not_greeted);
  if (!auth_is_offered()) return refuse(Reply::needs_encryption);
  if (!user().empty()) return refuse(Reply::authenticated_already);
  if (transaction_.mid != 0 || refused_mail_) return refuse(Reply::auth_in_transaction);
  const std::vector<std::string_view> parts = words(argument);
  if (parts.empty() || parts.size() > 2) return refuse(Reply::bad_auth);
  const std::string* mechanisms = need(rules_.auth_mechanisms, read_auth_mechanisms);
  if (mechanisms == nullptr) return;
  const std::vector<std::string_view> offered = words(*mechanisms);
  const auto known = std::find_if(offered.begin(), offered.end(), [&](std::string_view mechanism) {
    return equal_ignoring_case(mechanism, parts[0]);
  });
  if (known == offered.end()) return refuse(Reply::unknown_mechanism);
  exchange(std::string(*known), parts.size() == 2 ? std::optional(Secret(parts[1])) : std::nullopt);
}

void Session::exchange(const std::string& mechanism, std::optional<Secret> response) {
  std::string state;
  for (;;) {
    const int64_t came = now_milliseconds();
    const Result<postern::Reply> answer =
        ask_auth_(mechanism, state, response ? &*response : nullptr, settings_);
    response.reset();
    if (!answer) {
      log_warning("authenticate a client", answer.failure());
      return idle_command(Reply::auth_unavailable);
    }
    const auto [first, second] = two_fields(answer->output);
    switch (static_cast<AuthCode>(answer->exit_code)) {
      case AuthCode::authenticated:
        // The server's last word, which the client has to acknowledge with an empty line.
        if (!second.empty()) {
          const std::optional<Secret> acknowledged = ask_client(second);
          if (!acknowledged) return;
          if (!acknowledged->empty()) return exchange_failed(Reply::bad_auth_response);
        }
        return authenticated(first, mechanism);
      case AuthCode::go_on:
        state = first;
        response = ask_client(second);
        if (!response) return;
        continue;
      case AuthCode::refused:
        return authentication_failed(Reply::authentication_failed, second, mechanism,
                                     rest_of_delay(first, now_milliseconds() - came));
      case AuthCode::too_many_failures:
        log_.authentication_failed("", mechanism, "too many failures of this address");
        return close(Reply::too_many_auth_failures);
      case AuthCode::not_understood:
        return exchange_failed(Reply::bad_auth_response);
      case AuthCode::unknown_mechanism:
        return refuse(Reply::unknown_mechanism);
      case AuthCode::try_again:
        if (answer->output.empty()) break;
        return authentication_failed(Reply::auth_unavailable, second, mechanism,
                                     rest_of_delay(first, now_milliseconds() - came));
    }
    return idle_command(Reply::auth_unavailable);
  }
}

// The client's response; nothing when it was answered, or the connection is over.
std::optional<Secret> Session::ask_client(std::string_view challenge) {
  // RFC 4954, 4: AUTH ends a group; what was sent ahead of a challenge is no response to it.
  if (client_.is_ahead()) {
    close(Reply::improper_pipelining);
    return std::nullopt;
  }
  client_.say("334 " + std::string(challenge) + "\r\n");
  const CommandLine line = client_.next_line();
  switch (line.kind) {
    case LineKind::command:
      break;
    case LineKind::no_more:
      input_ended(line.came);
      return std::nullopt;
    case LineKind::endless:
      close(Reply::endless_input);
      return std::nullopt;
    case LineKind::too_long:
      refuse(Reply::auth_line_too_long);
      return std::nullopt;
    case LineKind::bare_line_feed:
      refuse(Reply::bare_line_feed);
      return std::nullopt;
  }
  if (line.text == "*") {
    exchange_failed(Reply::auth_cancelled);
    return std::nullopt;
  }
  return Secret(line.text);
}

void Session::authenticated(const std::string& name, const std::string& mechanism) {
  log_.authenticated(name, mechanism);
  if (!is_within(rates_.authenticated(name))) return;
  environment_.set("POSTERN_AUTH", name);
  logged_in_ = true;
  recipient_checks_.reset();  // they know of nobody
  errors_ = 0;
  answer(Reply::authenticated);
}

// Who guesses waits, longer each time; after a few tries the connection is over. Each of these processes
// belongs to one client, so nobody else waits.
void Session::authentication_failed(Reply reply, const std::string& name, const std::string& mechanism,
                                    int64_t delay) {
  log_.authentication_failed(name, mechanism,
                             reply == Reply::auth_unavailable ? "a checker could not tell" : "");
  client_.pause(delay);
  exchange_failed(reply);
}

// One that is broken off has cost authq its work, too.
void Session::exchange_failed(Reply reply) {
  const uint64_t* tries = need(rules_.auth_tries, read_auth_tries);
  if (tries == nullptr) return;
  if (++auth_failures_ >= *tries) {
    answer(reply);
    return close(Reply::too_many_auth_failures);
  }
  refuse(reply);
}

bool Session::may_send_as(std::string_view sender) {
  if (!settings_.policy.check_user || user().empty()) return true;
  const SendAs* table = need(rules_.send_as, read_send_as);
  return table != nullptr && accepts(check_sender(*table, user(), sender));
}

// The addresses of the message itself, when this user may only send as himself.
Decision Session::judge_authors() {
  if (!settings_.policy.check_user || user().empty()) return pass("spoof");
  const SendAs* table = need(rules_.send_as, read_send_as);
  if (table == nullptr) return pass("spoof");  // the session is over
  return check_authors(*table, user(), transaction_.message->header().authors());
}

}  // namespace postern::smtpd
