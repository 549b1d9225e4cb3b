// An SMTP server that takes every message over STARTTLS and throws it away, for W7 of the benchmark: Debian's
// smtp-sink knows no TLS. A thread for each connection, so that it is no bottleneck.
//
//   tls_sink PORT FILE     listens on 127.0.0.1; FILE: certificate and key in PEM
//   fd 1 out               "mesg=N\n" after each message, as smtp-sink -c counts

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

namespace {

std::atomic<unsigned long> messages{0};

class Conversation {
 public:
  Conversation(int socket, SSL_CTX* context) : socket_(socket), context_(context) {}
  ~Conversation() {
    if (ssl_ != nullptr) SSL_free(ssl_);
    close(socket_);
  }

  void run() {
    say("220 sink ESMTP\r\n");
    std::string line;
    while (read_until("\r\n", line) && answer(line)) {
    }
  }

 private:
  bool answer(std::string_view line) {
    if (line.starts_with("EHLO"))
      return say(ssl_ == nullptr ? "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 STARTTLS\r\n"
                                 : "250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n");
    if (line == "STARTTLS") return say("220 go\r\n") && start_tls();
    if (line == "DATA") return say("354 go\r\n") && take_message();
    if (line == "QUIT") return say("221 bye\r\n") && false;
    return say("250 ok\r\n");
  }

  bool start_tls() {
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, socket_);
    return SSL_accept(ssl_) == 1;
  }

  bool take_message() {
    std::string message;
    if (!read_until("\r\n.\r\n", message)) return false;
    const std::string count = "mesg=" + std::to_string(++messages) + "\n";
    if (write(1, count.data(), count.size()) < 0) std::exit(111);
    return say("250 taken\r\n");
  }

  // Replies to commands that came together go together.
  bool say(std::string_view text) {
    replies_ += text;
    if (pending_.find("\r\n") != std::string::npos && text.starts_with("250 ok")) return true;
    const int size = static_cast<int>(replies_.size());
    const ssize_t sent = ssl_ != nullptr ? SSL_write(ssl_, replies_.data(), size)
                                         : send(socket_, replies_.data(), replies_.size(), MSG_NOSIGNAL);
    replies_.clear();
    return sent == size;
  }

  bool read_until(std::string_view mark, std::string& part) {
    for (size_t looked = 0;;) {
      const size_t at = pending_.find(mark, looked);
      if (at != std::string::npos) {
        part = pending_.substr(0, at);
        pending_.erase(0, at + mark.size());
        return true;
      }
      looked = pending_.size() < mark.size() ? 0 : pending_.size() - mark.size() + 1;
      char bytes[16384];
      const ssize_t got =
          ssl_ != nullptr ? SSL_read(ssl_, bytes, sizeof bytes) : recv(socket_, bytes, sizeof bytes, 0);
      if (got <= 0) return false;
      pending_.append(bytes, static_cast<size_t>(got));
    }
  }

  int socket_;
  SSL_CTX* context_;
  SSL* ssl_ = nullptr;
  std::string pending_;
  std::string replies_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 100;
  signal(SIGPIPE, SIG_IGN);
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(context, argv[2]) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, argv[2], SSL_FILETYPE_PEM) != 1) {
    return 111;
  }
  SSL_CTX_set_read_ahead(context, 1);
  const int listening = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(std::atoi(argv[1])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listening, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) return 111;
  if (listen(listening, 1024) < 0) return 111;
  for (;;) {
    const int connection = accept(listening, nullptr, nullptr);
    if (connection < 0) continue;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::thread([=] { Conversation(connection, context).run(); }).detach();
  }
}
