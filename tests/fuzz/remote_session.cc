// parts: remote/message_body.cc remote/report.cc remote/smtp_commands.cc remote/smtp_reply.cc
// parts: remote/smtp_session.cc remote/smtp_transaction.cc remote/dial.cc remote/tls_context.cc remote/tls_stream.cc lib
// libs: -lssl -lcrypto -Wl,--wrap=recv -Wl,--wrap=send -Wl,--wrap=poll
//
// A server of any kind against the whole of a delivery: the input is what it sends, a piece at a time (0xff
// ends a piece, 0xfe the connection). Whatever it says, a recipient counts as delivered only when a 2yz reply
// came behind the final dot, or behind the chunk, and every recipient has exactly one result of printable
// text.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lib/fd.h"
#include "must.h"
#include "remote/smtp_transaction.h"

using namespace postern;

namespace {

std::string_view script;   // what the server has not sent yet
std::string said;          // what it has sent so far
std::string heard;         // what it got, all of it
size_t content_began = 0;  // of `heard`: behind the command that took a message's content; 0: none
size_t said_at_end = 0;    // of `said`, when the last content was complete
bool content_ended = false;

bool is_final_yes(std::string_view line) {
  return line.size() >= 3 && line[0] == '2' && (line.size() == 3 || line[3] == ' ' || line[3] == '\r');
}

// Was a 2yz reply said behind the end of the content?
bool yes_behind_the_end() {
  std::string_view rest = std::string_view(said).substr(said_at_end);
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    if (is_final_yes(rest.substr(0, end))) return true;
    if (end == std::string_view::npos) return false;
    rest.remove_prefix(end + 1);
  }
  return false;
}

// How the server reads what it gets: commands end with CRLF, hold no other control bytes; content ends with
// CRLF.CRLF.
void hear(std::string_view bytes) {
  heard += bytes;
  const std::string_view all = heard;
  if (all.ends_with("\r\n.\r\n") || all == ".\r\n") {
    content_ended = true;
    said_at_end = said.size();
  }
  if (const size_t bdat = all.rfind("BDAT "); bdat != std::string_view::npos && bdat >= content_began) {
    content_began = all.size();
    content_ended = true;
    said_at_end = said.size();
  }
}

}  // namespace

extern "C" {

ssize_t __wrap_recv(int, void* into, size_t size, int) {
  if (script.empty() || script.front() == '\xfe') return 0;
  size_t length = std::min(script.find('\xff'), script.size());
  length = std::min({length, script.find('\xfe'), size});
  std::copy_n(script.data(), length, static_cast<char*>(into));
  said.append(script.substr(0, length));
  script.remove_prefix(length);
  if (!script.empty() && script.front() == '\xff') script.remove_prefix(1);
  if (length == 0) {
    errno = EINTR;
    return -1;
  }
  return static_cast<ssize_t>(length);
}

ssize_t __wrap_send(int, const void* bytes, size_t size, int) {
  hear({static_cast<const char*>(bytes), size});
  return static_cast<ssize_t>(size);
}

int __wrap_poll(pollfd* fds, nfds_t, int timeout) {
  fds->revents = static_cast<short>(timeout == 0 ? 0 : fds->events);
  return timeout == 0 ? 0 : 1;
}
}

namespace {

void check(const OutgoingMessage& message, const TransactionEnd& end) {
  if (end.trouble) {
    must(end.results.empty());
    return;
  }
  must(end.results.size() == message.envelope.recipients.size());
  bool delivered = false;
  for (const RecipientResult& result : end.results) {
    must(std::string_view("rphs").find(result.letter) != std::string_view::npos && !result.text.empty());
    must(std::all_of(result.text.begin(), result.text.end(), [](char c) { return c >= 0x20 && c < 0x7f; }));
    delivered = delivered || is_delivered(result.letter);
  }
  if (delivered) must(content_ended && yes_behind_the_end());
  for (const size_t again : end.again) must(end.results.at(again).letter == 's');
}

Fd file_with(std::string_view content) {
  Result<Fd> file = memory_file_with("message", content);
  must(file.ok());
  return std::move(*file);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string content = "Subject: x\n\n.\nbody\r.\rMAIL FROM:<>\n";
  static const Fd file = file_with(content);
  static const Fd nothing = file_with("");
  script = {reinterpret_cast<const char*>(data), size};
  said.clear();
  heard.clear();
  content_began = said_at_end = 0;
  content_ended = false;
  RemoteSettings settings;
  settings.hello = "me.test";
  OutgoingMessage message;
  message.fd = file.get();
  message.size = content.size();
  message.envelope.sender = "s@y.test";
  message.envelope.recipients = {
      {"a@x.test", "SUCCESS", ""}, {"b c@x.test", "", ""}, {"\xc3\xa4@x.test", "", ""}};
  const std::unique_ptr<SmtpSession> session =
      SmtpSession::over(file_with(""), {"mx.test", "192.0.2.1", 25}, 1, settings.timeouts);
  if (!session->greet(settings)) return 0;
  // As long as a worker would keep the connection.
  for (int i = 0; i < 3 && session->usable && session->quiet(); ++i) {
    content_ended = false;
    const TransactionEnd end = send_message(*session, message);
    check(message, end);
    if (end.trouble) break;
  }
  return 0;
}
