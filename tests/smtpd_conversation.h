// The whole SMTP conversation without a process: packets in, replies and messages out. For unit tests and the
// fuzzer.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/child.h"
#include "lib/fd.h"
#include "smtpd/session.h"

struct HandedOn {
  postern::Envelope envelope;
  std::string message;  // without our Received: field
  std::string received;
  std::string user;  // POSTERN_AUTH
};

inline postern::Result<postern::Reply> nobody_there(const std::string&, const std::string&,
                                                    const postern::Secret*, const postern::smtpd::Settings&) {
  return postern::temporary("ask authq: nobody is there");
}

struct Conversation {
  postern::smtpd::Settings settings;
  postern::smtpd::Rules rules;
  std::vector<std::string> packets;  // each is one read(2); together below kInputBufferBytes
  // What comes under TLS, and how that begins; nothing: TLS is not offered.
  std::optional<std::vector<std::string>> tls_packets;
  postern::TlsFacts tls_facts;
  bool tls_is_away = false;  // when it is to be prepared
  bool tls_fails = false;    // in the handshake
  bool tls_immediate = false;
  std::function<postern::QueueAnswer(const HandedOn&)> queue = [](const HandedOn&) {
    return postern::QueueAnswer{};
  };
  postern::smtpd::AskAuth ask_auth = nobody_there;  // in authq's place
  bool tls = false;                                 // it began before we did

  Conversation() {
    using namespace postern::smtpd;
    settings.me = settings.greeting = "mx.example.org";
    settings.idle_seconds = 300;
    settings.session_seconds = 3600;
    settings.command_bytes = 2048;
    settings.listener = "smtpd";
    settings.icid = 1;
    settings.remote_ip = "192.0.2.1";
    settings.remote_host = settings.local_ip = "unknown";
    rules.message_limit_bytes = 100000;
    rules.ask = [](std::string_view, const postern::Request&, int64_t) -> postern::Result<postern::Reply> {
      return postern::temporary("nobody is there");
    };
    rules.recipients.emplace();
    rules.recipients->our_domains = {"example.org"};
    rules.recipients->limit = 10;
    rules.message.emplace();
    rules.message->hops = 100;
    rules.error_limit = 20;
    rules.command_limit = 100;
    rules.auth_mechanisms = "SCRAM-SHA-256 PLAIN LOGIN";
    rules.auth_tries = 3;
    rules.send_as.emplace();
  }
};

struct Played {
  std::string replies;
  std::vector<HandedOn> handed_on;
};

inline HandedOn handed_on(int message, const postern::Envelope& envelope) {
  HandedOn got{.envelope = envelope, .message = {}, .received = {}, .user = {}};
  postern::Result<std::string> text = postern::read_whole(message, 1 << 24, "read");
  if (text) got.message = std::move(*text);
  size_t end = got.message.find('\n');  // of our field: up to the first line that is not folded
  while (end != std::string::npos && end + 1 < got.message.size() && got.message[end + 1] == ' ' &&
         got.message[end + 2] == ' ') {
    end = got.message.find('\n', end + 1);
    if (got.message.compare(end - 6, 6, " +0000") == 0) break;
  }
  got.received = got.message.substr(0, end + 1);
  got.message.erase(0, end + 1);
  return got;
}

// A socket with all that in it, and its end.
inline postern::Fd socket_with(const std::vector<std::string>& packets) {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return {};
  postern::Fd near(ends[0]);
  const postern::Fd far(ends[1]);
  const int room = 1 << 20;
  ::setsockopt(far.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  for (const std::string& packet : packets) {
    if (!packet.empty()) (void)postern::write_all(far.get(), packet, "send");
  }
  return near;
}

// The other socket takes the first one's place, as tlsd's does; replies go where they went.
inline postern::smtpd::TlsLayer tls_layer_of(const Conversation& conversation, int replies) {
  using namespace postern;
  if (conversation.tls) {
    smtpd::TlsLayer layer;
    layer.begun = {.protocol = "TLSv1.3", .cipher = "TLS_AES_256_GCM_SHA384"};
    return layer;
  }
  if (!conversation.tls_packets) return {};
  const auto begin = [&conversation, replies](smtpd::Client& client) -> Result<TlsFacts> {
    if (conversation.tls_fails) return temporary("the handshake failed");
    const Fd secured = socket_with(*conversation.tls_packets);
    const Fd same(::fcntl(replies, F_DUPFD_CLOEXEC, 3));
    if (Result<void> over = client.go_on_over(secured.get(), same.get()); !over) return over.failure();
    return conversation.tls_facts;
  };
  return {.offered = [] { return true; },
          .prepare =
              [&conversation] {
                return conversation.tls_is_away ? Result<void>(temporary("away")) : Result<void>();
              },
          .begin = begin,
          .immediate = conversation.tls_immediate};
}

inline Played play(const Conversation& conversation) {
  using namespace postern;
  Played played;
  const Fd near = socket_with(conversation.packets);
  if (!near) return played;
  Result<Fd> replies = memory_file("replies");
  const Fd log{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  if (!replies || !log) return played;
  smtpd::EventLog event_log(1, log.get());
  smtpd::Client client(near.get(), replies->get(),
                       {.idle_milliseconds = 300000,
                        .session_deadline = now_milliseconds() + 3600000,
                        .command_bytes = conversation.settings.command_bytes},
                       [] {});
  const auto submit = [&](int message, const Envelope& envelope, const Environment& with) {
    played.handed_on.push_back(handed_on(message, envelope));
    played.handed_on.back().user = with.get_or("POSTERN_AUTH", "");
    return conversation.queue(played.handed_on.back());
  };
  smtpd::Rules rules;
  rules.message_limit_bytes = conversation.rules.message_limit_bytes;
  rules.ask = conversation.rules.ask;
  rules.recipients.emplace();
  rules.recipients->our_domains = conversation.rules.recipients->our_domains;
  rules.recipients->limit = conversation.rules.recipients->limit;
  rules.message = conversation.rules.message;
  rules.error_limit = conversation.rules.error_limit;
  rules.command_limit = conversation.rules.command_limit;
  rules.auth_mechanisms = conversation.rules.auth_mechanisms;
  rules.auth_tries = conversation.rules.auth_tries;
  rules.send_as = conversation.rules.send_as;
  rules.exceptions.emplace();
  rules.ask_dns = conversation.rules.ask_dns;
  rules.trial = conversation.rules.trial;
  smtpd::Session session(conversation.settings, std::move(rules), Environment(), client, event_log, submit,
                         tls_layer_of(conversation, replies->get()));
  session.ask_instead(conversation.ask_auth);
  session.run();
  Result<std::string> said = read_whole(replies->get(), 1 << 26, "read the replies");
  if (said) played.replies = std::move(*said);
  return played;
}
