#include "lib/bind.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lib/control.h"
#include "lib/owner.h"

namespace postern {

Result<Identity> look_up_user(std::string_view name) {
  errno = 0;
  const struct passwd* entry = ::getpwnam(std::string(name).c_str());
  if (entry != nullptr) return Identity{entry->pw_uid, entry->pw_gid};
  if (errno != 0 && errno != ENOENT) return os_failure("look up user " + std::string(name), errno);
  return permanent("look up user " + std::string(name) + ": there is none; postern-init makes the users");
}

Result<Identity> look_up_owner(std::string_view owner) {
  const size_t colon = owner.find(':');
  Result<Identity> identity = look_up_user(owner.substr(0, colon));
  if (!identity || colon == std::string_view::npos) return identity;
  const std::string group(owner.substr(colon + 1));
  const struct group* entry = ::getgrnam(group.c_str());
  if (entry == nullptr) return permanent("look up group " + group + ": there is none; postern-init makes it");
  identity->gid = entry->gr_gid;
  return identity;
}

Result<std::optional<Identity>> user_of_instance(std::string_view name) {
  if (::geteuid() != 0) return std::optional<Identity>();
  struct stat queue {};
  const std::string path = home_path("queue");
  if (::stat(path.c_str(), &queue) < 0) return os_failure("look at " + path, errno);
  const Result<Identity> owner = look_up_user("posternq");
  if (!owner || owner->uid != queue.st_uid)
    return std::optional<Identity>(Identity{queue.st_uid, queue.st_gid});
  Result<Identity> user = look_up_user(name);
  if (!user) return user.failure();
  return std::optional<Identity>(*user);
}

Result<void> leave_root(std::string_view name) {
  if (::access(home_path("queue").c_str(), F_OK) < 0) return {};  // no instance, nobody to be
  Result<std::optional<Identity>> user = user_of_instance(name);
  if (!user) return user.failure();
  return user->has_value() ? become(**user) : Result<void>();
}

Result<Fd> bind_service(std::string_view name, std::string_view owner, OpenTo open_to, Carries carries) {
  const std::string path = home_path("run/" + std::string(name));
  const std::string temporary_path =
      home_path("run/.") + std::string(name) + "." + std::to_string(::getpid());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (temporary_path.size() >= sizeof address.sun_path) {
    return permanent("bind " + path +
                     ": the path is longer than a socket's may be; use a shorter home directory");
  }
  std::memcpy(address.sun_path, temporary_path.data(), temporary_path.size());
  Result<uint64_t> backlog = control_number_or("backlog", 128);
  if (!backlog) return backlog.failure();
  Fd socket{::socket(AF_UNIX, (carries == Carries::stream ? SOCK_STREAM : SOCK_SEQPACKET) | SOCK_CLOEXEC, 0)};
  if (!socket) return os_failure("make a socket", errno);
  ::unlink(temporary_path.c_str());
  const mode_t before = ::umask(0177);
  const int bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::umask(before);
  if (bound < 0) return os_failure("bind " + temporary_path, errno);
  if (::getuid() == 0) {
    Result<Identity> identity = look_up_owner(owner);
    if (!identity) return identity.failure();
    if (::chown(temporary_path.c_str(), identity->uid, identity->gid) < 0)
      return os_failure("give " + path + " away", errno);
  }
  if (::chmod(temporary_path.c_str(), open_to == OpenTo::everybody ? 0666 : 0660) < 0)
    return os_failure("set the mode of " + path, errno);
  if (::listen(socket.get(), static_cast<int>(*backlog)) < 0) return os_failure("listen on " + path, errno);
  if (::rename(temporary_path.c_str(), path.c_str()) < 0) return os_failure("rename to " + path, errno);
  return socket;
}

}  // namespace postern
