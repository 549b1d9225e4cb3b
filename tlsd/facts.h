// What a finished handshake was like.
#pragma once

#include "lib/tls_facts.h"

struct ssl_st;

namespace postern::tlsd {

TlsFacts facts_of(ssl_st* ssl);

}  // namespace postern::tlsd
