#include "service/check_control.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "lib/altsrchost.h"
#include "lib/bounce_profiles.h"
#include "lib/bounce_template.h"
#include "lib/child.h"
#include "lib/control.h"
#include "lib/destinations.h"
#include "lib/dkim_table.h"
#include "lib/fd.h"
#include "lib/inner_addresses.h"
#include "lib/quarantine_settings.h"
#include "lib/reputation_settings.h"
#include "lib/sender_exceptions.h"
#include "lib/smtproutes.h"
#include "lib/text.h"
#include "lib/unsubscribe_list.h"
#include "receipt/compile_tables.h"
#include "service/check_auth.h"
#include "service/check_domains.h"
#include "service/check_host_access.h"
#include "service/check_recipients.h"
#include "service/init_options.h"

namespace postern {

namespace {

constexpr size_t kFileLimitBytes = 16 * 1024 * 1024;
constexpr std::string_view kDefaultDomainOf = "defaultdomain.";  // and a listener's name

enum class Form {
  number,
  antivirus,
  host,
  domains,
  routes,
  address_port,
  directory,
  dkim,
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
  quarantines,
  bounce_profiles,
  signed_headers,
  mail_address,
  tcp_rules,
  virtual_domains,
  gateways,
  authcheck,
  mechanisms,
  send_as,
  networks,
  host_access,
  policies,
  reputation_lists,
  reputation_table,
  recipient_table,
  recipient_checks,
  call_ahead,
  exceptions,
  line,
  any
};

struct Known {
  const char* name;
  Form form;
  const char* otherwise;  // what holds without the file, in words
};

constexpr std::array kKnown = {
    Known{"alertto", Form::line, "postmaster at control/me"},
    Known{"aliases", Form::recipient_table, "none"},
    Known{"aliases.cdb", Form::any, "made by postern-rcpt from aliases"},
    Known{"altsrchost", Form::gateways, "the system chooses the address that mail goes out from"},
    Known{"antivirus", Form::antivirus,
          "infected: quarantine (from outside) or reject; encrypted: pass; unscannable, limit: quarantine; "
          "error: defer"},
    Known{"authcheck", Form::authcheck, "postern-checkpassword"},
    Known{"authfailures", Form::number, "20"},
    Known{"authmechanisms", Form::mechanisms, "SCRAM-SHA-256 PLAIN LOGIN"},
    Known{"authtries", Form::number, "3"},
    Known{"avcheck", Form::number, "10"},
    Known{"avheuristics", Form::heuristics, "none"},
    Known{"avmaxage", Form::number, "604800"},
    Known{"avmaxfiles", Form::number, "10000"},
    Known{"avmaxfilesize", Form::number, "104857600"},
    Known{"avmaxrecursion", Form::number, "17"},
    Known{"avmaxscansize", Form::number, "419430400"},
    Known{"avmaxscantime", Form::number, "120"},
    Known{"avminsignatures", Form::number, "1"},
    Known{"avstale", Form::warn_or_error, "warn"},
    Known{"avworkers", Form::number, "2"},
    Known{"backlog", Form::number, "128"},
    Known{"badmailfrom", Form::senders, "none"},
    Known{"barelf", Form::barelf, "refuse"},
    Known{"bounceprofiles", Form::bounce_profiles, "DEFAULT alone, as postern-bounceprofiles(5) has it"},
    Known{"callahead", Form::call_ahead, "no profile, so no host is asked about recipients"},
    Known{"clamd", Form::text, "/run/clamav/clamd.ctl"},
    Known{"clamdb", Form::directory, "/var/lib/clamav"},
    Known{"clamdmaxstream", Form::number, "104857600"},
    Known{"commandbytes", Form::number, "2048"},
    Known{"concurrencyauth", Form::number, "8"},
    Known{"concurrencycallahead", Form::number, "20"},
    Known{"concurrencyclamd", Form::number, "10"},
    Known{"concurrencyincoming", Form::number, "200"},
    Known{"concurrencylocal", Form::number, "10"},
    Known{"concurrencyperip", Form::number, "20"},
    Known{"concurrencypickup", Form::number, "10"},
    Known{"concurrencyremote", Form::number, "20"},
    Known{"concurrencyrepd", Form::number, "10"},
    Known{"concurrencyscan", Form::number, "4"},
    Known{"concurrencysign", Form::number, "4"},
    Known{"concurrencysts", Form::number, "20"},
    Known{"concurrencytls", Form::number, "one for each core"},
    Known{"countrydb", Form::text, "/var/lib/GeoIP/GeoLite2-Country.mmdb"},
    Known{"databytes", Form::number, "52428800"},
    Known{"defaultdelivery", Form::text, "./Maildir/"},
    Known{"defaultdomain", Form::host,
          "for inject control/me behind its first dot; smtpd refuses bare addresses"},
    Known{"defaulthost", Form::host, "control/me"},
    Known{"destinations", Form::any, "for every destination what is built in"},
    Known{"dkim", Form::dkim, "nothing is signed"},
    Known{"dkimheaders", Form::signed_headers,
          "those of RFC 6376 5.4.1; the nine that readers show are oversigned"},
    Known{"dnsq", Form::text, "@dnsq"},
    Known{"domainmap", Form::recipient_table, "none"},
    Known{"domainmap.cdb", Form::any, "made by postern-rcpt from domainmap"},
    Known{"doublebouncehost", Form::host, "control/me where that is local, else the first of control/locals"},
    Known{"doublebounceto", Form::line, "postmaster"},
    Known{"ehloignore", Form::any, "none"},
    Known{"eightbitmime", Form::send_or_refuse, "send"},
    Known{"globalunsubscribe", Form::unsubscribed, "none"},
    Known{"globalunsubscribeaction", Form::drop_or_bounce, "drop"},
    Known{"hat", Form::host_access, "every client may send to us, none may relay but by control/tcp.smtp"},
    Known{"hat.bin", Form::any, "made by postern-hat from hat and policies"},
    Known{"headerbytes", Form::number, "262144"},
    Known{"helohost", Form::host, "control/me"},
    Known{"httpsinner", Form::networks, "no inner address is fetched from or posted to"},
    Known{"idhost", Form::host, "control/me"},
    Known{"ipfamilies", Form::families, "ipv6 ipv4"},
    Known{"linebytes", Form::number, "0"},
    Known{"listen", Form::address_port, "0.0.0.0:25"},
    Known{"listensmtps", Form::address_port, "no TLS from the first byte"},
    Known{"listensubmission", Form::address_port, "nobody listens for submission"},
    Known{"locals", Form::domains, "control/me"},
    Known{"maxcommands", Form::number, "100"},
    Known{"maxerrors", Form::number, "20"},
    Known{"maxhops", Form::number, "100"},
    Known{"maxrcpt", Form::number, "1000"},
    Known{"me", Form::host, "the system's host name"},
    Known{"minfreememory", Form::number, "256"},
    Known{"moreipme", Form::any, "none"},
    Known{"morercpthosts", Form::domains, "none"},
    Known{"morercpthosts.cdb", Form::any, "made by postern-cdbmake from morercpthosts"},
    Known{"notipme", Form::any, "none"},
    Known{"pickupusers", Form::any, "everybody"},
    Known{"plusdomain", Form::host, "control/me behind its first dot"},
    Known{"policies", Form::policies, "the rule alone"},
    Known{"programmemory", Form::number, "0"},
    Known{"programseconds", Form::number, "240"},
    Known{"quarantines", Form::quarantines, "every quarantine holds until somebody decides"},
    Known{"queuelifetime", Form::number, "259200"},
    Known{"rat", Form::recipient_table, "control/rcpthosts decides"},
    Known{"rat.cdb", Form::any, "made by postern-rcpt from rat"},
    Known{"ratedkeys", Form::number, "1000000"},
    Known{"rcptcheck", Form::text, "no program is asked about recipients"},
    Known{"rcpthosts", Form::domains, "control/locals"},
    Known{"recipientchecks", Form::recipient_checks, "recipients go through no checks behind the tables"},
    Known{"remoteport", Form::number, "25"},
    Known{"reputation", Form::text, "@repd"},
    Known{"reputationlists", Form::reputation_lists, "no DNS list is asked; our own history counts"},
    Known{"reputationtable", Form::reputation_table, "none"},
    Known{"resolver", Form::address_port, "the system's resolvers"},
    Known{"retryfirst", Form::number, "60"},
    Known{"retrylongest", Form::number, "3600"},
    Known{"scanning", Form::scanning, "inline"},
    Known{"sendas", Form::send_as, "every user as himself alone"},
    Known{"senderexceptions", Form::exceptions, "none"},
    Known{"senderexceptions.cdb", Form::any, "made by postern-cdbmake from senderexceptions"},
    Known{"senderrateexceptions", Form::senders, "none"},
    Known{"sessionseconds", Form::number, "3600"},
    Known{"smtpgreeting", Form::text, "control/me"},
    Known{"smtproutes", Form::routes, "none"},
    Known{"stages", Form::stages, "antivirus @antivirus when=released"},
    Known{"stsd", Form::text, "@stsd"},
    Known{"stsdomains", Form::number, "20000"},
    Known{"stsport", Form::number, "443"},
    Known{"tcp.smtp", Form::tcp_rules, "everyone may connect, nobody may relay"},
    Known{"tcp.smtp.cdb", Form::any, "made by tcprules from tcp.smtp"},
    Known{"timeoutblock", Form::number, "180"},
    Known{"timeoutconnect", Form::number, "60"},
    Known{"timeoutdata", Form::number, "120"},
    Known{"timeoutdot", Form::number, "600"},
    Known{"timeoutgreeting", Form::number, "300"},
    Known{"timeouthelo", Form::number, "300"},
    Known{"timeoutmail", Form::number, "300"},
    Known{"timeoutrcpt", Form::number, "300"},
    Known{"timeoutremote", Form::number, "for each phase its own"},
    Known{"timeoutrset", Form::number, "20"},
    Known{"timeoutsmtpd", Form::number, "300"},
    Known{"timeoutstarttls", Form::number, "300"},
    Known{"tlscapath", Form::directory, "/etc/ssl/certs"},
    Known{"tlsdclientca", Form::file, "clients are not asked for certificates"},
    Known{"tlsdminimum", Form::tlsd_version, "TLSv1.2"},
    Known{"tlsdtickets", Form::number, "3600"},
    Known{"tlsdtimeout", Form::number, "60"},
    Known{"tlsminimum", Form::tls_version, "TLSv1.2"},
    Known{"tlsrpt", Form::text, "@tlsrpt"},
    Known{"tlsrptfrom", Form::mail_address, "postmaster at control/me"},
    Known{"trustanchors", Form::any, "the root's trust anchor"},
    Known{"virtualdomains", Form::virtual_domains, "none"},
};

// What is wrong with a rule of tcprules(1): smtpd looks for the address and for prefixes of it, as text.
std::string problem_of_tcp_rule(std::string_view line) {
  const size_t end = std::min(line.find(":allow"), line.find(":deny"));
  if (end == std::string_view::npos) return "is no rule; write ADDRESS:allow or ADDRESS:deny";
  const std::string key{line.substr(0, end)};
  static constexpr std::string_view kNever = "is never met: ";
  if (key.find_first_of("=@") != std::string::npos)
    return std::string(kNever) +
           "smtpd asks nobody for the client's host name or user; write the address, or a prefix of it";
  if (key.find('/') != std::string::npos)
    return std::string(kNever) + "a network is written as a prefix; write 192.0.2. or 2001:db8:";
  if (key.empty() || key.ends_with('.') || key.ends_with(':') || key.find('-') != std::string::npos)
    return "";
  const int family = key.find(':') == std::string::npos ? AF_INET : AF_INET6;
  std::array<unsigned char, sizeof(in6_addr)> address{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_pton(family, key.c_str(), address.data()) != 1)
    return std::string(kNever) + "it is no address; write one, or a prefix that ends with a dot or a colon";
  ::inet_ntop(family, address.data(), text.data(), text.size());
  return key == text.data() ? ""
                            : std::string(kNever) + "addresses are compared as text; write " + text.data();
}

// The words of postern-antivirus(8); what stands behind an action it checks itself when it loads the file.
std::string problem_of_antivirus_line(std::string_view line) {
  static constexpr std::array<std::string_view, 7> kVerdicts = {
      "clean", "infected", "encrypted", "unscannable", "limit", "error", "rar"};
  static constexpr std::array<std::string_view, 3> kDirections = {"in", "out", "local"};
  struct Action {
    std::string_view word;
    size_t least;  // words behind it
    size_t most;
  };
  static constexpr size_t kAny = 10000;
  static constexpr std::array<Action, 14> kActions = {{{"repair", 0, 0},
                                                       {"replace", 0, 0},
                                                       {"subject", 1, kAny},
                                                       {"header", 2, kAny},
                                                       {"redirect", 1, 1},
                                                       {"route", 1, 1},
                                                       {"archive", 1, kAny},
                                                       {"notify", 2, 2},
                                                       {"stop", 0, 0},
                                                       {"pass", 0, 0},
                                                       {"quarantine", 1, kAny},
                                                       {"reject", 0, kAny},
                                                       {"defer", 0, kAny},
                                                       {"delete", 0, 0}}};
  const std::vector<std::string_view> all = words(line);
  const std::string_view verdict = all[0].substr(0, all[0].find('@'));
  if (std::find(kVerdicts.begin(), kVerdicts.end(), verdict) == kVerdicts.end())
    return "names no verdict; begin it with clean, infected, encrypted, unscannable, limit, error or rar";
  if (verdict.size() < all[0].size()) {
    for (const std::string_view direction : split(all[0].substr(verdict.size() + 1), ','))
      if (std::find(kDirections.begin(), kDirections.end(), direction) == kDirections.end())
        return "names no direction; write in, out or local behind the @";
  }
  const auto action = std::find_if(kActions.begin(), kActions.end(), [&](const Action& known) {
    return all.size() > 1 && known.word == all[1];
  });
  if (action == kActions.end()) return "names no action; postern-antivirus(8) lists them";
  const size_t behind = all.size() - 2;
  return behind >= action->least && behind <= action->most
             ? ""
             : "has too much or too little behind its action; see postern-antivirus(8)";
}

bool is_host(std::string_view text) {
  return !text.empty() && text.size() <= 253 && text.find_first_of(" \t@:/") == std::string_view::npos;
}

// "read FILE line N: WHY" to WHY.
std::string after_colon(const std::string& text) {
  return text.substr(std::min(text.find(": "), text.size() - 2) + 2);
}

// What is wrong with a line, and the remedy; empty: nothing.
std::string problem_of(Form form, std::string_view line) {
  switch (form) {
    case Form::number:
      return parse_number(line) ? "" : "is not a number; write decimal digits only";
    case Form::scanning:
      return line == "inline" || line == "deferred" ? "" : "is not known; write inline or deferred";
    case Form::host:
      return is_host(line) ? "" : "is not a host name; write one without spaces";
    case Form::domains:
      return is_host(line) ? "" : "is not a domain; write one a line, \".example.org\" for all below it";
    case Form::address_port:
      return parse_address_port(line).ok() ? "" : "is not ADDR:PORT; write 127.0.0.1:25 or [::1]:25";
    case Form::dkim: {
      const Result<DkimTable> parsed = DkimTable::parse(line, "it");
      return parsed ? "" : "is no line of control/dkim: " + after_colon(parsed.failure().text);
    }
    case Form::signed_headers: {
      const auto parsed = parse_signed_headers(line, "it");
      return parsed ? "" : "is no list of header fields: " + after_colon(parsed.failure().text);
    }
    case Form::mail_address: {
      const size_t at = line.find('@');
      const bool whole = at != 0 && at != std::string_view::npos && is_host(line.substr(at + 1)) &&
                         line.find_first_of(" \t<>()") == std::string_view::npos;
      return whole ? "" : "is no address; write one user@domain";
    }
    case Form::unsubscribed: {
      std::vector<std::string> problems;
      UnsubscribeList::parse(line, problems);
      return problems.empty() ? ""
                              : "is no entry; write user@domain, @domain, @.domain, user@ or an IP address";
    }
    case Form::networks:
      return Networks::parse({std::string(line)}, "it")
                 ? ""
                 : "is no network; write 192.0.2.1, 192.0.2.0/24 or fd00::/8";
    case Form::drop_or_bounce:
      return line == "drop" || line == "bounce" ? "" : "is neither of two words; write drop or bounce";
    case Form::directory: {
      struct stat status {};
      const bool there = ::stat(std::string(line).c_str(), &status) == 0 && S_ISDIR(status.st_mode);
      return there ? "" : "is not a directory; make it, or name the right one";
    }
    case Form::families: {
      const std::vector<std::string_view> family = words(line);
      const bool known = std::all_of(family.begin(), family.end(), [](std::string_view word) {
        return equal_ignoring_case(word, "ipv4") || equal_ignoring_case(word, "ipv6");
      });
      const bool twice = family.size() == 2 && equal_ignoring_case(family[0], family[1]);
      return known && !twice && !family.empty() && family.size() <= 2
                 ? ""
                 : "is no order of address families; write \"ipv6 ipv4\", \"ipv4 ipv6\", \"ipv4\" or "
                   "\"ipv6\"";
    }
    case Form::tls_version:
      for (const std::string_view version : {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"})
        if (equal_ignoring_case(line, version)) return "";
      return "is no version of TLS; write TLSv1.2 or TLSv1.3 (TLSv1 and TLSv1.1 are broken)";
    case Form::tlsd_version:
      for (const std::string_view version : {"TLSv1.2", "TLSv1.3"})
        if (equal_ignoring_case(line, version)) return "";
      return "is no version of TLS that is served; write TLSv1.2 or TLSv1.3";
    case Form::file: {
      struct stat status {};
      const bool there = ::stat(std::string(line).c_str(), &status) == 0 && S_ISREG(status.st_mode);
      return there ? "" : "is no file; write the absolute path of one";
    }
    case Form::send_or_refuse:
      return line == "send" || line == "refuse" ? "" : "is neither of two words; write send or refuse";
    case Form::warn_or_error:
      return line == "warn" || line == "error" ? "" : "is neither of two words; write warn or error";
    case Form::heuristics:
      for (const std::string_view word : words(line)) {
        static constexpr std::array kWords = {"none",       "broken",      "brokenmedia", "macros",
                                              "partitions", "cloakedurls", "sslmismatch"};
        if (std::find(kWords.begin(), kWords.end(), word) == kWords.end())
          return "has a word that is not known; write none, or some of broken, brokenmedia, macros, "
                 "partitions, cloakedurls, sslmismatch";
      }
      return "";
    case Form::routes: {
      const Result<RouteTable> table = RouteTable::parse(line, "");
      return table ? "" : "is wrong" + table.failure().text.substr(std::string_view(":1").size());
    }
    case Form::virtual_domains:
      return line.find(':') != std::string_view::npos
                 ? ""
                 : "has no colon; write DOMAIN:PREFIX, or DOMAIN: where it is not virtual";
    case Form::antivirus:
      return problem_of_antivirus_line(line);
    case Form::stages:
      return words(line).size() >= 2 || line == "none" ? "" : "names no program; write a name and a program";
    case Form::text:
      return line.empty() ? "is empty; write a value or remove the file" : "";
    case Form::barelf:
      return line == "refuse" || line == "strip" || line == "allow"
                 ? ""
                 : "is not known; write refuse, strip or allow";
    case Form::senders:
      return line.find('@') != std::string_view::npos ? ""
                                                      : "has no @; write user@domain, @domain or @.domain";
    case Form::quarantines: {
      const Result<QuarantineSettings> parsed = parse_quarantine_line(line);
      return parsed ? "" : parsed.failure().text;
    }
    case Form::tcp_rules:
      return problem_of_tcp_rule(line);
    case Form::authcheck:
      return problem_of_checker(line);
    case Form::mechanisms:
      return problem_of_mechanisms(line);
    case Form::exceptions: {
      const Result<SenderException> exception = parse_exception_line(line);
      return exception ? "" : exception.failure().text;
    }
    case Form::send_as:          // taken as a whole: lines may go on
    case Form::bounce_profiles:  // taken as a whole: what a line means depends on DEFAULT
    case Form::gateways:         // likewise: a line may name what stands in another
    case Form::host_access:      // likewise
    case Form::policies:         // likewise
    case Form::reputation_lists:
    case Form::reputation_table:
    case Form::recipient_table:
    case Form::recipient_checks:
    case Form::call_ahead:
    case Form::line:
    case Form::any:
      return "";
  }
  return "";
}

// "read FILE line N: WHY" as "FILE:N: WHY".
std::string located(std::string_view failure) {
  static constexpr std::string_view kRead = "read ";
  static constexpr std::string_view kLine = " line ";
  const size_t line = failure.find(kLine);
  if (!failure.starts_with(kRead) || line == std::string_view::npos) return std::string(failure);
  return std::string(failure.substr(kRead.size(), line - kRead.size()))
      .append(":")
      .append(failure.substr(line + kLine.size()));
}

// The table, the templates that it names, and the profiles that destinations name.
std::vector<std::string> problems_of_bounce_profiles(const std::string& text, const std::string& path) {
  const Result<BounceProfiles> profiles = BounceProfiles::parse(text, path);
  if (!profiles) return {located(profiles.failure().text)};
  std::vector<std::string> problems;
  for (const std::string& name : profiles->templates()) {
    const Result<BounceTemplate> words = read_bounce_template(name);
    if (!words) problems.push_back(located(words.failure().text) + "; until then what is built in is used");
  }
  const Result<Destinations> destinations = Destinations::read();
  for (const std::string& name :
       destinations ? destinations->bounce_profiles() : std::vector<std::string>()) {
    if (profiles->find(name) == nullptr)
      problems.push_back(path + ": control/destinations names the profile " + name + "; add a line for it");
  }
  return problems;
}

bool is_list(Form form) {
  return form == Form::domains || form == Form::routes || form == Form::virtual_domains ||
         form == Form::stages || form == Form::antivirus || form == Form::senders || form == Form::dkim ||
         form == Form::unsubscribed || form == Form::signed_headers || form == Form::quarantines ||
         form == Form::bounce_profiles || form == Form::tcp_rules || form == Form::gateways ||
         form == Form::host_access || form == Form::policies || form == Form::reputation_lists ||
         form == Form::reputation_table || form == Form::recipient_checks || form == Form::call_ahead ||
         form == Form::exceptions || form == Form::authcheck || form == Form::send_as || form == Form::any;
}

ControlReport report_on(const Known& known) {
  ControlReport report{.name = known.name, .value = known.otherwise, .is_default = true, .problems = {}};
  const std::string path = home_path("control/" + report.name);
  if (known.form == Form::policies || known.form == Form::host_access)
    report.problems = problems_of_host_access(known.form == Form::policies);
  if (::access(path.c_str(), F_OK) < 0) return report;
  report.is_default = false;
  report.value.clear();
  Result<std::string> content = read_file(path, kFileLimitBytes);
  if (!content) {
    report.problems.push_back(path + ": " + content.failure().text + "; make it readable for everybody");
    return report;
  }
  if (report.name.ends_with(".cdb") || report.name.ends_with(".bin")) {
    report.value = std::to_string(content->size()) + " bytes";
    return report;
  }
  // As long as they like.
  if (known.form == Form::host_access || known.form == Form::recipient_table) {
    report.value = std::to_string(control_lines(*content).size()) + " lines";
    if (known.form == Form::recipient_table) report.problems = problems_of_recipient_table(report.name);
    return report;
  }
  size_t number = 0;
  for (std::string_view line : split(*content, '\n')) {
    ++number;
    line = trim(line);
    if (is_list(known.form) ? line.empty() || line.starts_with('#') : number > 1) continue;
    report.value.append(report.value.empty() ? "" : ", ").append(printable(line));
    if (const std::string problem = problem_of(known.form, line); !problem.empty()) {
      report.problems.push_back(path + ":" + std::to_string(number) + ": \"" + printable(line, 100) + "\" " +
                                problem);
    }
  }
  if (known.form == Form::bounce_profiles) {
    for (std::string& problem : problems_of_bounce_profiles(*content, path))
      report.problems.push_back(std::move(problem));
  }
  if (known.form == Form::gateways) {
    const Result<Gateways> table = Gateways::parse(*content, path);
    if (!table) report.problems.push_back(table.failure().text);
  }
  if (known.form == Form::send_as) {
    for (std::string& problem : problems_of_send_as(*content, path))
      report.problems.push_back(std::move(problem));
  }
  if (known.form == Form::reputation_lists) {
    const Result<ReputationSettings> lists = parse_reputation_lists(*content, path);
    if (!lists) report.problems.push_back(lists.failure().text);
  }
  if (known.form == Form::reputation_table) {
    const Result<ReputationTable> table = ReputationTable::parse(*content, path);
    if (!table) report.problems.push_back(table.failure().text);
  }
  if (known.form == Form::call_ahead || known.form == Form::recipient_checks) {
    for (const std::string& problem : known.form == Form::call_ahead
                                          ? problems_of_call_ahead(*content, path)
                                          : problems_of_recipient_checks(*content, path))
      report.problems.push_back(located(problem));
  }
  if (known.form == Form::stages && report.value.empty()) {
    report.value = "none";
    report.problems.push_back(path +
                              ": no stage is named, so every message is deferred; name one a line, or write "
                              "\"none\" to scan nothing");
  }
  return report;
}

// What is written there, and not compiled, counts for nobody.
void warn_of_stale_table(ControlReport& report) {
  const std::string text = home_path("control/" + report.name);
  struct stat written {};
  struct stat compiled {};
  if (::stat(text.c_str(), &written) < 0) return;
  const bool fresh = ::stat((text + ".cdb").c_str(), &compiled) == 0 &&
                     (compiled.st_mtim.tv_sec > written.st_mtim.tv_sec ||
                      (compiled.st_mtim.tv_sec == written.st_mtim.tv_sec &&
                       compiled.st_mtim.tv_nsec >= written.st_mtim.tv_nsec));
  if (fresh) return;
  report.problems.push_back(text + ": it is newer than " + report.name +
                            ".cdb, which is what counts; run postern-cdbmake " + report.name);
}

// A list of users that leaves out the owner of alias/ stops what postmaster and all other aliases forward.
void warn_of_alias_user(ControlReport& report) {
  struct stat alias {};
  if (::stat(home_path("alias").c_str(), &alias) < 0) return;
  const struct passwd* account = ::getpwuid(alias.st_uid);
  const std::string number = std::to_string(alias.st_uid);
  const std::string name = account == nullptr ? number : account->pw_name;
  for (std::string_view entry : split(report.value, ',')) {
    entry = trim(entry);
    if (entry == name || entry == number) return;
  }
  report.problems.push_back(
      home_path("control/pickupusers") + ": " + name +
      ", the owner of alias/, is not named, so what aliases forward waits; add a line \"" + name + "\"");
}

// The table is parsed as a whole, as those who use it do.
void check_destinations(ControlReport& report) {
  if (const Result<Destinations> table = Destinations::read(); !table)
    report.problems.push_back(home_path("control/destinations") + ": " + table.failure().text);
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

Result<std::vector<ControlReport>> check_control() {
  const std::string control = home_path("control");
  const std::unique_ptr<DIR, CloseDirectory> directory{::opendir(control.c_str())};
  if (!directory)
    return permanent("open " + control + ": " + ::strerror(errno) + "; make an instance with postern-init");
  std::vector<ControlReport> reports;
  for (const Known& known : kKnown) reports.push_back(report_on(known));
  // Only rcpthosts opens the door; whoever names a domain elsewhere alone waits for mail that is refused.
  for (ControlReport& report : reports) {
    if (report.name != "rcpthosts") continue;
    for (std::string& problem : unreachable_domains()) report.problems.push_back(std::move(problem));
  }
  warn_of_scram(reports);
  for (ControlReport& report : reports) {
    if (report.name == "pickupusers" && !report.is_default) warn_of_alias_user(report);
    if (report.name == "destinations" && !report.is_default) check_destinations(report);
    if (report.name == "senderexceptions" && !report.is_default) warn_of_stale_table(report);
  }
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string name = entry->d_name;
    const bool is_known =
        std::any_of(kKnown.begin(), kKnown.end(), [&](const Known& known) { return name == known.name; });
    if (is_known || name.starts_with('.') || name == "templates" || is_host_access_file(name)) continue;
    if (name.starts_with(kDefaultDomainOf) && name.size() > kDefaultDomainOf.size()) {
      reports.push_back(report_on({.name = name.c_str(), .form = Form::host, .otherwise = ""}));
      continue;
    }
    const bool compiled = name.ends_with(".cdb");
    if (is_recipient_table(compiled ? name.substr(0, name.size() - 4) : name)) {  // of one listener
      if (!compiled) reports.push_back(report_on({name.c_str(), Form::recipient_table, ""}));
      continue;
    }
    const std::string remedy = name == "concurrencysite"
                                   ? "write DEFAULT max_host_concurrency=N into control/destinations instead"
                                   : "rename or remove it";
    reports.push_back(
        {.name = name,
         .value = "",
         .is_default = false,
         .problems = {control + "/" + name + ": no program reads a file of that name; " + remedy}});
  }
  return reports;
}

}  // namespace postern
