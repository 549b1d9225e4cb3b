#include "service/run_scripts.h"

namespace postern {

namespace {

std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) {
    if (c == '\'') {
      text += "'\\''";
    } else {
      text += c;
    }
  }
  return text + "'";
}

std::string head(const Service& service) {
  return "#!/bin/sh\n# " + service.name + ": " + service.what +
         ".\n# Made by postern-init, which writes it anew each time: settings belong into control/ and "
         "./env/.\n";
}

std::string limits(const Service& service) {
  return "envdir ./env softlimit -a " +
         std::to_string(static_cast<unsigned long>(service.memory_mib) * 1024 * 1024) + " \\\n  ";
}

std::string smtpd_command(const Instance& instance, const Service& service) {
  const Listener& listener = listener_of(instance, service);
  const bool six = listener.address.find(':') != std::string::npos;
  return quoted(instance.programs + "/postern-bind") + " " +
         (six ? quoted("tcp:[" + listener.address + "]") : "tcp:" + listener.address) + ":" + listener.port +
         " \\\n  " + (instance.split ? "setuidgid posternd " : "") +
         quoted(instance.programs + "/postern-smtpd") + " --serve";
}

std::string uid_list(const std::vector<std::string>& users) {
  std::string list;
  for (const std::string& user : users) list.append(list.empty() ? "" : ",").append("$(id -u " + user + ")");
  return list;
}

std::string resident_command(const Instance& instance, const Service& service) {
  const size_t space = service.program.find(' ');
  std::string program = quoted(instance.programs + "/" + service.program.substr(0, space));
  if (space != std::string::npos) program += service.program.substr(space);
  const bool drops = instance.split && service.user != "root";
  if (instance.split && !service.clients.empty())
    program += " --clients \"" + uid_list(service.clients) + "\"";
  if (instance.split && !service.releaser.empty())
    program += " --releasers \"$(id -u " + service.releaser + ")\"";
  if (instance.split && !service.repeaters.empty())
    program += " --repeaters \"" + uid_list(service.repeaters) + "\"";
  if (drops) program = "setuidgid " + service.user + " " + program;
  if (!service.has_socket()) return program;
  const std::string owner = service.user + ":" + std::string(kGroup);
  const std::string everybody =
      std::string(service.for_everybody ? " --everybody" : "") + (service.stream ? " --stream" : "");
  return quoted(instance.programs + "/postern-bind") + everybody + " " + service.name + " " + owner + " " +
         program;
}

}  // namespace

const Listener& listener_of(const Instance& instance, const Service& service) {
  if (service.name == "submission") return instance.submission;
  return service.name == "smtps" ? instance.smtps : instance.listen;
}

std::string run_script(const Instance& instance, const Service& service) {
  const std::string command =
      service.program.empty() ? smtpd_command(instance, service) : resident_command(instance, service);
  return head(service) + "exec 2>&1\n" +
         (service.variable.empty() ? "" : "export " + service.variable + "\n") + "exec " + limits(service) +
         command + "\n";
}

std::string log_run_script(const Instance& instance, const Service& service) {
  const std::string become = instance.split ? "setuidgid posternl " : "";
  return head(service) + "exec " + become + "multilog t s10000000 n20 " +
         quoted(instance.home + "/log/" + service.name) + "\n";
}

}  // namespace postern
