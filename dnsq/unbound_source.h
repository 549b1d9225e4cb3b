// Lookups through libunbound: it resolves, caches and validates itself; an upstream's AD bit is never
// trusted. The resolver runs in a thread of the library's own (one cache for all questions); our code stays
// in one thread and is called from process().
#pragma once

#include <unbound.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "dnsq/dns_source.h"
#include "lib/result.h"

namespace postern {

struct ResolverSettings {
  // "ADDR:PORT", "[V6ADDR]:PORT" or an address; "recursive": ask the root; empty: the name servers of
  // /etc/resolv.conf.
  std::string resolver;
  // DS or DNSKEY records. Empty: the root's anchor where the machine has one and no resolver was named, else
  // nothing is validated.
  std::string trust_anchor_file;
};

// "127.0.0.1:5353" to libunbound's "127.0.0.1@5353"; nothing when it is no address.
std::optional<std::string> forward_address(std::string_view resolver);

class UnboundSource : public DnsSource {
 public:
  static Result<std::unique_ptr<UnboundSource>> open(const ResolverSettings& settings);

  uint64_t look_up(const std::string& name, uint16_t type, LookupDone done) override;
  void forget(uint64_t lookup) override;
  [[nodiscard]] int descriptor() const override;
  void process() override;
  [[nodiscard]] size_t outstanding() const override { return pending_.size(); }

 private:
  struct ContextDeleter {
    void operator()(ub_ctx* context) const { ub_ctx_delete(context); }
  };
  struct Pending {
    UnboundSource* source = nullptr;
    uint64_t number = 0;
    std::string name;
    uint16_t type = 0;
    LookupDone done;  // empty: forgotten
  };
  explicit UnboundSource(ub_ctx* context) : context_(context) {}
  static void on_result(void* pending, int error, ub_result* result);
  void finish(const Pending& pending, DnsRrset rrset);

  std::unordered_map<uint64_t, Pending> pending_;  // before context_: callbacks point into it
  std::unique_ptr<ub_ctx, ContextDeleter> context_;
  uint64_t last_number_ = 0;
};

}  // namespace postern
