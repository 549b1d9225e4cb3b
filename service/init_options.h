// The command line of postern-init.
#pragma once

#include <string>
#include <vector>

#include "lib/result.h"

namespace postern {

struct InitOptions {
  std::string directory;   // as given
  std::string me;          // empty: not given
  std::string listen;      // ADDR:PORT; empty: not given
  std::string submission;  // ADDR:PORT; empty: not given
  std::string local;       // domain; empty: not given
  std::vector<std::string> users;
  std::vector<std::string> routes;  // DOMAIN:HOST:PORT
  std::string resolver;             // ADDR:PORT
  std::string clamdb;               // directory
  std::string smtps;                // ADDR:PORT; empty: not given
  bool self_signed = false;         // a certificate, where there is none
};

constexpr const char* kInitUsage =
    "usage: postern-init DIR [--me HOST] [--listen ADDR:PORT] [--submission ADDR:PORT] [--local DOMAIN] "
    "[--user NAME]... [--route DOMAIN:HOST:PORT]... [--resolver ADDR:PORT] [--clamdb DIR] "
    "[--smtps ADDR:PORT] [--tls-self-signed]";

// Checks every value's form; the failure says which one is wrong and what it should look like.
Result<InitOptions> parse_init_options(const std::vector<std::string>& arguments);

// "127.0.0.1:25" or "[::1]:25" taken apart; a permanent failure when it is neither.
struct AddressPort {
  std::string address;
  std::string port;
};
Result<AddressPort> parse_address_port(std::string_view text);

}  // namespace postern
