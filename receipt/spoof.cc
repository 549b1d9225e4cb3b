#include "receipt/spoof.h"

#include "lib/text.h"
#include "receipt/from_field.h"

namespace postern {

namespace {

constexpr const char* kStep = "spoof";

Decision not_as(const SendAs& table, std::string_view user, std::string_view where, std::string_view address,
                const char* code) {
  return refuse(kStep,
                {.code = code,
                 .status = "5.7.1",
                 .text = "user " + printable(user, 100) + " may not send as " + printable(address, 200) +
                         " (" + std::string(where) + ")"},
                table.lines_of(user));
}

Decision unclear(std::string_view where, const std::string& why) {
  return refuse(kStep,
                {.code = "550",
                 .status = "5.7.1",
                 .text = "the author is not clear: " + std::string(where) + " " + why},
                "RFC 5322 3.6.2");
}

Decision check_field(const SendAs& table, std::string_view user, const char* name, const std::string& value) {
  const FromField field = parse_from(value);
  if (!field.understood()) return unclear(name, "is not understood: " + field.problem);
  if (field.addresses.empty()) return unclear(name, "names nobody");
  for (const std::string& address : field.addresses) {
    if (!table.may(user, address)) return not_as(table, user, name, address, "550");
  }
  for (const std::string& address : field.shown) {
    if (!table.may(user, address))
      return not_as(table, user, std::string("shown in ") + name, address, "550");
  }
  return pass(kStep);
}

}  // namespace

Decision check_sender(const SendAs& table, std::string_view user, std::string_view sender) {
  if (sender.empty() || table.may(user, sender)) return pass(kStep);
  return not_as(table, user, "MAIL FROM", sender, "553");
}

Decision check_authors(const SendAs& table, std::string_view user, const Authors& authors) {
  if (authors.hidden)
    return unclear(
        "the header",
        "has a control character or a field's name that is none, begins with a folded line, or has a "
        "field too long to be read");
  if (authors.from.empty()) return unclear("From:", "is missing");
  if (authors.from.size() > 1) return unclear("From:", "is there more than once");
  if (authors.sender.size() > 1) return unclear("Sender:", "is there more than once");
  if (Decision from = check_field(table, user, "From:", authors.from.front()); !from.passes()) return from;
  if (authors.sender.empty()) return pass(kStep, table.lines_of(user));
  return check_field(table, user, "Sender:", authors.sender.front());
}

}  // namespace postern
