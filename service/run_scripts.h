// The run scripts of an instance's services, for daemontools.
#pragma once

#include <string>

#include "service/services.h"

namespace postern {

struct Instance {
  std::string home;      // absolute
  std::string programs;  // absolute: the directory of our programs
  std::string listen_address;
  std::string listen_port;
  std::string submission_address{};  // of the service "submission"; empty: there is none
  std::string submission_port{};
  bool split = false;  // root made it: each service has its own user
};

std::string run_script(const Instance& instance, const Service& service);
std::string log_run_script(const Instance& instance, const Service& service);

}  // namespace postern
