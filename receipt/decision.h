// What a step of the receipt phase decides of a client, a sender or a recipient.
#pragma once

#include <string>
#include <utility>

#include "lib/submit.h"

namespace postern {

// A name of its own for the linker: scanq has a Decision, too, and the unit tests hold both.
inline namespace receipt {

struct Decision {
  enum class Kind { pass, refuse, close };  // close: refuse and end the connection
  Kind kind = Kind::pass;
  SmtpReply reply{};      // of a refusal; its class says whether it is for good
  std::string step{};     // which step decided: "hat", "rates", "spf", …; for the log and the trace
  std::string why{};      // for people: the table, file and line, or what was found
  bool rewrites = false;  // the step has put another address in the place of a recipient's
  bool unasked = false;   // who should have said could not be asked: it says nothing of the recipient
  bool relaying = false;  // refused because the recipient is not ours, whether it exists or not

  [[nodiscard]] bool passes() const { return kind == Kind::pass; }
};

inline Decision pass(std::string step, std::string why = {}) {
  return {.kind = Decision::Kind::pass, .reply = {}, .step = std::move(step), .why = std::move(why)};
}
inline Decision refuse(std::string step, SmtpReply reply, std::string why = {}) {
  return {.kind = Decision::Kind::refuse,
          .reply = std::move(reply),
          .step = std::move(step),
          .why = std::move(why)};
}

}  // namespace receipt

}  // namespace postern
