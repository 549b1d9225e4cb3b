// parts: local/trace_fields.cc lib
// A message's header and a sender, both hostile: the loop search finds exactly what a plain look at the lines
// finds, and a sender never makes more than one line.
#include "local/trace_fields.h"
#include "lib/local_part.h"

#include <cstdint>
#include <string_view>

#include "lib/fd.h"
#include "lib/text.h"
#include "tests/fuzz/must.h"

using namespace postern;

namespace {

bool plain_search(std::string_view message, std::string_view line) {
  for (const std::string_view other : split(message, '\n')) {
    if (other.empty()) return false;
    if (equal_ignoring_case(other, line)) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  // The first line is the address, the rest the message.
  const size_t end = std::min(input.find('\n'), input.size());
  const std::string_view address = input.substr(0, end);
  const std::string_view message = input.substr(std::min(end + 1, input.size()));

  for (const std::string_view sender : {address, message}) {
    const std::string line = return_path_line(sender);
    must(line.starts_with("Return-Path: <") && line.ends_with(">\n") && line.find('\n') == line.size() - 1);
    must(line.find('\0') == std::string::npos && line.find('\r') == std::string::npos);
  }
  const std::string local = quote_local_part(local_part_of(address));
  must(quote_local_part(local) == local);
  must(quote_local_part(unquote_local_part(local)).size() <= local.size());

  std::string line = delivered_to_line(local_part_of(address), domain_of(address));
  must(line.find('\n') == line.size() - 1);
  Result<Fd> file = memory_file_with("message", message);
  if (!file) return 0;
  Result<bool> found = header_has_line(file->get(), line);
  line.pop_back();
  must(found.ok() && *found == plain_search(message, line));
  return 0;
}
