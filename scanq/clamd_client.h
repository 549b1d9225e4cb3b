// Asking a clamd that runs by itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/fd.h"
#include "lib/result.h"
#include "scanq/antivirus_finding.h"

namespace postern {

enum class ClamdWay {
  stream,     // INSTREAM: the bytes, over any socket
  descriptor  // FILDES: a memory file, over a Unix socket
};

// One connection, on which one scan follows another (IDSESSION). Whatever goes wrong, now or before, is an
// error of each scan, never clean.
class ClamdClient {
 public:
  // `address`: the path of a Unix socket; or HOST:PORT, [IPV6]:PORT, over which no descriptor goes.
  static Result<ClamdClient> connect(std::string_view address, ClamdWay way, int64_t deadline_milliseconds);

  ScanResult scan(std::string_view bytes);

 private:
  ClamdClient(Fd socket, ClamdWay way, int64_t deadline)
      : socket_(std::move(socket)), way_(way), deadline_(deadline) {}
  Result<void> send_stream(std::string_view bytes);
  Result<void> send_descriptor(std::string_view bytes);
  Result<void> send(std::string_view bytes);
  Result<void> wait_until(short events);
  Result<std::string> receive_line();

  Fd socket_;
  ClamdWay way_;
  int64_t deadline_;
  unsigned number_ = 0;   // of the last command
  std::string received_;  // not yet taken
  std::string broken_;    // why there is no use in going on
};

}  // namespace postern
