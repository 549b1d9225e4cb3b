// parts: local/dot_qmail.cc local/mbox.cc lib
// .qmail files: whatever is taken has instructions of the right form; and no From_ line of a message stays
// unquoted.
#include "local/dot_qmail.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "local/mbox.h"
#include "tests/fuzz/must.h"

using namespace postern;

namespace {

void check_file(std::string_view text, bool forward_only) {
  Result<DotQmail> file = parse_dot_qmail(text, ".qmail", forward_only);
  if (!file) {
    must(!file.failure().permanent() && file.failure().text.starts_with("follow .qmail:"));
    return;
  }
  for (const Instruction& order : file->instructions) {
    must(order.text.find('\n') == std::string::npos && order.text.find('\0') == std::string::npos);
    const bool is_path = order.text.starts_with('.') || order.text.starts_with('/');
    if (order.action == Action::maildir) must(is_path && order.text.ends_with('/'));
    if (order.action == Action::mbox) must(is_path && !order.text.ends_with('/'));
    if (order.action == Action::forward) must(!order.text.empty());
    if (forward_only) must(order.action == Action::forward);
  }
}

void check_quoting(std::string_view message) {
  MboxQuoting whole;
  std::string out;
  whole.feed(message, out);
  whole.end(out);
  MboxQuoting cut;
  std::string pieces;
  for (size_t at = 0; at < message.size(); at += 3) cut.feed(message.substr(at, 3), pieces);
  cut.end(pieces);
  must(out == pieces);
  must(out.ends_with('\n') && !out.starts_with("From ") && out.find("\nFrom ") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_file(text, false);
  check_file(text, true);
  check_quoting(text);
  return 0;
}
