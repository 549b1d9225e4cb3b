#include "receipt/from_field.h"

#include <algorithm>
#include <optional>

#include "lib/idn.h"
#include "lib/local_part.h"
#include "lib/text.h"
#include "lib/utf8.h"
#include "receipt/encoded_words.h"

namespace postern {

namespace {

constexpr unsigned kDeepestComment = 20;
constexpr size_t kMostAddresses = 100;

enum class Kind { atom, quoted, literal, special, end };

struct Token {
  Kind kind = Kind::end;
  std::string text;        // without quotes and backslashes
  bool spaced = false;     // white space or a comment stands before it
  bool commented = false;  // a comment does
};

bool is_atom_char(char c) {
  static constexpr std::string_view kSpecials = "()<>[]:;@\\,\"";
  return static_cast<unsigned char>(c) > 0x20 && c != 0x7f && kSpecials.find(c) == std::string_view::npos;
}

// Cuts a value into tokens; comments go to `remarks`.
class Lexer {
 public:
  explicit Lexer(std::string_view value) : rest_(value) {}

  // Nothing where it cannot be cut: something is not closed, or holds a control character.
  std::optional<Token> next() {
    Token token;
    if (!pass_white(token)) return std::nullopt;
    if (rest_.empty()) return token;
    const char c = rest_.front();
    if (c == '"') return enclosed(std::move(token), Kind::quoted, '"');
    if (c == '[') return enclosed(std::move(token), Kind::literal, ']');
    if (is_atom_char(c)) {
      token.kind = Kind::atom;
      const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_atom_char);
      token.text.assign(rest_.begin(), end);
      rest_.remove_prefix(token.text.size());
      return token;
    }
    if (std::string_view("<>@,;:").find(c) == std::string_view::npos) return std::nullopt;
    token.kind = Kind::special;
    token.text = c;
    rest_.remove_prefix(1);
    return token;
  }

  [[nodiscard]] const std::string& remarks() const { return remarks_; }

 private:
  bool pass_white(Token& before) {
    for (; !rest_.empty(); before.spaced = true) {
      if (rest_.front() == ' ' || rest_.front() == '\t') {
        rest_.remove_prefix(1);
      } else if (rest_.front() == '(') {
        if (!pass_comment()) return false;
        before.commented = true;
      } else {
        return true;
      }
    }
    return true;
  }

  // The next character of a comment, a quoted string or a literal, without its backslash.
  std::optional<char> take_char() {
    if (rest_.starts_with('\\')) rest_.remove_prefix(1);
    if (rest_.empty()) return std::nullopt;
    const char c = rest_.front();
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) return std::nullopt;
    rest_.remove_prefix(1);
    return c;
  }

  bool pass_comment() {
    unsigned depth = 0;
    remarks_ += ' ';
    while (!rest_.empty()) {
      const bool opens = rest_.front() == '(';
      const bool closes = rest_.front() == ')';
      const std::optional<char> c = take_char();
      if (!c || (opens && ++depth > kDeepestComment)) return false;
      if (closes && --depth == 0) return true;
      if (!opens && !closes) remarks_ += *c;
    }
    return false;
  }

  std::optional<Token> enclosed(Token token, Kind kind, char last) {
    token.kind = kind;
    rest_.remove_prefix(1);
    while (!rest_.empty()) {
      if (rest_.front() == last) {
        rest_.remove_prefix(1);
        return token;
      }
      const std::optional<char> c = take_char();
      if (!c) return std::nullopt;
      token.text += *c;
    }
    return std::nullopt;
  }

  std::string_view rest_;
  std::string remarks_;
};

bool is_literal_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == ':';
}

bool is_host_char(char c) {
  return (is_literal_char(c) && c != ':') || c == '-' || c == '_';
}

bool has_encoded_word(std::string_view text) {
  return text.find("=?") != std::string_view::npos;
}

// U+202A to U+202E, U+2066 to U+2069
bool turns_writing(std::string_view text) {
  for (size_t i = 0; (i = text.find('\xe2', i)) != std::string_view::npos; ++i) {
    const std::string_view at = text.substr(i, 3);
    if (at >= "\xe2\x80\xaa" && at <= "\xe2\x80\xae") return true;
    if (at >= "\xe2\x81\xa6" && at <= "\xe2\x81\xa9") return true;
  }
  return false;
}

