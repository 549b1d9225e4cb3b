#include "ldapq/ldap_servers.h"

#include "lib/child.h"
#include "lib/log.h"

namespace postern {

namespace {

constexpr int64_t kLongestRestMilliseconds = 120 * 1000;  // firewalls forget what rests longer
constexpr int64_t kBudgetMilliseconds = 45 * 1000;        // no further server is begun with after it

constexpr int64_t kClockMilliseconds = 50;  // libldap rounds by its own clock

}  // namespace

Result<LdapEntries> LdapServers::search(const std::string& server, const LdapSearch& search) {
  Result<LdapEntries> answer = LdapEntries{};
  const unsigned timeout = settings_.servers.at(server).timeout_seconds;
  const std::string why = try_servers(server, false, [&](LdapConnection& connection) {
    answer = connection.search(search, timeout);
    return answer || !connection.lost() ? std::string() : answer.failure().text;
  });
  if (!why.empty()) return temporary(why, 111);
  return answer;
}

Result<bool> LdapServers::bind(const std::string& server, const std::string& dn,
                               const std::string& password) {
  Result<bool> answer = false;
  const std::string why = try_servers(server, true, [&](LdapConnection& connection) {
    answer = connection.bind(dn, password);
    return answer || !connection.lost() ? std::string() : answer.failure().text;
  });
  if (!why.empty()) return temporary(why, 111);
  return answer;
}

std::string LdapServers::try_servers(const std::string& name, bool for_passwords, const Attempt& attempt) {
  const LdapServer& server = settings_.servers.at(name);
  Held& held = held_[{name, for_passwords}];
  if (try_held(held, server, attempt)) return {};
  const int64_t begun = now_milliseconds();
  const int64_t probe = 1000 * (int64_t{3} * server.connect_seconds + server.timeout_seconds);
  std::string why;
  for (size_t i = 0; i < server.uris.size(); ++i) {
    const std::string& uri = server.uris[i];
    const int64_t now = now_milliseconds();
    const SharedState::May may = shared_.may_try(uri, now, probe);
    if (!why.empty()) why += "; ";
    if (may == SharedState::May::no) {
      why += uri + ": it failed, and is left alone for " +
             std::to_string((shared_.left_alone(uri, now) + 999) / 1000) + " s";
      continue;
    }
    if (now - begun > kBudgetMilliseconds) {
      why += uri + ": no time is left for it";
      break;
    }
    const auto password = passwords_.find(name);
    Result<LdapConnection> connection =
        LdapConnection::open(uri, server, password == passwords_.end() ? "" : password->second);
    const std::string failure = connection ? attempt(*connection) : connection.failure().text;
    if (failure.empty()) {
      if (shared_.came_up(uri)) log_info("LDAP: " + uri + " answers again");
      last_uri_ = uri;
      held = Held{.connection = std::move(*connection), .uri = i, .used = now_milliseconds()};
      return {};
    }
    note_failure(uri, server, may == SharedState::May::probe, failure);
    why += uri + ": " + failure;
  }
  return why.empty() ? "there is no server" : why;
}

// What rested may have been closed at the other end: that is no failure of its server, and it is connected to
// anew. One that did not answer in time is one.
bool LdapServers::try_held(Held& held, const LdapServer& server, const Attempt& attempt) {
  if (!held.connection) return false;
  const int64_t begun = now_milliseconds();
  if (begun - held.used > kLongestRestMilliseconds || better_is_up(held, server)) {
    held.connection.reset();
    return false;
  }
  const std::string& uri = server.uris[held.uri];
  if (attempt(*held.connection).empty()) {
    held.used = now_milliseconds();
    last_uri_ = uri;
    return true;
  }
  held.connection.reset();
  if (now_milliseconds() - begun + kClockMilliseconds >= int64_t{1000} * server.timeout_seconds)
    note_failure(uri, server, false, "no answer within " + std::to_string(server.timeout_seconds) + " s");
  return false;
}

// On a later server of the list: has one before it come back, or is it time to see?
bool LdapServers::better_is_up(const Held& held, const LdapServer& server) const {
  const int64_t now = now_milliseconds();
  for (size_t i = 0; i < held.uri; ++i) {
    if (shared_.left_alone(server.uris[i], now) == 0) return true;
  }
  return false;
}

void LdapServers::note_failure(const std::string& uri, const LdapServer& server, bool probe,
                               const std::string& why) {
  if (shared_.went_down(uri, now_milliseconds(), server.retry_seconds, probe)) log_warning("ask " + uri, why);
}

}  // namespace postern
