// parts: lib
//
// How tlsd says a handshake ended. A name and a subject in it are the client's. What is taken can stand in a
// log line, and comes out again as the same.
#include "lib/tls_facts.h"

#include <cstdint>
#include <string_view>

#include "tests/fuzz/must.h"

using namespace postern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Result<TlsFacts> facts = parse_tls_facts(bytes);
  if (!facts) {
    must(!facts.failure().permanent());
  } else {
    for (const std::string* word : {&facts->protocol, &facts->cipher, &facts->server_name})
      must(word->empty() || is_tls_word(*word));
    must(facts->peer_subject.find('\0') == std::string::npos && facts->peer_subject.size() <= 1024);
    const std::string again = serialise_tls_facts(*facts);
    const Result<TlsFacts> same = parse_tls_facts(again);
    must(same.ok() && serialise_tls_facts(*same) == again);
    must(same->peer_subject == facts->peer_subject && same->server_name == facts->server_name);
  }
  // Whatever a client puts into its certificate and its hello.
  TlsFacts hostile;
  hostile.server_name = bytes;
  hostile.peer_subject = bytes;
  hostile.protocol = bytes;
  must(parse_tls_facts(serialise_tls_facts(hostile)).ok());
  return 0;
}
