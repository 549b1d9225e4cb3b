#include "lib/request.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>

#include "scratch.h"

using namespace postern;
using namespace std::string_literals;

namespace {

struct Pair {
  Fd here;
  Fd there;
};

Pair socket_pair() {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

// A packet with `count` times the descriptor `fd`, as a hostile client would send it.
void send_raw(int socket, const std::string& packet, size_t count, int fd) {
  std::string bytes = packet;
  iovec part{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(64 * sizeof(int))> control{};
  if (count > 0) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    for (size_t i = 0; i < count; ++i) std::memcpy(CMSG_DATA(header) + i * sizeof(int), &fd, sizeof fd);
  }
  REQUIRE(::sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
}

const std::string kEmptyRequest = "\1\0\0\0"s;

}  // namespace

TEST_CASE("a request comes back as it was encoded") {
  Request request{.arguments = {"put", "", "with blank"}, .environment = {}, .fds = {{0, 5}, {0, 1}}};
  request.environment.set("POSTERN_MID", "17");
  request.environment.set("EMPTY", "");
  request.environment.set("EQUALS", "a=b\n");
  Result<std::string> packet = encode_request(request);
  REQUIRE(packet.ok());
  CHECK(*packet == "\1\3\0put\0\0with blank\0POSTERN_MID=17\0EMPTY=\0EQUALS=a=b\n\0\0\5\1"s);
  Result<DecodedRequest> decoded = decode_request(*packet, 2);
  REQUIRE(decoded.ok());
  CHECK(decoded->arguments == request.arguments);
  CHECK(decoded->environment.pairs() == request.environment.pairs());
  CHECK(decoded->targets == std::vector<int>{5, 1});
  CHECK(*encode_request({}) == kEmptyRequest);
  CHECK(decode_request(kEmptyRequest, 0).ok());
}

TEST_CASE("hostile packets are refused for now") {
  struct Row {
    std::string packet;
    size_t passed;
  };
  const Row rows[] = {
      {"", 0},
      {"\1", 0},
      {"\1\0\0"s, 0},
      {"\2\0\0\0"s, 0},
      {"\0\0\0\0"s, 0},
      {"\1\1\0\0"s, 0},     // one argument (empty), no end of the environment
      {"\1\1\0a"s, 0},      // the argument has no end
      {"\1\2\0a\0\0"s, 0},  // the second takes the end
      {"\1\xff\xff" + std::string(1000, '\0'), 0},
      {"\1\0\0A=1\0"s, 0},  // no end of the environment
      {"\1\0\0A=1"s, 0},
      {"\1\0\0A\0\0"s, 0},   // no value
      {"\1\0\0=x\0\0"s, 0},  // no name
      {"\1\0\0\0"s, 1},      // one descriptor more than said
      {"\1\0\0\0\3"s, 0},    // one fewer
      {"\1\0\0\0\3\4"s, 1},
      {"\1\0\0\0A=1\0\0"s, 0},  // something behind the end
      {"GET / HTTP/1.0\r\n\r\n", 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.packet.substr(0, 40));
    Result<DecodedRequest> decoded = decode_request(row.packet, row.passed);
    REQUIRE_FALSE(decoded.ok());
    CHECK_FALSE(decoded.failure().permanent());
  }
}

TEST_CASE("what is over a limit or would come out as something else is not encoded") {
  Request request;
  request.arguments = {std::string(kRequestLimitBytes - 5, 'x')};
  REQUIRE(encode_request(request).ok());
  CHECK(encode_request(request)->size() == kRequestLimitBytes);
  request.arguments[0] += 'x';
  CHECK_FALSE(encode_request(request).ok());

  request = {};
  request.fds.assign(kPassedFdLimit, {0, 0});
  CHECK(encode_request(request).ok());
  request.fds.push_back({0, 0});
  CHECK_FALSE(encode_request(request).ok());

  request = {};
  request.arguments = {"two\0arguments"s};
  CHECK_FALSE(encode_request(request).ok());
  for (const auto& tried :
       {std::pair{"A"s, "x\0RELAYCLIENT="s}, {"A\0B"s, "x"s}, {"A=B"s, "x"s}, {""s, "x"s}, {"A"s, "\0"s}}) {
    const auto& name = tried.first;
    const auto& value = tried.second;
    CAPTURE(name);
    request = {};
    request.environment.set(name, value);
    Result<std::string> packet = encode_request(request);
    REQUIRE_FALSE(packet.ok());
    CHECK_FALSE(packet.failure().permanent());
  }
}

TEST_CASE("a request arrives with its descriptors under their numbers") {
  const size_t before = open_descriptors();
  {
    const Pair pair = socket_pair();
    const Fd message = memory_with("the message");
    const Fd envelope = memory_with("the envelope");
    Request request{.arguments = {"a"}, .environment = {}, .fds = {{message.get(), 0}, {envelope.get(), 3}}};
    request.environment.set("POSTERN_MID", "1");
    REQUIRE(send_request(pair.here.get(), request).ok());
    REQUIRE(send_request(pair.here.get(), Request{}).ok());
    Result<Incoming> incoming = receive_request(pair.there.get());
    REQUIRE(incoming.ok());
    CHECK(incoming->came == Came::request);
    CHECK(incoming->request.arguments == std::vector<std::string>{"a"});
    CHECK(incoming->request.environment.get("POSTERN_MID") == "1");
    REQUIRE(incoming->request.fds.size() == 2);
    CHECK(incoming->request.fds[0].first == 0);
    CHECK(content_of(incoming->request.fds[0].second.get()) == "the message");
    CHECK(incoming->request.fds[1].first == 3);
    CHECK(content_of(incoming->request.fds[1].second.get()) == "the envelope");
    CHECK((::fcntl(incoming->request.fds[1].second.get(), F_GETFD) & FD_CLOEXEC) != 0);
    incoming = receive_request(pair.there.get());
    REQUIRE(incoming.ok());
    CHECK(incoming->request.fds.empty());
    CHECK_FALSE(receive_request(pair.there.get()).ok());  // nothing there
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("no packet makes us keep a descriptor that it was not to pass") {
  struct Row {
    const char* what;
    std::string packet;
    size_t descriptors;
  };
  const Row rows[] = {
      {"more than eight (MSG_CTRUNC)", kEmptyRequest + std::string(9, '\0'), 9},
      {"far more than eight", kEmptyRequest + std::string(60, '\0'), 60},
      {"eight that the packet does not name", kEmptyRequest, 8},
      {"fewer than the packet names", kEmptyRequest + "\0\1\2"s, 2},
      {"a longer packet than 64 KiB (MSG_TRUNC)", std::string(kRequestLimitBytes + 100, '\1'), 3},
      {"no request at all", "x", 8},
      {"an unknown version", "\2\0\0\0\0"s, 1},
  };
  const size_t before = open_descriptors();
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const Pair pair = socket_pair();
    send_raw(pair.here.get(), row.packet, row.descriptors, 0);
    Result<Incoming> incoming = receive_request(pair.there.get());
    REQUIRE_FALSE(incoming.ok());
    CHECK_FALSE(incoming.failure().permanent());
    CHECK(open_descriptors() == before + 2);
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("an empty packet and a closed connection are the end of the requests") {
  const size_t before = open_descriptors();
  {
    Pair pair = socket_pair();
    send_raw(pair.here.get(), "", 3, 0);
    Result<Incoming> incoming = receive_request(pair.there.get());
    REQUIRE(incoming.ok());
    CHECK(incoming->came == Came::end_of_file);
    CHECK(open_descriptors() == before + 2);
    pair.here.reset();
    incoming = receive_request(pair.there.get());
    REQUIRE(incoming.ok());
    CHECK(incoming->came == Came::end_of_file);
    CHECK_FALSE(send_request(pair.there.get(), Request{}).ok());
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("a reply arrives whole or as a temporary failure") {
  Pair pair = socket_pair();
  for (const Reply& reply : {Reply{.exit_code = 0, .output = ""}, Reply{.exit_code = 255, .output = "\0x\n"s},
                             Reply{.exit_code = 82, .output = std::string(kReplyLimitBytes, 'x')}}) {
    CAPTURE(reply.exit_code);
    REQUIRE(send_reply(pair.there.get(), reply).ok());
    Result<Reply> got = receive_reply(pair.here.get());
    REQUIRE(got.ok());
    CHECK(got->exit_code == reply.exit_code);
    CHECK(got->output == reply.output);
  }
  CHECK_FALSE(
      send_reply(pair.there.get(), {.exit_code = 0, .output = std::string(kReplyLimitBytes + 1, 'x')}).ok());
  CHECK_FALSE(receive_reply(pair.here.get()).ok());  // nothing there

  send_raw(pair.there.get(), std::string(kReplyLimitBytes + 2, '\0'), 0, 0);
  Result<Reply> got = receive_reply(pair.here.get());
  REQUIRE_FALSE(got.ok());
  CHECK_FALSE(got.failure().permanent());

  pair.there.reset();
  got = receive_reply(pair.here.get());
  REQUIRE_FALSE(got.ok());
  CHECK_FALSE(got.failure().permanent());
}
