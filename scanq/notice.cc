#include "scanq/notice.h"

#include "lib/control.h"
#include "lib/fd.h"
#include "lib/text.h"
#include "scanq/edits.h"

namespace postern {

namespace {

constexpr size_t kTemplateLimitBytes = 65536;
constexpr size_t kValueLimitBytes = 1000;

std::string expand(std::string_view text, const Variables& variables) {
  std::string expanded;
  while (!text.empty()) {
    const size_t dollar = text.find('$');
    expanded += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar + 1);
    const std::pair<std::string_view, std::string>* longest = nullptr;
    for (const auto& variable : variables) {
      if (text.starts_with(variable.first) &&
          (longest == nullptr || variable.first.size() > longest->first.size()))
        longest = &variable;
    }
    if (longest == nullptr) {
      expanded += '$';
      continue;
    }
    expanded += printable(longest->second, kValueLimitBytes);
    text.remove_prefix(longest->first.size());
  }
  return expanded;
}

}  // namespace

Result<std::string> make_notice(std::string_view template_text, const Variables& variables,
                                const NoticeHead& head) {
  std::string plain;
  for (const char c : template_text) {
    if (c != '\r') plain += c;
  }
  const size_t length = header_length(plain);
  if (length == 0 || length == plain.size() || plain.starts_with('\n'))
    return temporary("it should be header fields, an empty line and a text");
  std::string header = expand(std::string_view(plain).substr(0, length - 1), variables);
  const auto add = [&](const char* name, const std::string& value) {
    if (field_value(header, name).empty()) header += header_field(name, value);
  };
  add("From", head.from);
  add("To", head.to);
  add("Subject", "Notice from the mail gateway");
  add("Date", head.date);
  add("Message-ID", head.message_id);
  add("Auto-Submitted", "auto-generated");
  std::string text = expand(std::string_view(plain).substr(length), variables);
  if (!text.ends_with('\n')) text += '\n';
  return header + "\n" + text;
}

Result<std::string> read_template(std::string_view name) {
  return read_file(home_path("control/templates/" + std::string(name)), kTemplateLimitBytes);
}

}  // namespace postern
