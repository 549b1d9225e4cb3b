// parts: inject/address_list.cc lib
//
// An address list as a user of this host may write it. What is read has addresses that an envelope and a
// header can hold; completing keeps the list, and does nothing the second time.
#include "inject/address_list.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/local_part.h"
#include "tests/fuzz/must.h"

using namespace postern;
using namespace postern::inject;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::optional<std::vector<Mailbox>> list = parse_address_list(text);
  if (!list) return 0;
  const Completion completion{
      .default_host = "mx.example.org", .default_domain = "example.org", .plus_domain = "example.net"};
  std::vector<std::string> addresses;
  size_t before = 0;
  for (const Mailbox& mailbox : *list) {
    if (mailbox.null()) continue;
    const std::string address = envelope_address(mailbox, completion);
    must(std::none_of(address.begin(), address.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }));
    must(is_dot_string(mailbox.local_part, Utf8::yes) || is_quoted_string(mailbox.local_part));
    must(mailbox.local_end > before && mailbox.local_end <= size);
    before = mailbox.local_end;
    if (!mailbox.domain.empty()) {
      must(mailbox.domain_begin >= before && mailbox.domain_end > mailbox.domain_begin &&
           mailbox.domain_end <= size);
      before = mailbox.domain_end;
    }
    // What we call an address is one when it is read again.
    const std::optional<std::vector<Mailbox>> again = parse_address_list(address);
    must(again && again->size() == 1 && envelope_address(again->front(), completion) == address);
    addresses.push_back(address);
  }
  const std::string completed = complete_text(text, *list, completion);
  const std::optional<std::vector<Mailbox>> complete = parse_address_list(completed);
  must(complete && complete->size() == list->size());
  must(complete_text(completed, *complete, completion) == completed);
  size_t index = 0;
  for (const Mailbox& mailbox : *complete) {
    if (!mailbox.null()) must(envelope_address(mailbox, completion) == addresses.at(index++));
  }
  must(index == addresses.size());
  return 0;
}