// With the ASCII character for what people cannot tell from it, and a blank for white space of any kind.
std::string as_it_looks(std::string_view text) {
  struct Alike {
    std::string_view first, last;
    char to;
  };
  static constexpr Alike kAlike[] = {
      {"\xef\xbc\xa0", "\xef\xbc\xa0", '@'},  // U+FF20
      {"\xef\xb9\xab", "\xef\xb9\xab", '@'},  // U+FE6B
      {"\xef\xbc\x8e", "\xef\xbc\x8e", '.'},  // U+FF0E
      {"\xe3\x80\x82", "\xe3\x80\x82", '.'},  // U+3002
      {"\xef\xbd\xa1", "\xef\xbd\xa1", '.'},  // U+FF61
      {"\xef\xb9\x92", "\xef\xb9\x92", '.'},  // U+FE52
      {"\xe2\x80\xa4", "\xe2\x80\xa4", '.'},  // U+2024
      {"\xc2\x85", "\xc2\x85", ' '},         {"\xc2\xa0", "\xc2\xa0", ' '},
      {"\xe1\x9a\x80", "\xe1\x9a\x80", ' '},  // U+1680
      {"\xe2\x80\x80", "\xe2\x80\x8a", ' '},  // U+2000 to U+200A
      {"\xe2\x80\xa8", "\xe2\x80\xa9", ' '},  // U+2028, U+2029
      {"\xe2\x80\xaf", "\xe2\x80\xaf", ' '},  // U+202F
      {"\xe2\x81\x9f", "\xe2\x81\x9f", ' '},  // U+205F
      {"\xe3\x80\x80", "\xe3\x80\x80", ' '},  // U+3000
  };
  std::string looks;
  for (size_t i = 0; i < text.size();) {
    const auto* const alike = std::find_if(std::begin(kAlike), std::end(kAlike), [&](const Alike& known) {
      const std::string_view at = text.substr(i, known.first.size());
      return at >= known.first && at <= known.last;
    });
    const bool found = alike != std::end(kAlike);
    looks += found ? alike->to : text[i];
    i += found ? alike->first.size() : 1;
  }
  return looks;
}

