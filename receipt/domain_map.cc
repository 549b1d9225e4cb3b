#include "receipt/domain_map.h"

#include "lib/envelope.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr const char* kForms =
    "write user@example.com, user@.example.com, @example.com or @.example.com, a blank, and user@example.net "
    "or, behind one without a user, @example.net";

}  // namespace

Result<CdbRecords> parse_domain_map(std::string_view text, std::string_view file,
                                    std::vector<std::string>& doubts) {
  LineTableMaker maker;
  size_t entries = 0;
  for (const NumberedLine& whole : numbered_lines(text)) {
    const std::string_view line = whole.text;
    const auto at_line = [&](const std::string& why) {
      return std::string(file) + ":" + std::to_string(whole.number) + ": " + why;
    };
    if (++entries > kDomainMapLines)
      return permanent(at_line("a domain map has at most " + std::to_string(kDomainMapLines) + " entries"));
    const std::vector<std::string_view> sides = words(line);
    if (sides.size() != 2) return permanent(at_line(std::string("it has not two sides; ") + kForms));
    const Result<std::string> from = table_address(sides[0]);
    const Result<std::string> to = table_address(sides[1]);
    if (!from) return permanent(at_line(from.failure().text + "; " + kForms));
    if (!to) return permanent(at_line(to.failure().text + "; " + kForms));
    const bool any_user = from->starts_with('@');
    if (domain_of(*to).starts_with('.') || (to->starts_with('@') && !any_user) ||
        to->size() > kAddressLimitBytes)
      return permanent(at_line("\"" + printable(sides[1], 100) + "\" is no address to map to; " + kForms));
    // What is written with capitals may matter to the host that it goes to.
    const std::string target = std::string(local_part_of(sides[1])) + "@" + domain_of(*to);
    if (!maker.add(*from, whole.number, target))
      doubts.push_back(at_line("\"" + printable(sides[0], 100) + "\" stands in line " +
                               std::to_string(maker.line_of(*from)) + ", which counts; remove one of them"));
  }
  return maker.take();
}

std::string mapped_address(std::string_view address, std::string_view target) {
  if (!target.starts_with('@')) return std::string(target);
  return std::string(local_part_of(address)) + std::string(target);
}

}  // namespace postern
