// The run scripts of an instance's services, for daemontools.
#pragma once

#include <string>

#include "service/services.h"

namespace postern {

struct Listener {
  std::string address;  // both empty: there is none
  std::string port;
};

struct Instance {
  std::string home;      // absolute
  std::string programs;  // absolute: the directory of our programs
  Listener listen;
  Listener submission{};
  Listener smtps{};    // with TLS from the first byte
  bool split = false;  // root made it: each service has its own user
};

// Of a service that is smtpd.
const Listener& listener_of(const Instance& instance, const Service& service);
std::string run_script(const Instance& instance, const Service& service);
std::string log_run_script(const Instance& instance, const Service& service);

}  // namespace postern