std::string quoted_where_needed(const std::string& local) {
  if (is_dot_string(local, Utf8::yes)) return local;
  std::string quoted = "\"";
  for (const char c : local) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

class Parser {
 public:
  explicit Parser(std::string_view value) : lexer_(value) { advance(); }

  FromField parse() {
    for (;;) {
      if (!broken_ && !at(',') && now_.kind != Kind::end) element(false);
      if (broken_ || !take(',')) break;
    }
    if (!broken_ && now_.kind != Kind::end) fail("something stands behind an address");
    if (broken_ && field_.problem.empty()) fail("it is broken");
    names_ += " " + lexer_.remarks();
    if (field_.problem.empty()) look_at_names();
    return std::move(field_);
  }

 private:
  void advance() {
    std::optional<Token> token = lexer_.next();
    if (!token) return fail("something in it is not closed, or is a control character");
    now_ = std::move(*token);
  }
  void fail(const char* why) {
    if (field_.problem.empty()) field_.problem = why;
    broken_ = true;
    now_ = Token{};
  }
  [[nodiscard]] bool at(char c) const { return now_.kind == Kind::special && now_.text[0] == c; }
  bool take(char c) {
    if (!at(c)) return false;
    advance();
    return true;
  }
  [[nodiscard]] bool at_word() const { return now_.kind == Kind::atom || now_.kind == Kind::quoted; }

  // A mailbox, or a group.
  void element(bool in_group) {
    std::vector<Token> phrase;
    for (; at_word(); advance()) phrase.push_back(now_);
    if (broken_) return;
    if (at('<')) {
      add_name(phrase);
      advance();
      if (!at_word()) return fail("no address stands between < and >");
      if (now_.commented) return fail("a comment stands inside an address");
      const Token local = now_;
      advance();
      address(local);
      if (broken_) return;
      if (now_.commented || !at('>')) return fail("an address is not closed by >");
      advance();
    } else if (at(':') && !in_group && !phrase.empty()) {
      add_name(phrase);
      group();
    } else if (phrase.size() == 1) {
      address(phrase.front());
    } else {
      fail("words stand where an address should");
    }
  }

  void group() {
    advance();
    for (;;) {
      if (!broken_ && !at(',') && !at(';')) element(true);
      if (broken_ || !take(',')) break;
    }
    if (!broken_ && !take(';')) fail("a group is not closed by ;");
  }

  // Behind its local-part. Nothing may stand around the "@": what the RFC lets stand there is not read alike
  // everywhere.
  void address(const Token& local) {
    if (!at('@') || now_.spaced) return fail("an address has no @ behind its local-part");
    advance();
    const bool is_literal = now_.kind == Kind::literal;
    if ((now_.kind != Kind::atom && !is_literal) || now_.spaced) return fail("an address has no domain");
    const bool well_formed = local.kind == Kind::quoted || is_dot_string(local.text, Utf8::yes);
    if (!well_formed || local.text.empty() || local.text.find('\t') != std::string::npos ||
        !is_utf8(local.text) || !is_utf8(now_.text))
      return fail("an address is malformed");
    if (has_encoded_word(local.text) || has_encoded_word(now_.text))
      return fail("an encoded word stands inside an address");
    if (field_.addresses.size() == kMostAddresses) return fail("it has too many addresses");
    // What else a literal may hold by the RFC no host has, and lenient readers cut elsewhere.
    if (is_literal && !std::all_of(now_.text.begin(), now_.text.end(), is_literal_char))
      return fail("a domain literal is no address");
    const std::string domain = is_literal ? "[" + now_.text + "]" : now_.text;
    std::string whole = comparable_address(quoted_where_needed(local.text) + "@" + domain);
    // As A-labels it is a host name, or nothing that mail has ever come from.
    const std::string_view name = std::string_view(whole).substr(whole.rfind('@') + 1);
    if (!is_literal && !std::all_of(name.begin(), name.end(), is_host_char))
      return fail("an address has no host name for its domain");
    field_.addresses.push_back(std::move(whole));
    advance();
  }

  void add_name(const std::vector<Token>& phrase) {
    for (const Token& word : phrase) names_.append(word.spaced ? " " : "").append(word.text);
    names_ += '\n';  // an address does not go on from one name to the next
  }

  void look_at_names() {
    const std::optional<std::string> decoded = decode_encoded_words(names_);
    if (!decoded) return fail("a name is in a character set that hides what it says");
    const auto is_odd = [](char c) {
      return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n') || c == 0x7f;
    };
    // A line end inside an encoded word is none of ours.
    const bool line_ends =
        std::count(decoded->begin(), decoded->end(), '\n') != std::count(names_.begin(), names_.end(), '\n');
    if (line_ends || std::any_of(decoded->begin(), decoded->end(), is_odd))
      return fail("a name holds control characters");
    if (turns_writing(*decoded)) return fail("a name changes the direction of writing");
    find_shown(as_it_looks(*decoded));
    // What is in no known character set readers guess.
    if (!is_utf8(names_)) find_shown(with_plain_signs(*decoded));
  }

  // Whatever has something in front of an "@", and behind it a dot with something before it. Where a word has
  // more than one, what stands around each: to people another sign parts them than to us.
  void find_shown(std::string_view text) {
    const auto ends = [](char c) {
      return static_cast<unsigned char>(c) <= 0x20 ||
             std::string_view("<>()[],;:\"'`\\").find(c) != std::string_view::npos;
    };
    for (size_t i = 0; i < text.size();) {
      const size_t end = static_cast<size_t>(
          std::find_if(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), ends) - text.begin());
      std::string_view word = text.substr(i, end - i);
      while (word.ends_with('.') || word.ends_with('!') || word.ends_with('?')) word.remove_suffix(1);
      add_shown(word);
      i = end + 1;
    }
  }

  void add_shown(std::string_view word) {
    std::string_view before;
    for (const std::string_view part : split(word, '@')) {
      if (part.empty()) continue;  // another "@" in front hides nothing
      if (!before.empty() && part.find('.', 1) != std::string_view::npos) {
        if (field_.shown.size() == kMostAddresses) return fail("its names show too many addresses");
        field_.shown.push_back(comparable_address(std::string(before) + "@" + std::string(part)));
      }
      before = part;
    }
  }

  Lexer lexer_;
  Token now_;
  FromField field_;
  std::string names_;
  bool broken_ = false;
};

}  // namespace

std::string comparable_address(std::string_view address) {
  const size_t sign = address.rfind('@');
  if (sign == std::string_view::npos) return lower(address);
  const std::string_view domain = address.substr(sign + 1);
  const Result<std::string> name = a_labels(domain);
  return lower(address.substr(0, sign)) + "@" + (name ? *name : lower(domain));
}

FromField parse_from(std::string_view value) {
  return Parser(value).parse();
}

}  // namespace postern
