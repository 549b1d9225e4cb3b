// SPF (RFC 7208): may this address send mail of this domain? check_host() of section 4.
//
// All that it asks is DNS, through the object that it is given. It asks a bounded number of questions: ten
// terms that need any, ten hosts of an MX or PTR RRset for each, two answers that hold nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/dns_answer.h"

namespace postern {

enum class SpfResult : uint8_t { none, neutral, pass, fail, softfail, temperror, permerror };
std::string_view spf_word(SpfResult result);

struct SpfQuestion {
  std::string ip;        // of the client
  std::string helo;      // what it said at HELO or EHLO; a macro may ask for it
  std::string sender;    // MAIL FROM; empty: postmaster at the HELO name (RFC 7208, 2.4)
  std::string receiver;  // our own name, for the macro r
};

struct SpfAnswer {
  SpfResult result = SpfResult::none;
  std::string identity;     // "mailfrom", or "helo" for the null reverse-path
  std::string domain;       // that was looked at; its record may have led elsewhere. From the network.
  std::string mechanism{};  // the term that matched, as it is written; empty where none did
  std::string reason{};     // for people, in printable ASCII
  std::string
      explanation{};  // only with fail: what the domain's owner says of it (6.2), in ASCII. From the network.
};

SpfAnswer check_spf(const SpfQuestion& question, const AskDns& ask);

}  // namespace postern
