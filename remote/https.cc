#include "remote/https.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <memory>

#include "lib/control.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kUrlLimitBytes = 1000;
constexpr long kConnectMilliseconds = 20000;
constexpr uint16_t kHttpsPort = 443;
constexpr uint16_t kLowestOtherPort = 1024;

struct CurlEnd {
  void operator()(CURL* handle) const { ::curl_easy_cleanup(handle); }
};
struct ListEnd {
  void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
};
struct UrlEnd {
  void operator()(CURLU* url) const { ::curl_url_cleanup(url); }
};
using List = std::unique_ptr<curl_slist, ListEnd>;

struct Body {
  std::string bytes;
  size_t limit_bytes;
};

size_t take_body(char* bytes, size_t size, size_t count, void* into) {
  Body& body = *static_cast<Body*>(into);
  const size_t length = size * count;
  if (length > body.limit_bytes - body.bytes.size()) return 0;  // ends the exchange
  body.bytes.append(bytes, length);
  return length;
}

// What the socket's maker knows, and leaves.
struct Door {
  const Networks& inner;
  std::string refused{};  // the address that was, the last time
};

std::string address_text(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* const bytes =
      address.sa_family == AF_INET
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(address).sin_addr)
          : static_cast<const void*>(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
  return ::inet_ntop(address.sa_family, bytes, text.data(), text.size()) == nullptr ? "" : text.data();
}

curl_socket_t open_socket(void* closure, curlsocktype, curl_sockaddr* to) {
  Door& door = *static_cast<Door*>(closure);
  const bool is_ip = to->family == AF_INET || to->family == AF_INET6;
  const std::string text = is_ip ? address_text(to->addr) : std::string();
  const std::optional<AnyAddress> address = parse_any_address(text);
  if (!address || (is_inner_address(*address) && !door.inner.contain(*address))) {
    door.refused = text;
    return CURL_SOCKET_BAD;
  }
  return ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

std::string url_part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (::curl_url_get(url, part, &text, 0) != CURLUE_OK || text == nullptr) return "";
  std::string copy = text;
  ::curl_free(text);
  return copy;
}

std::string bracketed(const std::string& address) {
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

// HOST:PORT:ADDRESS,ADDRESS: libcurl then asks nobody, and tries the addresses as it likes.
std::string resolve_line(const HttpsRequest& request, uint16_t port) {
  std::string line = request.url.host + ":" + std::to_string(port) + ":";
  for (size_t i = 0; i < request.addresses.size(); ++i)
    line += (i == 0 ? "" : ",") + bracketed(request.addresses[i]);
  return line;
}

bool is_trust(CURLcode code) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return true;
    default:
      return false;
  }
}

template <typename Value>
void set(CURL* handle, CURLoption option, Value value) {
  ::curl_easy_setopt(handle, option, value);
}

void set_limits(CURL* handle, const HttpsRequest& request) {
  set(handle, CURLOPT_PROTOCOLS_STR, "https");
  set(handle, CURLOPT_FOLLOWLOCATION, 0L);
  set(handle, CURLOPT_PROXY, "");
  set(handle, CURLOPT_NOSIGNAL, 1L);
  set(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_milliseconds));
  set(handle, CURLOPT_CONNECTTIMEOUT_MS, kConnectMilliseconds);
  set(handle, CURLOPT_MAXFILESIZE, static_cast<long>(request.limit_bytes));
  set(handle, CURLOPT_USERAGENT, "postern");
}

