// One of control/badmailfrom, badrcptto and badhelo, compiled. A line is an entry, "!" in front of it makes
// it an exemption, whose word holds wherever it stands.
//
// - Plain: user@domain, @domain for all of a domain, @.domain for all below it; of badhelo a name, .domain
// for
//   all below it, or an address literal. Found by hashing.
// - A regular expression (RE2), where the line has one of \ ^ $ * ? ( ) [ ] { } | or a + that repeats
//   something: found anywhere in the address unless ^ and $ say otherwise, as qregex does. A + alone is none:
//   user+detail@domain is an address.
//
// Letter case counts in neither. All expressions of a list are one automaton, so that ten thousand cost what
// one does, linear in the address; what it remembers of its states is bounded.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/result.h"
#include "receipt/access_question.h"

namespace postern {

constexpr size_t kAccessExpressions = 10000;   // of one file
constexpr size_t kAccessValueBytes = 1024;     // longer than any path or name (RFC 5321, 4.5.3.1)
constexpr size_t kAccessFileBytes = 16777216;  // 16 MiB
constexpr size_t kAccessExpressionBytes = 1000;
// Of the expressions of a file that refuse, and as much of its exemptions; when it is read again, twice.
constexpr int64_t kAccessExpressionMemoryBytes = int64_t{32} << 20;

struct AccessVerdict {
  bool welcome = true;
  size_t line = 0;   // that decided, from 1; 0: none is about it
  std::string text;  // of that line
};

class AccessTable {
 public:
  // A failure is temporary and names file, line and remedy.
  static Result<AccessTable> parse(std::string_view text, std::string_view file_name, AccessList list);
  [[nodiscard]] AccessVerdict judge(std::string_view value) const;
  // Only exemptions: who comes from qregex, where "!" turned a line's meaning round, may have meant more.
  [[nodiscard]] bool refuses_nobody() const { return unwelcome_.empty() && !exempt_.empty(); }

  AccessTable(AccessTable&&) noexcept;
  AccessTable& operator=(AccessTable&&) noexcept;
  ~AccessTable();

 private:
  class Expressions;
  struct Entries {
    std::unordered_map<std::string, size_t> plain;  // in lower case: its line
    std::unique_ptr<Expressions> expressions;       // nothing: there are none
    [[nodiscard]] bool empty() const { return plain.empty() && !expressions; }
  };
  explicit AccessTable(AccessList list);
  std::string add(std::string_view entry, size_t line);  // what is wrong with it; empty: nothing
  bool compile();                                        // false: the expressions need too much memory
  [[nodiscard]] size_t find(const Entries& entries, std::string_view value) const;  // its line, or 0

  AccessList list_;
  Entries unwelcome_;
  Entries exempt_;
  size_t expressions_ = 0;                         // of both
  std::unordered_map<size_t, std::string> texts_;  // of the lines
};

}  // namespace postern
