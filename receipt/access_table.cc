#include "receipt/access_table.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>

#include "lib/idn.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr int64_t kOneExpressionMemoryBytes = 1 << 20;

RE2::Options options_of(int64_t memory_bytes) {
  RE2::Options options;
  options.set_case_sensitive(false);
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(memory_bytes);
  return options;
}

// "[192.0.2.1]", "[IPv6:2001:db8::1]": an address literal, which as an expression would be a set of letters.
bool is_literal(std::string_view text) {
  if (!text.starts_with('[') || !text.ends_with(']')) return false;
  text = text.substr(1, text.size() - 2);
  const bool v6 = text.size() > 5 && equal_ignoring_case(text.substr(0, 5), "IPv6:");
  if (v6) text.remove_prefix(5);
  return !text.empty() && text.find(v6 ? ':' : '.') != std::string_view::npos &&
         text.find_first_not_of(v6 ? "0123456789abcdefABCDEF:." : "0123456789.") == std::string_view::npos;
}

bool is_expression(std::string_view text) {
  if (is_literal(text)) return false;
  if (text.find_first_of("\\^$*?()[]{}|") != std::string_view::npos) return true;
  return text.find(".+") != std::string_view::npos;
}

// As it is compared: lower case, its domain in A-labels.
std::string plain_key(std::string_view entry, AccessList list) {
  const size_t domain = list == AccessList::helo ? 0 : entry.rfind('@') + 1;
  std::string key(entry);
  if (const Result<std::string> name = a_labels(entry.substr(domain)))
    key.replace(domain, std::string::npos, *name);
  return lower(key);
}

std::string problem_of_plain(std::string_view entry, AccessList list) {
  if (entry.find_first_of(" \t") != std::string_view::npos)
    return "has a space in it; write one entry a line";
  if (list == AccessList::helo || entry.find('@') != std::string_view::npos) return {};
  return "has no @; write user@domain, @domain or @.domain, or a regular expression";
}

}  // namespace

// Expressions in the file's order, matched all at once.
class AccessTable::Expressions {
 public:
  // What is wrong with it; empty: nothing.
  std::string add(std::string_view expression, size_t line) {
    const re2::StringPiece text(expression.data(), expression.size());
    // Alone, so that one that is too large by itself is named.
    const RE2 alone(text, options_of(kOneExpressionMemoryBytes));
    if (!alone.ok()) return alone.error();
    std::string why;
    if (set_.Add(text, &why) < 0) return why;
    all_.push_back({.text = std::string(expression), .line = line});
    return {};
  }
  bool compile() { return set_.Compile(); }

  [[nodiscard]] size_t find(std::string_view value) const {
    const re2::StringPiece whole(value.data(), value.size());
    std::vector<int> hits;
    RE2::Set::ErrorInfo error{};
    if (set_.Match(whole, &hits, &error))
      return all_.at(static_cast<size_t>(*std::min_element(hits.begin(), hits.end()))).line;
    if (error.kind == RE2::Set::kNoError) return 0;
    // Slow, but nobody gets in because memory was short.
    const auto matches = [&](const Expression& one) {
      return RE2(one.text, options_of(kOneExpressionMemoryBytes))
          .Match(whole, 0, value.size(), RE2::UNANCHORED, nullptr, 0);
    };
    const auto found = std::find_if(all_.begin(), all_.end(), matches);
    return found == all_.end() ? 0 : found->line;
  }

 private:
  struct Expression {
    std::string text;
    size_t line;
  };
  RE2::Set set_{options_of(kAccessExpressionMemoryBytes), RE2::UNANCHORED};
  std::vector<Expression> all_;
};

AccessTable::AccessTable(AccessList list) : list_(list) {}
AccessTable::AccessTable(AccessTable&&) noexcept = default;
AccessTable& AccessTable::operator=(AccessTable&&) noexcept = default;
AccessTable::~AccessTable() = default;

Result<AccessTable> AccessTable::parse(std::string_view text, std::string_view file_name, AccessList list) {
  AccessTable table(list);
  for (const auto& [number, line] : numbered_lines(text)) {
    if (const std::string why = table.add(line, number); !why.empty())
      return temporary(
          std::string(file_name) + ":" + std::to_string(number) + ": \"" + one_line(line, 100) + "\" " + why,
          55, "4.3.5");
  }
  if (!table.compile())
    return temporary(std::string(file_name) + ": its regular expressions together need more memory than " +
                         std::to_string(kAccessExpressionMemoryBytes >> 20) +
                         " MiB: write plain entries where they will do, and no repetitions like {100}",
                     55, "4.3.5");
  return table;
}

bool AccessTable::compile() {
  for (const Entries* entries : {&exempt_, &unwelcome_}) {
    if (entries->expressions && !entries->expressions->compile()) return false;
  }
  return true;
}

std::string AccessTable::add(std::string_view entry, size_t line) {
  texts_.emplace(line, one_line(entry, 200));
  const bool exempts = entry.starts_with('!');
  if (exempts) entry = trim(entry.substr(1));
  if (entry.empty()) return "exempts nothing; write an entry behind the !";
  Entries& entries = exempts ? exempt_ : unwelcome_;
  if (!is_expression(entry)) {
    if (std::string why = problem_of_plain(entry, list_); !why.empty()) return why;
    entries.plain.emplace(plain_key(entry, list_), line);
    return {};
  }
  if (entry.size() > kAccessExpressionBytes)
    return "is longer than " + std::to_string(kAccessExpressionBytes) + " bytes; make several of it";
  if (expressions_ >= kAccessExpressions)
    return "is one regular expression too many; " + std::to_string(kAccessExpressions) +
           " may stand in a file: write plain entries where they will do";
  if (!entries.expressions) entries.expressions = std::make_unique<Expressions>();
  if (const std::string why = entries.expressions->add(entry, line); !why.empty())
    return "is no regular expression: " + one_line(why, 200) +
           "; any address of a domain is @domain, any text in an expression is .*";
  ++expressions_;
  return {};
}

AccessVerdict AccessTable::judge(std::string_view value) const {
  size_t line = find(exempt_, value);
  const bool welcome = line != 0;
  if (!welcome) line = find(unwelcome_, value);
  if (line == 0) return {};
  return {.welcome = welcome, .line = line, .text = texts_.at(line)};
}

// The plain entries: all of it, then its domain, then what is above the domain; then the expressions.
size_t AccessTable::find(const Entries& entries, std::string_view value) const {
  const std::string key = lower(value);
  const auto line_of = [&](const std::string& what) {
    const auto found = entries.plain.find(what);
    return found == entries.plain.end() ? size_t{0} : found->second;
  };
  if (const size_t line = line_of(key)) return line;
  const bool is_name = list_ == AccessList::helo;
  const size_t at = is_name ? std::string::npos : key.rfind('@');
  if (is_name || at != std::string::npos) {
    const std::string prefix = is_name ? "" : "@";
    const std::string domain = is_name ? key : key.substr(at + 1);
    if (const size_t line = is_name ? 0 : line_of(prefix + domain)) return line;
    for (size_t dot = domain.find('.'); dot != std::string::npos; dot = domain.find('.', dot + 1)) {
      if (const size_t line = dot == 0 ? 0 : line_of(prefix + domain.substr(dot))) return line;
    }
  }
  return entries.expressions ? entries.expressions->find(value) : 0;
}

}  // namespace postern
