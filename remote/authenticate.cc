#include "remote/authenticate.h"

#include "lib/base64.h"
#include "lib/control.h"
#include "lib/secret_file.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kFileLimitBytes = 4096;
constexpr size_t kSecretLimitBytes = 500;  // a command line with it in base64 stays below 1000 bytes
constexpr std::string_view kStatus = "4.7.0";

// One command and its reply, which has to be `expected`: what the server says, never what we said.
Result<void> say(SmtpSession& session, std::string_view line, unsigned expected) {
  if (Result<void> sent = session.send(std::string(line) + "\r\n", Phase::auth); !sent) return sent;
  Result<ServerReply> reply = session.read_reply(Phase::auth);
  if (!reply) return reply.failure();
  if (reply->code == expected) return {};
  return Failure{Kind::temporary, "4.7.8", session.said(*reply), 0};
}

Result<void> say_login(SmtpSession& session, const Credentials& credentials) {
  if (Result<void> begun = say(session, "AUTH LOGIN", 334); !begun) return begun;
  if (Result<void> user = say(session, base64(credentials.user), 334); !user) return user;
  return say(session, base64(credentials.password), 235);
}

}  // namespace

Result<Credentials> read_credentials(const std::string& name) {
  const std::string path = home_path("secrets/posternr/" + name);
  const auto wrong = [&](const std::string& why) { return temporary(path + ": " + why, 0, "4.3.5"); };
  Result<std::string> text = read_secret(path, kFileLimitBytes);
  if (!text) return text.failure();
  const std::vector<std::string_view> lines = split(*text, '\n');
  const auto line = [&](size_t number) {
    std::string_view found = number < lines.size() ? lines[number] : std::string_view();
    if (found.ends_with('\r')) found.remove_suffix(1);
    return std::string(found);
  };
  Credentials credentials{line(0), line(1)};
  const std::string both = credentials.user + credentials.password;
  if (credentials.user.empty() || credentials.password.empty() || both.size() > kSecretLimitBytes ||
      both.find('\0') != std::string::npos)
    return wrong("line 1 should be the user and line 2 the password, together at most 500 bytes");
  return credentials;
}

Result<void> authenticate(SmtpSession& session, const Route& route, TlsLevel level) {
  if (route.auth.empty()) return {};
  const std::string where = target_text(session.target());
  const bool known = session.tls.did == TlsOutcome::Did::authenticated || is_local_socket(session.target());
  const bool is_private = known || (session.tls.encrypted() && level == TlsLevel::encrypt);
  if (!is_private && !route.auth_without_tls)
    return temporary("no password is sent to " + where +
                         " without TLS to a server whose certificate fits; control/smtproutes may say "
                         "tls=encrypt for any certificate, or auth-without-tls=yes",
                     0, std::string(kStatus));
  Result<Credentials> credentials = read_credentials(route.auth);
  if (!credentials) return credentials.failure();
  if (session.extensions().auth_plain) {
    const std::string response =
        std::string(1, '\0') + credentials->user + std::string(1, '\0') + credentials->password;
    return say(session, "AUTH PLAIN " + base64(response), 235);
  }
  if (session.extensions().auth_login) return say_login(session, *credentials);
  return temporary(where + " offers neither AUTH PLAIN nor AUTH LOGIN", 0, std::string(kStatus));
}

}  // namespace postern
