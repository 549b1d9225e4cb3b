// One packet that asks, one that answers: the resident form of every interface between programs (design, Two
// forms, one joint). Both sides use this; lib/call is the client's, lib/serve the server's.
//
//   request  0x01, argument count (2 bytes, low first), arguments NUL-ended, NAME=VALUE pairs NUL-ended, NUL,
//            then one byte for each passed descriptor: the number that it has over there, in SCM_RIGHTS'
//            order
//   reply    exit status (1 byte), then what the path form would print on descriptor 1
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/child.h"
#include "lib/environment.h"
#include "lib/fd.h"
#include "lib/result.h"

namespace postern {

constexpr size_t kRequestLimitBytes = 65536;  // arguments and environment together, in both forms
constexpr size_t kReplyLimitBytes = 65536;
constexpr size_t kPassedFdLimit = 8;

struct Request {
  std::vector<std::string> arguments;  // without the program's name
  Environment environment;
  std::vector<PassedFd> fds;  // borrowed
};

struct Reply {
  int exit_code = 111;
  std::string output;
};

// A request as it came: descriptors are owned.
struct ReceivedRequest {
  std::vector<std::string> arguments;
  Environment environment;
  std::vector<std::pair<int, Fd>> fds;  // number over here, descriptor
};

// Fails (temporary) when it is over a limit or has what cannot be sent.
Result<std::string> encode_request(const Request& request);
// `passed` is how many descriptors came with it. Fails on any broken form.
struct DecodedRequest {
  std::vector<std::string> arguments;
  Environment environment;
  std::vector<int> targets;
};
Result<DecodedRequest> decode_request(std::string_view packet, size_t passed);

// Both block up to the deadline of the socket; SOCK_SEQPACKET only.
Result<void> send_request(int socket, const Request& request);
enum class Came { request, end_of_file };
struct Incoming {
  Came came = Came::end_of_file;
  ReceivedRequest request;
};
Result<Incoming> receive_request(int socket);
Result<void> send_reply(int socket, const Reply& reply);
// Does not wait: call it when the socket is readable. End of file is a temporary failure.
Result<Reply> receive_reply(int socket);

}  // namespace postern
