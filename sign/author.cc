#include "sign/author.h"

#include <algorithm>

#include "lib/text.h"

namespace postern {

namespace {

constexpr unsigned kDeepestComment = 100;

// Comments become a space; quoted strings stay as they are, with whatever looks like syntax in them.
class Reader {
 public:
  explicit Reader(std::string_view value) : rest_(value) {}

  std::string read() {
    std::string word;  // what stands before '<' or ends the address
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '(') {
        pass_comment();
        word += ' ';
      } else if (c == '"') {
        take_quoted(word);
      } else if (c == '<') {
        rest_.remove_prefix(1);
        const std::string address = take_angle();
        if (!address.empty()) return address;
        word.clear();
      } else if (c == ',' || c == ';') {
        if (const std::string address = as_address(word); !address.empty()) return address;
        word.clear();
        rest_.remove_prefix(1);
      } else if (c == ':') {
        word.clear();  // the name of a group
        rest_.remove_prefix(1);
      } else {
        word += c;
        rest_.remove_prefix(1);
      }
    }
    return as_address(word);
  }

 private:
  void pass_comment() {
    unsigned depth = 0;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(c == '\\' ? std::min<size_t>(2, rest_.size()) : 1);
      if (c == '(' && depth < kDeepestComment) ++depth;
      if (c == ')' && --depth == 0) return;
    }
  }

  void take_quoted(std::string& word) {
    for (bool first = true; !rest_.empty(); first = false) {
      const char c = rest_.front();
      const size_t length = c == '\\' ? std::min<size_t>(2, rest_.size()) : 1;
      word += rest_.substr(0, length);
      rest_.remove_prefix(length);
      if (c == '"' && !first) return;
    }
  }

  std::string take_angle() {
    std::string inside;
    while (!rest_.empty() && rest_.front() != '>') {
      if (rest_.front() == '(') {
        pass_comment();
      } else if (rest_.front() == '"') {
        take_quoted(inside);
      } else {
        inside += rest_.front();
        rest_.remove_prefix(1);
      }
    }
    if (!rest_.empty()) rest_.remove_prefix(1);
    // A source route (RFC 5322 4.4): "@a,@b:user@host".
    if (trim(inside).starts_with('@')) inside.erase(0, std::min(inside.find(':'), inside.size() - 1) + 1);
    return as_address(inside);
  }

  // Empty where it is no local-part and domain. White space around the dots and the @ does not count.
  static std::string as_address(std::string_view word) {
    word = trim(word);
    const size_t at = word.rfind('@');
    if (at == std::string_view::npos || at == 0) return {};
    std::string address(trim(word.substr(0, at)));
    std::string domain(word.substr(at + 1));
    std::erase_if(domain, [](char c) { return c == ' ' || c == '\t'; });
    const bool odd = domain.empty() || domain.find_first_of("\"<>[]:,;\\") != std::string::npos;
    return odd ? std::string() : address + "@" + domain;
  }

  std::string_view rest_;
};

}  // namespace

std::string first_address(std::string_view value) {
  return Reader(value).read();
}

}  // namespace postern