void set_trust(CURL* handle, const HttpsRequest& request) {
  set(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  set(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  set(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // The directory alone: the bundle that libcurl reads otherwise costs 60 ms a process.
  set(handle, CURLOPT_CAINFO, static_cast<const char*>(nullptr));
  set(handle, CURLOPT_CAPATH, request.ca_path.c_str());
}

HttpsEnd failed(std::string text, bool untrusted = false) {
  return {.reply = {}, .trouble = {.untrusted = untrusted, .text = std::move(text)}};
}

HttpsEnd end_of(CURL* handle, CURLcode code, const std::string& said, Body& body) {
  if (code == CURLE_FILESIZE_EXCEEDED || (code == CURLE_WRITE_ERROR && !body.bytes.empty()))
    return failed("more than " + std::to_string(body.limit_bytes) + " bytes");
  if (code != CURLE_OK) return failed(said.empty() ? ::curl_easy_strerror(code) : said, is_trust(code));
  HttpsEnd end;
  ::curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &end.reply.status);
  const char* type = nullptr;
  ::curl_easy_getinfo(handle, CURLINFO_CONTENT_TYPE, &type);
  const std::string_view whole = type == nullptr ? "" : type;
  end.reply.content_type = lower(trim(whole.substr(0, whole.find(';'))));
  end.reply.body = std::move(body.bytes);
  return end;
}

}  // namespace

Result<HttpsUrl> parse_https_url(std::string_view text) {
  const Failure wrong = permanent("\"" + printable(text, 100) + "\" is no https URL");
  if (text.size() > kUrlLimitBytes) return wrong;
  const std::unique_ptr<CURLU, UrlEnd> url{::curl_url()};
  const std::string copy{text};
  if (!url || ::curl_url_set(url.get(), CURLUPART_URL, copy.c_str(), CURLU_DISALLOW_USER) != CURLUE_OK)
    return wrong;
  HttpsUrl parsed{.url = copy, .host = lower(url_part(url.get(), CURLUPART_HOST))};
  if (url_part(url.get(), CURLUPART_SCHEME) != "https" || parsed.host.empty()) return wrong;
  if (const std::string port = url_part(url.get(), CURLUPART_PORT); !port.empty()) {
    const std::optional<uint64_t> number = parse_number(port);
    if (!number || *number > 65535 || (*number < kLowestOtherPort && *number != kHttpsPort)) return wrong;
    parsed.port = static_cast<uint16_t>(*number);
  }
  return parsed;
}

Result<Networks> read_https_inner() {
  Result<std::optional<std::vector<std::string>>> lines = control_list("httpsinner");
  if (!lines) return lines.failure();
  Result<Networks> networks =
      Networks::parse(lines->value_or(std::vector<std::string>()), "control/httpsinner");
  if (!networks) return temporary(networks.failure().text, 55);
  return networks;
}

void begin_https() {
  ::curl_global_init(CURL_GLOBAL_DEFAULT);
}

HttpsEnd exchange(const HttpsRequest& request) {
  if (request.addresses.empty()) return failed(request.url.host + " has no address");
  if (request.timeout_milliseconds <= 0) return failed("no time is left");
  const std::unique_ptr<CURL, CurlEnd> handle{::curl_easy_init()};
  if (!handle) return failed("libcurl does not start");
  const uint16_t port = request.connect_port != 0 ? request.connect_port : request.url.port;
  const List resolve{::curl_slist_append(nullptr, resolve_line(request, port).c_str())};
  const List connect{
      ::curl_slist_append(nullptr, ("::" + request.url.host + ":" + std::to_string(port)).c_str())};
  const List headers{::curl_slist_append(
      nullptr,
      (request.post_type.empty() ? "Accept: text/plain" : "Content-Type: " + request.post_type).c_str())};
  std::array<char, CURL_ERROR_SIZE> said{};
  Body body{.bytes = {}, .limit_bytes = request.limit_bytes};
  Door door{.inner = request.inner};
  set_limits(handle.get(), request);
  set(handle.get(), CURLOPT_OPENSOCKETFUNCTION, open_socket);
  set(handle.get(), CURLOPT_OPENSOCKETDATA, &door);
  set_trust(handle.get(), request);
  set(handle.get(), CURLOPT_URL, request.url.url.c_str());
  set(handle.get(), CURLOPT_RESOLVE, resolve.get());
  set(handle.get(), CURLOPT_CONNECT_TO, connect.get());
  set(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  set(handle.get(), CURLOPT_ERRORBUFFER, said.data());
  set(handle.get(), CURLOPT_WRITEFUNCTION, take_body);
  set(handle.get(), CURLOPT_WRITEDATA, &body);
  if (!request.post_type.empty()) {
    set(handle.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(request.post_body.size()));
    set(handle.get(), CURLOPT_POSTFIELDS, request.post_body.c_str());
  }
  const CURLcode code = ::curl_easy_perform(handle.get());
  if (code == CURLE_COULDNT_CONNECT && !door.refused.empty())
    return failed(door.refused + " is an inner address, which control/httpsinner does not allow");
  return end_of(handle.get(), code, said.data(), body);
}

}  // namespace postern
