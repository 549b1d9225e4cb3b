#include "receipt/decision_text.h"

#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kWhyBytes = 2000;

}  // namespace

std::string decision_text(const Decision& decision) {
  std::string text = decision.step + ": ";
  if (decision.passes()) {
    text += decision.rewrites ? "rewrites" : "passes";
  } else {
    text += printable(decision.reply.line());
  }
  if (!decision.why.empty()) text += " (" + printable(decision.why, kWhyBytes) + ")";
  return text;
}

Json decision_json(const Decision& decision) {
  Json one = Json::object();
  one["step"] = decision.step;
  one["passes"] = decision.passes();
  if (decision.rewrites) one["rewrites"] = true;
  if (!decision.passes()) put_bytes(one, "reply", decision.reply.line());
  if (!decision.why.empty()) put_bytes(one, "why", decision.why);
  return one;
}

}  // namespace postern
