// What the listener of a made-up client adds to the environment, for who only wants to see what becomes of
// that client: submission's port has another policy than the one that everybody may use.
#pragma once

#include <string>

#include "lib/environment.h"
#include "lib/result.h"

namespace postern::smtpd {

struct ListenerVariables {
  bool is_service = false;  // of the instance: postern-smtpd --serve
  std::string said{};       // what is set, with its origin, for people; empty: nothing
};

// Sets what service/LISTENER says by the `export` line of its run script and by ./env/, and over that what
// our own environment says: how a service starts that is none of ours, only the operator knows. Only the
// variables that change what a client is told. A failure: there is such a service, and its files cannot be
// read.
Result<ListenerVariables> set_listener_variables(const std::string& listener, Environment& environment);

}  // namespace postern::smtpd
