// The control files that Postern knows: what each one holds, and what holds without it.
#pragma once

#include <cstdint>
#include <span>

namespace postern {

// What stands in a file.
enum class Form : uint8_t {
  number,
  antivirus,
  host,
  domains,
  routes,
  address_port,
  directory,
  dkim,
  ldap,
  unsubscribed,
  drop_or_bounce,
  families,
  tls_version,
  tlsd_version,
  file,
  send_or_refuse,
  warn_or_error,
  heuristics,
  scanning,
  stages,
  text,
  barelf,
  senders,
  unwelcome_senders,
  unwelcome_recipients,
  unwelcome_names,
  proxies,
  quarantines,
  bounce_profiles,
  signed_headers,
  mail_address,
  tcp_rules,
  virtual_domains,
  gateways,
  networks,
  host_access,
  policies,
  reputation_lists,
  reputation_table,
  recipient_table,
  recipient_checks,
  call_ahead,
  exceptions,
  authcheck,
  mechanisms,
  send_as,
  line,
  any
};
// A meaning in every line, comments between; else the first line is the value.
bool is_list(Form form);

struct KnownFile {
  const char* name;
  Form form;
  const char* otherwise;  // what holds without the file, in words
};

// In the order of the alphabet.
std::span<const KnownFile> known_files();

}  // namespace postern
