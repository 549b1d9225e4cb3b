// Watches the header of a message go by: measures it, counts its hops and keeps the two fields that the event
// log names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "receipt/authors.h"

namespace postern::smtpd {

class HeaderScan {
 public:
  // Before the first byte: the authors will be wanted, so fields are kept whole up to kAuthorLimitBytes.
  void keep_authors() { limit_bytes_ = kAuthorLimitBytes; }
  // The next bytes of the message, lines ended by LF. Behind the header's end this costs nothing.
  void take(std::string_view bytes);
  // No more bytes come: the last field is complete.
  void finish();

  // Up to the first line that is no part of a header, so far; LF counts as one.
  [[nodiscard]] uint64_t size_bytes() const { return size_bytes_; }
  [[nodiscard]] unsigned hops() const { return hops_; }  // Received: fields
  // As written, folded lines joined; the first one where there are several; cut after kFieldLimitBytes.
  [[nodiscard]] const std::string& message_id() const { return message_id_; }
  [[nodiscard]] const std::string& subject() const { return subject_; }

  // Auto-Submitted: auto-replied (RFC 3834, 5), and no delivery status notification (RFC 3464), which may say
  // that, too.
  [[nodiscard]] bool is_automatic_reply() const { return auto_replied_ && !is_report_; }

  [[nodiscard]] const Authors& authors() const { return authors_; }

  static constexpr size_t kFieldLimitBytes = 1000;
  static constexpr size_t kAuthorLimitBytes = 32768;

 private:
  void measure(std::string_view bytes);
  void end_line();
  void end_field();
  [[nodiscard]] bool keeps_authors() const { return limit_bytes_ == kAuthorLimitBytes; }
  void keep_author(std::string_view name, std::string_view value);
  void append_within_limit(std::string& to, std::string_view text) const;

  std::string line_;
  std::string field_;
  std::string message_id_;
  std::string subject_;
  uint64_t size_bytes_ = 0;
  Authors authors_;
  size_t limit_bytes_ = kFieldLimitBytes;
  unsigned hops_ = 0;
  bool auto_replied_ = false;
  bool is_report_ = false;
  bool measuring_ = true;
  bool over_ = false;
};

}  // namespace postern::smtpd
