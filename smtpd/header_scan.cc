#include "smtpd/header_scan.h"

#include <algorithm>

#include "lib/text.h"

namespace postern::smtpd {

namespace {

// "auto-replied", "auto-replied; type=x"
bool begins_with_word(std::string_view value, std::string_view word) {
  return equal_ignoring_case(trim(value.substr(0, value.find_first_of(";( \t"))), word);
}

// Readers stop at such bytes, pass over them, or begin another line; white space that is none to us is among
// them. We would have to read as all of them do.
bool has_control(std::string_view bytes) {
  return std::any_of(bytes.begin(), bytes.end(),
                     [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
}

// RFC 5322, 2.2
bool is_name_char(char c) {
  return c > 0x20 && c < 0x7f;
}

}  // namespace

// Adds as much as the limit leaves room for; the rest of a long line or field is not kept.
void HeaderScan::append_within_limit(std::string& to, std::string_view text) const {
  to.append(text.substr(0, limit_bytes_ - std::min(limit_bytes_, to.size())));
}

void HeaderScan::take(std::string_view bytes) {
  while (!over_ && !bytes.empty()) {
    const size_t end = bytes.find('\n');
    if (keeps_authors() && has_control(bytes.substr(0, end))) authors_.hidden = true;
    append_within_limit(line_, bytes.substr(0, end));
    measure(bytes.substr(0, end == std::string_view::npos ? end : end + 1));
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
    if (line_.empty()) {
      finish();
    } else {
      end_line();
    }
  }
}

// A message without a header, or without the empty line behind it, is not all header: lines that can be no
// part of one end it here, as they do for those who read the message.
void HeaderScan::measure(std::string_view bytes) {
  if (!measuring_) return;
  size_bytes_ += bytes.size();
  const bool enough = bytes.ends_with('\n') || line_.size() >= kFieldLimitBytes;
  if (!enough || line_.empty() || line_.front() == ' ' || line_.front() == '\t') return;
  measuring_ = line_.find(':') != std::string::npos;
}

void HeaderScan::end_line() {
  const bool folded = line_.front() == ' ' || line_.front() == '\t';
  if (folded && field_.empty()) {
    // It goes on what we put before the message; where the policy wants no Received:, readers may take it for
    // a field of its own.
    authors_.hidden = true;
  } else if (folded) {
    append_within_limit(field_, line_);
  } else {
    end_field();
    field_.swap(line_);
  }
  line_.clear();
}

void HeaderScan::end_field() {
  const std::string_view field = field_;
  const size_t colon = field.find(':');
  if (colon == std::string_view::npos) {
    // The colon may come behind what was kept.
    if (keeps_authors() && field.size() >= limit_bytes_) authors_.hidden = true;
    return;
  }
  const std::string_view name = trim(field.substr(0, colon));
  const std::string_view value = trim(field.substr(colon + 1));
  if (equal_ignoring_case(name, "Received")) ++hops_;
  if (equal_ignoring_case(name, "Message-ID") && message_id_.empty())
    message_id_ = value.substr(0, kFieldLimitBytes);
  if (equal_ignoring_case(name, "Subject") && subject_.empty()) subject_ = value.substr(0, kFieldLimitBytes);
  if (equal_ignoring_case(name, "Auto-Submitted"))
    auto_replied_ = auto_replied_ || begins_with_word(value, "auto-replied");
  if (equal_ignoring_case(name, "Content-Type"))
    is_report_ = is_report_ || begins_with_word(value, "multipart/report");
  if (keeps_authors()) keep_author(name, value);
}

void HeaderScan::keep_author(std::string_view name, std::string_view value) {
  // Some readers pass over what we take for a part of the name.
  if (!std::all_of(name.begin(), name.end(), is_name_char)) authors_.hidden = true;
  const bool from = equal_ignoring_case(name, "From");
  if (!from && !equal_ignoring_case(name, "Sender")) return;
  if (field_.size() >= limit_bytes_) authors_.hidden = true;
  std::vector<std::string>& fields = from ? authors_.from : authors_.sender;
  if (fields.size() < 2) fields.emplace_back(value);  // of more it is enough to know that there are
}

void HeaderScan::finish() {
  if (over_) return;
  if (!line_.empty()) end_line();  // the message ended in the middle of its header
  end_field();
  field_.clear();
  over_ = true;
}

}  // namespace postern::smtpd
