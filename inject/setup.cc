#include "inject/setup.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <initializer_list>

#include "lib/control.h"
#include "lib/fd.h"
#include "lib/local_part.h"
#include "lib/text.h"

namespace postern::inject {

namespace {

constexpr uint64_t kDefaultMessageLimitBytes = 52428800;  // as postern-smtpd's
constexpr size_t kListFileLimitBytes = 1024 * 1024;

// The first of the variables that is set and not empty.
std::string first_of(const Environment& environment, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (std::string value = environment.get_or(name, ""); !value.empty()) return value;
  }
  return {};
}

// The variable, else line 1 of the control file, else `otherwise`.
Result<std::string> host_setting(const Environment& environment, const char* variable, const char* file,
                                 const std::string& otherwise) {
  if (std::string value = environment.get_or(variable, ""); !value.empty()) return value;
  Result<std::string> line = control_line_or(file, otherwise);
  if (line && line->empty()) return otherwise;
  return line;
}

// What stands behind the first dot, where that is still a domain of two labels: mx.example.org gives
// example.org, example.org itself.
std::string domain_around(const std::string& host) {
  const size_t dot = host.find('.');
  if (dot == std::string::npos) return host;
  const std::string behind = host.substr(dot + 1);
  return behind.find('.') == std::string::npos ? host : behind;
}

Result<void> set_hosts(Setup& setup, const Environment& environment) {
  Result<std::string> me = control_me();
  if (!me) return me.failure();
  struct Row {
    const char* variable;
    const char* file;
    std::string otherwise;
    std::string* value;
  };
  for (const Row& row :
       {Row{"QMAILDEFAULTHOST", "defaulthost", *me, &setup.completion.default_host},
        Row{"QMAILDEFAULTDOMAIN", "defaultdomain", domain_around(*me), &setup.completion.default_domain},
        Row{"QMAILPLUSDOMAIN", "plusdomain", domain_around(*me), &setup.completion.plus_domain},
        Row{"QMAILIDHOST", "idhost", *me, &setup.id_host}}) {
    Result<std::string> value = host_setting(environment, row.variable, row.file, row.otherwise);
    if (!value) return value.failure();
    *row.value = std::move(*value);
  }
  setup.id_host = complete_domain(setup.id_host, setup.completion);
  return {};
}

// The full name of the user database: up to the first comma, with & for the capitalised login name.
std::string full_name(std::string_view gecos, std::string_view login) {
  std::string name;
  for (const char c : gecos.substr(0, gecos.find(','))) {
    if (c != '&') {
      name += c;
    } else if (!login.empty()) {
      name += login.front() >= 'a' && login.front() <= 'z' ? static_cast<char>(login.front() - 'a' + 'A')
                                                           : login.front();
      name += login.substr(1);
    }
  }
  return name;
}

}  // namespace

Result<Setup> read_setup(const Environment& environment) {
  Setup setup;
  if (Result<void> done = set_hosts(setup, environment); !done) return done.failure();
  Result<uint64_t> limit = control_number_or("databytes", kDefaultMessageLimitBytes);
  if (!limit) return limit.failure();
  setup.message_limit_bytes = *limit;
  setup.author_user = first_of(environment, {"QMAILUSER", "MAILUSER", "USER", "LOGNAME"});
  setup.author_host = first_of(environment, {"QMAILHOST", "MAILHOST"});
  setup.author_name = first_of(environment, {"QMAILNAME", "MAILNAME", "NAME"});
  const struct passwd* account = ::getpwuid(::getuid());
  if (account != nullptr) setup.account_name = full_name(account->pw_gecos, account->pw_name);
  if (setup.author_user.empty())
    setup.author_user = account != nullptr ? account->pw_name : "uid-" + std::to_string(::getuid());
  setup.sender_user = first_of(environment, {"QMAILSUSER"});
  if (setup.sender_user.empty()) setup.sender_user = setup.author_user;
  setup.sender_host = first_of(environment, {"QMAILSHOST"});
  if (setup.sender_host.empty()) setup.sender_host = setup.author_host;
  setup.letters = environment.get_or("QMAILINJECT", "");
  if (const std::string file = environment.get_or("QMAILMFTFILE", ""); !file.empty()) {
    Result<std::string> content = read_file(file, kListFileLimitBytes);
    if (!content) return content.failure();
    setup.list_addresses = std::move(*content);
  }
  return setup;
}

std::string made_address(const std::string& user, const std::string& host, const Completion& completion) {
  std::string local_part = user;
  std::erase_if(local_part, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (!is_dot_string(local_part, Utf8::yes)) {
    std::string quoted = "\"";
    for (const char c : local_part) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    local_part = quoted + '"';
  }
  std::string domain = complete_domain(host, completion);
  std::erase_if(domain, [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 ||
           std::string_view("<>()@,;\\\"\x7f").find(c) != std::string_view::npos;
  });
  return local_part + "@" + domain;
}

}  // namespace postern::inject
