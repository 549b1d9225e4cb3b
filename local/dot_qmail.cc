#include "local/dot_qmail.h"

#include <algorithm>
#include <optional>

#include "lib/envelope.h"
#include "lib/text.h"

namespace postern {

namespace {

bool is_blank_or_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= ' ' || byte == 0x7f;
}

// What is wrong with an address to forward to; empty: nothing. It goes into an envelope as it stands.
std::string fault_of_address(std::string_view address) {
  if (address.empty()) return "names no address; write one behind the &";
  if (address.size() > kAddressLimitBytes) return "is longer than an address may be";
  // A quoted local-part may hold blanks; outside quotes they are a comment or a slip of the hand.
  const bool quoted = address.front() == '"';
  if (address.find_first_of("<>") != std::string_view::npos && !quoted)
    return "has < or > in it; write the address alone";
  const auto control = [&](char c) { return is_blank_or_control(c) && !(quoted && c == ' '); };
  if (std::any_of(address.begin(), address.end(), control))
    return "has a blank in it; write the address alone, at the beginning of the line or behind the &";
  return "";
}

std::optional<Instruction> instruction_of(std::string_view line) {
  switch (line.front()) {
    case '#':
    case '+':
      return std::nullopt;
    case '|':
      return Instruction{Action::program, std::string(line.substr(1))};
    case '/':
    case '.':
      return Instruction{line.ends_with('/') ? Action::maildir : Action::mbox, std::string(line)};
    case '&':
      line.remove_prefix(1);
      break;
    default:
      break;
  }
  return Instruction{Action::forward, std::string(line)};
}

std::string_view without_trailing_blanks(std::string_view line) {
  const size_t last = line.find_last_not_of(" \t");
  return last == std::string_view::npos ? std::string_view() : line.substr(0, last + 1);
}

}  // namespace

Result<DotQmail> parse_dot_qmail(std::string_view text, std::string_view name, bool forward_only) {
  DotQmail file;
  size_t forwards = 0;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = without_trailing_blanks(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto refuse = [&](const std::string& why, const char* status) {
      return temporary(std::string("follow ") + std::string(name) + ":" + std::to_string(number) + ": " + why,
                       0, status);
    };
    if (line.empty()) {
      // qmail-local takes a blank first line for a file that is being written.
      if (number == 1) return refuse("the first line is blank; begin with an instruction", "4.2.1");
      continue;
    }
    if (line.find('\0') != std::string_view::npos) return refuse("it holds a NUL byte; remove it", "4.2.1");
    if (line == "+list") file.list = true;
    std::optional<Instruction> instruction = instruction_of(line);
    if (!instruction) continue;
    if (instruction->action == Action::forward) {
      const std::string fault = fault_of_address(instruction->text);
      if (!fault.empty()) return refuse("\"" + printable(instruction->text, 100) + "\" " + fault, "4.2.1");
      if (++forwards > kRecipientLimit)
        return refuse("more than " + std::to_string(kRecipientLimit) + " addresses; split the list", "4.2.1");
    } else if (forward_only || file.list) {
      return refuse(std::string(instruction->action == Action::program ? "a program" : "a file") +
                        (file.list ? " behind +list" : ", but the file is executable (chmod -x)") +
                        ": it may only forward",
                    "4.7.0");
    }
    file.instructions.push_back(std::move(*instruction));
  }
  return file;
}

}  // namespace postern
