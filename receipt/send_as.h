// control/sendas: as whom each user may send, beside his own address (postern-sendas(5)).
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/result.h"

namespace postern {

class SendAs {
 public:
  // Lines "USER: ADDRESS, @DOMAIN, *"; a line that begins with white space goes on with the one before.
  // `domains` are those of users whose names are no addresses. A failure names file, line and remedy.
  static Result<SendAs> parse(std::string_view text, const std::string& path,
                              std::vector<std::string> domains);

  // Both as they came. The null reverse-path is nobody's.
  [[nodiscard]] bool may(std::string_view user, std::string_view address) const;
  // Which lines speak of the user: "control/sendas:3,7", or that there is none.
  [[nodiscard]] std::string lines_of(std::string_view user) const;

 private:
  struct Entry {
    std::vector<std::string> addresses;  // comparable; "@domain"; "*"
    std::string lines;
  };
  std::unordered_map<std::string, Entry> entries_;  // by the user's name in lower case
  std::vector<std::string> domains_;
};

}  // namespace postern
