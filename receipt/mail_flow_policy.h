// A mail flow policy: what a connection of a sender group may do. The fields have the names of the parameters
// in control/policies (postern-policies(5)); the defaults are what holds where there is no
// control/hat: nothing is checked. What postern-init writes checks more.
#pragma once

#include <cstdint>
#include <string>

namespace postern {

enum class AccessRule : uint8_t { accept, reject, tcp_refuse, relay, go_on };  // go_on: CONTINUE
enum class TlsUse : uint8_t { off, preferred, required };
enum class AuthUse : uint8_t { off, preferred, required };
enum class SpfUse : uint8_t { off, mark, reject };  // mark: say what it was in the message and the log
enum class BounceTags : uint8_t { off, header, reject };

// Code 0 and an empty text: what the check itself says. The enhanced status stands in front of the text.
struct CustomReply {
  uint16_t code = 0;
  std::string text;
  bool operator==(const CustomReply&) const = default;
};

struct MailFlowPolicy {
  std::string name;  // "ACCEPTED"
  AccessRule rule = AccessRule::accept;
  CustomReply banner;           // 220
  std::string banner_host;      // in place of our name in the banner; "none": no name
  CustomReply reject;           // 554 5.7.1, for REJECT
  bool delayed_reject = false;  // REJECT speaks at each RCPT, so that the log has who was to get mail

  // 0 in a number: no limit
  uint64_t max_message_size = 104857600;  // bytes; the least 1024
  uint32_t max_connections = 1000;        // at a time, of one address (or network: similarity)
  CustomReply too_many_connections;       // 421 4.7.0, for both limits on connections
  uint32_t max_connections_per_hour = 0;  // begun, of one address or network
  uint32_t max_messages_per_connection = 1000;
  CustomReply message_limit;  // 421 4.7.0, and the connection ends
  uint32_t max_recipients_per_message = 1000;
  uint32_t max_recipients_per_hour = 0;
  CustomReply recipient_rate;              // 452 4.7.1
  uint32_t max_recipients_per_sender = 0;  // of one envelope sender, within sender_minutes
  uint32_t sender_minutes = 60;
  CustomReply sender_rate;               // 452 4.7.1
  uint32_t max_invalid_recipients = 25;  // within an hour: directory harvest
  CustomReply harvest;                   // 421 4.7.1
  bool drop_harvesters = true;           // then the connection ends, too, and no other is taken
  uint32_t max_messages_per_minute = 0;  // of one authenticated user, as the next two
  uint32_t max_messages_per_hour = 0;
  uint32_t max_messages_per_day = 0;
  uint32_t max_connections_per_user = 0;  // at a time
  CustomReply user_rate;                  // 452 4.7.1, for all limits of users
  uint8_t similarity_v4 = 32;  // significant bits of an address: what shares them shares its counters
  uint8_t similarity_v6 = 64;

  bool use_reputation = true;
  bool anti_spam = true;
  bool anti_virus = true;
  TlsUse tls = TlsUse::preferred;
  AuthUse auth = AuthUse::off;
  bool auth_without_tls = false;
  bool check_user = false;  // header From, envelope sender and user must agree (submission)
  SpfUse spf = SpfUse::off;
  bool check_helo = false;
  bool helo_dns = false;       // check_helo asks the DNS for the name, too
  bool verify_sender = false;  // its domain in DNS
  CustomReply malformed;       // 553 5.1.7
  CustomReply no_such_domain;  // 550 5.1.8
  CustomReply unresolvable;    // 451 4.1.8
  bool allow_malformed = false;
  bool exceptions = true;  // control/senderexceptions counts
  BounceTags bounce_tags = BounceTags::off;
  bool untagged_bounces_valid = false;
  bool untagged_replies_valid = false;  // of those, automatic replies, by their own word
  bool received_header = true;
  uint32_t greet_delay = 0;  // milliseconds before the banner; who talks earlier is closed on
  uint32_t tarpit = 0;       // milliseconds before each reply to MAIL and RCPT
};

}  // namespace postern
