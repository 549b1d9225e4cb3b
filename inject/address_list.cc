#include "inject/address_list.h"

#include <algorithm>

#include "lib/local_part.h"
#include "lib/text.h"

namespace postern::inject {

namespace {

enum class Kind : uint8_t { atom, quoted, literal, special };

struct Token {
  Kind kind;
  size_t begin;
  size_t end;
};

constexpr std::string_view kSpecials = "<>@,;:.";

bool is_white(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// Behind the bracket that closes what opens at `begin`; nothing when it is not closed. A backslash takes the
// next byte's meaning away. Only comments nest.
std::optional<size_t> end_of_enclosed(std::string_view text, size_t begin, char close) {
  const char open = text[begin];
  size_t depth = 1;
  for (size_t at = begin + 1; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\\') {
      if (++at == text.size() || (is_control(text[at]) && !is_white(text[at]))) return std::nullopt;
    } else if (c == close) {
      if (--depth == 0) return at + 1;
    } else if (open == '(' && c == open) {
      ++depth;
    } else if (is_control(c) && !is_white(c)) {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

size_t end_of_atom(std::string_view text, size_t begin) {
  size_t at = begin;
  while (at < text.size() && !is_control(text[at]) && text[at] != ' ' &&
         kSpecials.find(text[at]) == std::string_view::npos &&
         std::string_view("()[]\"\\").find(text[at]) == std::string_view::npos)
    ++at;
  return at;
}

std::optional<std::vector<Token>> tokens_of(std::string_view text) {
  std::vector<Token> tokens;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    std::optional<size_t> end;
    if (is_white(c)) {
      ++at;
      continue;
    }
    if (c == '(') {
      end = end_of_enclosed(text, at, ')');
      if (!end) return std::nullopt;
      at = *end;
      continue;
    }
    Kind kind = Kind::special;
    if (c == '"' || c == '[') {
      kind = c == '"' ? Kind::quoted : Kind::literal;
      end = end_of_enclosed(text, at, c == '"' ? '"' : ']');
    } else if (kSpecials.find(c) != std::string_view::npos) {
      end = at + 1;
    } else {
      kind = Kind::atom;
      end = end_of_atom(text, at);
      if (*end == at) return std::nullopt;
    }
    if (!end) return std::nullopt;
    tokens.push_back({kind, at, *end});
    at = *end;
  }
  return tokens;
}

// What a quoted string means: RFC 5322, 3.2.4; the line breaks of folding are no part of it.
std::string unquoted(std::string_view quoted) {
  std::string content;
  quoted = quoted.substr(1, quoted.size() - 2);
  for (size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] == '\\') ++i;
    if (quoted[i] != '\n' && quoted[i] != '\r') content += quoted[i] == '\t' ? ' ' : quoted[i];
  }
  return content;
}

std::string quoted_where_needed(const std::string& content) {
  if (is_dot_string(content, Utf8::yes)) return content;
  std::string quoted = "\"";
  for (const char c : content) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

bool is_label(std::string_view label) {
  return !label.empty() && std::all_of(label.begin(), label.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || static_cast<unsigned char>(c) > 0x7f;
  });
}

bool is_domain(std::string_view domain) {
  if (domain.starts_with('['))
    return std::none_of(domain.begin(), domain.end(),
                        [](char c) { return is_control(c) || c == ' ' || c == '\\' || c == '@'; });
  if (domain.ends_with('+')) domain.remove_suffix(1);
  const std::vector<std::string_view> labels = split(domain, '.');
  return std::all_of(labels.begin(), labels.end(), is_label);
}

class Parser {
 public:
  Parser(std::string_view text, const std::vector<Token>& tokens) : text_(text), tokens_(tokens) {}

  std::optional<std::vector<Mailbox>> parse() {
    bool in_group = false;
    while (at_ < tokens_.size()) {
      if (take(',')) continue;
      if (in_group && take(';')) {
        in_group = false;
        continue;
      }
      if (starts_group()) {
        if (in_group) return std::nullopt;
        while (!take(':')) ++at_;
        in_group = true;
        continue;
      }
      if (!take_mailbox()) return std::nullopt;
      if (at_ < tokens_.size() && !at(',') && !(in_group && at(';'))) return std::nullopt;
    }
    return std::move(mailboxes_);
  }

 private:
  [[nodiscard]] bool at(char c) const {
    return at_ < tokens_.size() && tokens_[at_].kind == Kind::special && text_[tokens_[at_].begin] == c;
  }
  bool take(char c) {
    if (!at(c)) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] bool is_special(size_t index, std::string_view among) const {
    return tokens_[index].kind == Kind::special &&
           among.find(text_[tokens_[index].begin]) != std::string_view::npos;
  }
  // The first of these specials from here on, before any other of `among`; its index.
  [[nodiscard]] size_t find(std::string_view among) const {
    size_t index = at_;
    while (index < tokens_.size() && !is_special(index, among)) ++index;
    return index;
  }
  [[nodiscard]] bool starts_group() const {
    const size_t end = find(":<,;@");
    return end < tokens_.size() && end > at_ && is_special(end, ":");
  }

