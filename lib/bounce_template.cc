#include "lib/bounce_template.h"

#include <algorithm>
#include <array>
#include <vector>

#include "lib/control.h"
#include "lib/fd.h"
#include "lib/text.h"
#include "lib/utf8.h"
#include "lib/variables.h"

namespace postern {

namespace {

constexpr size_t kTemplateLimitBytes = 65536;
constexpr size_t kLineLimitBytes = 500;  // RFC 5322 2.1.1 has 998, and variables take room
constexpr size_t kSubjectLimitBytes = 200;
constexpr std::array<std::string_view, 5> kSections = {"failed", "delayed", "delivered", "relayed",
                                                       "expanded"};
constexpr std::string_view kSubject = "Subject:";

// The name of the section that a line begins; empty: it is another line.
std::string_view section_of(std::string_view line) {
  if (!line.starts_with('[') || !line.ends_with(']')) return {};
  const std::string_view name = line.substr(1, line.size() - 2);
  return std::find(kSections.begin(), kSections.end(), name) == kSections.end() ? std::string_view() : name;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

// What is wrong with any line, and the remedy; empty: nothing.
std::string problem_of(std::string_view line) {
  if (!is_utf8(line)) return "it is not UTF-8; write it so";
  if (line.size() > kLineLimitBytes) return "it is over 500 bytes; write shorter lines";
  if (std::any_of(line.begin(), line.end(), is_control)) return "it has a control character; remove it";
  const std::string_view name = unknown_variable(line, {"Host", "Sender", "Recipients", "Until"});
  if (name.empty()) return {};
  return "there is no variable $" + std::string(name) +
         ", but $Host, $Sender, $Recipients and $Until; write $$ for a dollar sign";
}

// Behind [SECTION]: the subject, an empty line, the text.
class Sections {
 public:
  // What is wrong with the line; empty: nothing.
  std::string take(std::string_view line) {
    if (const std::string_view name = section_of(line); !name.empty()) {
      if (const std::string wrong = finish(); !wrong.empty()) return wrong;
      if (words_.contains(name)) return "there is such a section before it; keep one";
      current_ = &words_[std::string(name)];
      place_ = Place::subject;
      return {};
    }
    switch (place_) {
      case Place::before:
        return line.empty() || line.starts_with('#') ? "" : "it stands in no section; write [failed] first";
      case Place::subject:
        current_->subject = trim(line.substr(std::min(line.size(), kSubject.size())));
        place_ = Place::gap;
        return line.starts_with(kSubject) && !current_->subject.empty() &&
                       current_->subject.size() <= kSubjectLimitBytes
                   ? ""
                   : "a section begins with \"Subject: \" and at most 200 bytes";
      case Place::gap:
        place_ = Place::text;
        return line.empty() ? "" : "an empty line belongs between the subject and the text";
      case Place::text:
        current_->text.append(line).append("\n");
        return {};
    }
    return {};
  }
  // Trailing empty lines are those between two sections.
  std::string finish() {
    if (current_ == nullptr) return {};
    std::string& text = current_->text;
    while (text.ends_with("\n\n")) text.pop_back();
    return trim(text).empty() ? "the section above it has no text; write one, or remove the section" : "";
  }
  BounceTemplate take_words() { return std::move(words_); }

 private:
  enum class Place { before, subject, gap, text };
  BounceTemplate words_;
  BounceWords* current_ = nullptr;
  Place place_ = Place::before;
};

}  // namespace

Result<BounceTemplate> parse_bounce_template(std::string_view text, std::string_view file_name) {
  Sections sections;
  size_t number = 0;
  const auto wrong = [&](const std::string& why) {
    return temporary("read " + std::string(file_name) + " line " + std::to_string(number) + ": " + why, 55,
                     "4.3.5");
  };
  for (std::string_view line : split(text, '\n')) {
    ++number;
    while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
    if (const std::string why = problem_of(line); !why.empty()) return wrong(why);
    if (const std::string why = sections.take(line); !why.empty()) return wrong(why);
  }
  if (const std::string why = sections.finish(); !why.empty()) return wrong(why);
  return sections.take_words();
}

Result<BounceTemplate> read_bounce_template(std::string_view name) {
  const std::string path = home_path("control/templates/bounce-" + std::string(name));
  Result<std::string> text = read_file(path, kTemplateLimitBytes);
  if (!text) return text.failure();
  return parse_bounce_template(*text, path);
}

}  // namespace postern
