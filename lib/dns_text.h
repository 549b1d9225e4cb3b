// Names and TXT data between the bytes that they are and the text in which postern-dnsq takes and gives them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern {

// The bytes of a TXT record in master-file form: its strings, joined. Nothing for what is in no such form.
std::optional<std::string> txt_bytes(std::string_view data);

// A host name that strangers put together, whatever its bytes, as a question for postern-dnsq: a byte that
// means something in a master file is written \DDD. One dot at the end is left out. Nothing for what can be
// no name: an empty label, one of more than 63 bytes, more than 253 bytes in all.
std::optional<std::string> dns_question_name(std::string_view bytes);

}  // namespace postern
