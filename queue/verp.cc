#include "queue/verp.h"

namespace postern {

namespace {

constexpr std::string_view kForEach = "-@[]";

}  // namespace

std::string sender_for(std::string_view sender, std::string_view recipient) {
  const std::string common = told_sender(sender);
  const size_t host = common.rfind('@');
  const size_t domain = recipient.rfind('@');
  if (common.size() == sender.size() || domain == std::string_view::npos) return std::string(sender);
  return common.substr(0, host)
      .append(recipient.substr(0, domain))
      .append("=")
      .append(recipient.substr(domain + 1))
      .append(common, host);
}

std::string told_sender(std::string_view sender) {
  if (!sender.ends_with(kForEach)) return std::string(sender);
  const std::string_view common = sender.substr(0, sender.size() - kForEach.size());
  return std::string(common.find('@') == std::string_view::npos ? sender : common);
}

}  // namespace postern
