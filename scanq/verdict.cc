#include "scanq/verdict.h"

#include <optional>

#include "lib/text.h"

namespace postern {

namespace {

constexpr std::string_view kPlain = "\\\t\n\r";
constexpr std::string_view kLetters = "\\tnr";

void append_escaped(std::string& line, std::string_view field) {
  for (const char c : field) {
    const size_t which = kPlain.find(c);
    if (which == std::string_view::npos) {
      line += c;
    } else {
      line += '\\';
      line += kLetters[which];
    }
  }
}

std::optional<std::string> unescape(std::string_view field) {
  std::string plain;
  for (size_t i = 0; i < field.size(); ++i) {
    if (field[i] != '\\') {
      plain += field[i];
      continue;
    }
    const size_t which = ++i < field.size() ? kLetters.find(field[i]) : std::string_view::npos;
    if (which == std::string_view::npos) return std::nullopt;
    plain += kPlain[which];
  }
  return plain;
}

}  // namespace

Result<std::vector<VerdictLine>> parse_verdict(std::string_view text) {
  std::vector<VerdictLine> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return temporary("read a verdict: its last line is cut short");
    const std::string_view whole = text.substr(0, end);
    // It would end an argument or a variable early wherever a field is passed on.
    if (whole.find('\0') != std::string_view::npos)
      return temporary("read a verdict: a line has a NUL in it");
    text.remove_prefix(end + 1);
    VerdictLine line;
    for (const std::string_view field : split(whole, '\t')) {
      std::optional<std::string> plain = unescape(field);
      if (!plain) return temporary("read a verdict: broken escape in \"" + printable(whole, 80) + "\"");
      line.arguments.push_back(std::move(*plain));
    }
    line.verb = std::move(line.arguments.front());
    line.arguments.erase(line.arguments.begin());
    if (line.verb.starts_with('?')) {
      line.may_ignore = true;
      line.verb.erase(0, 1);
    }
    if (line.verb.empty()) return temporary("read a verdict: a line has no verb");
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string format_verdict_line(const VerdictLine& line) {
  std::string text(line.may_ignore ? "?" : "");
  append_escaped(text, line.verb);
  for (const std::string& argument : line.arguments) {
    text += '\t';
    append_escaped(text, argument);
  }
  return text + "\n";
}

}  // namespace postern