  bool take_mailbox() {
    const size_t end = find("<,;");
    if (end == tokens_.size() || !is_special(end, "<")) return take_address();
    at_ = end + 1;  // what stands before < is a name, whatever it looks like
    if (take('>')) {
      mailboxes_.emplace_back();
      return true;
    }
    if (at('@') && !take_route()) return false;
    return take_address() && take('>');
  }

  // @one,@two:  RFC 5322, 4.4: to be accepted and ignored.
  bool take_route() {
    while (at('@') || at(',')) {
      if (take(',')) continue;
      ++at_;
      std::string domain;
      if (!take_domain(domain)) return false;
    }
    return take(':');
  }

  // Words between dots. Two words side by side are no address; dots side by side are forgiven.
  bool take_local_part(Mailbox& mailbox) {
    std::string content;
    bool word_before = false;
    bool any = false;
    for (; at_ < tokens_.size(); ++at_) {
      const Token& token = tokens_[at_];
      const std::string_view bytes = text_.substr(token.begin, token.end - token.begin);
      const bool word = token.kind == Kind::atom || token.kind == Kind::quoted;
      if (word ? word_before : bytes != ".") break;
      content += token.kind == Kind::quoted ? unquoted(bytes) : std::string(bytes);
      any = any || word;
      word_before = word;
      mailbox.local_end = token.end;
    }
    mailbox.local_part = quoted_where_needed(content);
    return any && std::none_of(content.begin(), content.end(), is_control);
  }

  bool take_domain(std::string& domain) {
    if (at_ < tokens_.size() && tokens_[at_].kind == Kind::literal) {
      const Token& token = tokens_[at_++];
      domain = text_.substr(token.begin, token.end - token.begin);
      return is_domain(domain);
    }
    bool label_before = false;
    for (; at_ < tokens_.size(); ++at_) {
      const Token& token = tokens_[at_];
      const bool label = token.kind == Kind::atom;
      if (label ? label_before : !at('.')) break;
      domain += text_.substr(token.begin, token.end - token.begin);
      label_before = label;
    }
    return is_domain(domain);
  }

  bool take_address() {
    Mailbox mailbox;
    if (!take_local_part(mailbox)) return false;
    if (take('@')) {
      if (at_ == tokens_.size()) return false;
      mailbox.domain_begin = tokens_[at_].begin;
      if (!take_domain(mailbox.domain)) return false;
      mailbox.domain_end = tokens_[at_ - 1].end;
    }
    mailboxes_.push_back(std::move(mailbox));
    return true;
  }

  std::string_view text_;
  const std::vector<Token>& tokens_;
  size_t at_ = 0;
  std::vector<Mailbox> mailboxes_;
};

}  // namespace

std::optional<std::vector<Mailbox>> parse_address_list(std::string_view text) {
  const std::optional<std::vector<Token>> tokens = tokens_of(text);
  if (!tokens) return std::nullopt;
  return Parser(text, *tokens).parse();
}

std::string complete_domain(std::string_view domain, const Completion& completion) {
  if (domain.empty() || equal_ignoring_case(domain, "localhost")) domain = completion.default_host;
  if (domain.starts_with('[') || domain.empty()) return std::string(domain);
  if (domain.ends_with('+'))
    return std::string(domain.substr(0, domain.size() - 1)) + "." + completion.plus_domain;
  if (domain.find('.') == std::string_view::npos)
    return std::string(domain) + "." + completion.default_domain;
  return std::string(domain);
}

std::string envelope_address(const Mailbox& mailbox, const Completion& completion) {
  return mailbox.local_part + "@" + lower(complete_domain(mailbox.domain, completion));
}

std::string complete_text(std::string_view text, const std::vector<Mailbox>& mailboxes,
                          const Completion& completion) {
  std::string completed;
  size_t copied = 0;
  for (const Mailbox& mailbox : mailboxes) {
    if (mailbox.null()) continue;
    const std::string domain = complete_domain(mailbox.domain, completion);
    if (domain == mailbox.domain) continue;
    if (mailbox.domain.empty()) {
      completed.append(text.substr(copied, mailbox.local_end - copied)).append("@");
      copied = mailbox.local_end;
    } else {
      completed.append(text.substr(copied, mailbox.domain_begin - copied));
      copied = mailbox.domain_end;
    }
    completed += domain;
  }
  return completed.append(text.substr(copied));
}

}  // namespace postern::inject
