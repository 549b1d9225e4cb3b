// One message from behind DATA into a sealed memory file, ready to be handed on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/fd.h"
#include "smtpd/client.h"
#include "smtpd/header_scan.h"
#include "smtpd/replies.h"

namespace postern::smtpd {

struct Message {
  Reply reply = Reply::ok;  // anything else: refuse the message with it
  Came came = Came::bytes;  // anything else: the client's input ended before the end of data
  bool ended = false;       // the end of data was seen; if not, the connection cannot go on
  Fd file;                  // sealed, `first_header` and the message
  uint64_t size_bytes = 0;  // of the file
  HeaderScan header;
};

struct MessageLimits {
  uint64_t message_bytes = 0;     // 0: none
  uint64_t least_free_bytes = 0;  // a large message is refused when less memory is available; 0: never
};

// Reads to the end of data whatever happens on the way, so that the session can go on behind it.
Message receive_message(Client& client, std::string_view first_header, const MessageLimits& limits);

}  // namespace postern::smtpd
