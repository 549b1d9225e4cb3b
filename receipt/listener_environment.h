// What the listener of a made-up client adds to the environment, for who only wants to see what becomes of
// that client: submission's port has another policy than the one that everybody may use.
#pragma once

#include <string>

#include "lib/environment.h"
#include "lib/result.h"

namespace postern {

// What service/LISTENER says by the `export` line of its run script and by ./env/. Only the variables that
// change what a client is told. A failure: there is such a service, and its files cannot be read.
struct ListenerService {
  bool is_there = false;  // a service of the instance: postern-smtpd --serve
  Environment variables{};
};
Result<ListenerService> read_listener_service(const std::string& listener);

struct ListenerVariables {
  bool is_service = false;
  std::string said{};  // what is set, with its origin, for people; empty: nothing
};

// Sets what the service says, and over that what our own environment does: how a service starts that is none
// of ours, only the operator knows.
Result<ListenerVariables> set_listener_variables(const std::string& listener, Environment& environment);

}  // namespace postern
