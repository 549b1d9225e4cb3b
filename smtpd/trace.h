// What smtpd would say to a client, a sender and recipients, and why: a conversation with a real Session from
// a made-up client, that ends before DATA. Nothing is sent, counted or told; but who is asked about a
// recipient (call-ahead, a program) is asked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/result.h"
#include "receipt/decision.h"
#include "smtpd/admission.h"

namespace postern::smtpd {

struct TraceQuestion {
  std::string ip;
  std::string host;  // taken for the verified name; empty: the DNS is asked
  std::string listener = "smtpd";
  std::string local_ip;
  std::string helo;  // empty: the address as a literal
  std::string user;  // that logs in behind EHLO; empty: nobody does
  bool tls = false;
  std::string sender;
  std::vector<std::string> recipients;
  AdmissionTrial given{};
};

// The greeting, or a command and what became of it.
struct TraceStep {
  std::string command;  // without CR LF; empty: the connection itself
  std::vector<Decision> decisions;
  std::vector<std::string> recipients;  // of the envelope, that a RCPT came to
  std::string reply;                    // lines with LF; empty: none, the connection was reset
};

struct Trace {
  std::string host;                // as the log would have it
  std::string listener_variables;  // that its service or our environment sets, for people; empty: none
  std::string tcp_rule;            // what control/tcp.smtp.cdb does, for people; empty: nothing
  bool is_proxy = false;  // of control/proxies, whose own connection is taken for one that brings nobody
  bool denied = false;    // by control/tcp.smtp.cdb; nothing else was looked at
  Admission admission{};
  std::vector<TraceStep> steps{};
  std::vector<std::string> not_said{};  // commands for which the connection was over

  // The worst reply; 0: all were accepted.
  [[nodiscard]] int worst_code() const;
};

// A failure: the configuration cannot be read, which would be 451 4.3.5 to every client.
Result<Trace> trace(const TraceQuestion& question);

std::string trace_text(const TraceQuestion& question, const Trace& traced);
std::string trace_json(const TraceQuestion& question, const Trace& traced);

}  // namespace postern::smtpd
