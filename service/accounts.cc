#include "service/accounts.h"

#include <grp.h>
#include <pwd.h>

#include "lib/child.h"
#include "lib/text.h"
#include "service/services.h"

namespace postern {

namespace {

constexpr int64_t kDeadlineMilliseconds = 60000;

Result<void> run_tool(std::vector<std::string> arguments) {
  ChildOptions options;
  options.arguments = std::move(arguments);
  options.environment.set("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
  Result<ChildEnd> end = run_child(options, now_milliseconds() + kDeadlineMilliseconds, 4096);
  if (!end) return end.failure();
  if (end->signal == 0 && end->exit_code == 0) return {};
  return temporary(options.arguments.front() + " " + options.arguments.back() + ": failed, exit code " +
                   std::to_string(end->exit_code));
}

}  // namespace

Result<void> make_service_accounts() {
  const std::string group(kGroup);
  if (::getgrnam(group.c_str()) == nullptr) {
    if (Result<void> made = run_tool({"/usr/sbin/groupadd", "--system", group}); !made) return made;
  }
  for (const ServiceUser& user : service_users()) {
    if (::getpwnam(user.name.c_str()) != nullptr) continue;
    Result<void> made =
        run_tool({"/usr/sbin/useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent",
                  "--shell", "/usr/sbin/nologin", "--gid", group, "--comment", user.what, user.name});
    if (!made) return made;
  }
  return {};
}

}  // namespace postern
