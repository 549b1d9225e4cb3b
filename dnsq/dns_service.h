// The resident form: one process, one loop over the listening socket, the clients' connections and the
// resolver, so that all questions share one cache. (Workers as in lib/serve would each have a cache of their
// own.)
#pragma once

#include <functional>
#include <memory>

#include "dnsq/dns_source.h"
#include "lib/serve.h"

namespace postern {

constexpr int64_t kQuestionDeadlineMilliseconds = 30000;

using OpenSource = std::function<Result<std::unique_ptr<DnsSource>>()>;

// Until SIGTERM, after which what is outstanding is still answered. On SIGHUP `open` makes a new source (an
// empty cache, the files read again); when that fails the old one stays.
int serve_dns(int listening, const ServeOptions& options, const OpenSource& open);

}  // namespace postern
