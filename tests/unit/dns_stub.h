// A DNS file's lines in the place of dnsq, for what asks by a function object.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dnsq/dns_file.h"
#include "dnsq/inquiry.h"
#include "lib/dns_answer.h"

namespace postern {

// The questions that were asked are added to `asked`.
inline AskDns dns_of_lines(std::string_view lines, std::vector<std::string>* asked = nullptr) {
  Result<std::unique_ptr<DnsFile>> parsed = DnsFile::parse(lines, "lines");
  REQUIRE(parsed.ok());
  const std::shared_ptr<DnsFile> file = std::move(*parsed);
  return [file, asked](const std::vector<std::string>& words) -> Result<DnsAnswer> {
    if (asked != nullptr) asked->push_back(words.back());
    Result<DnsQuestion> question = parse_dns_question(words);
    if (!question) return question.failure();
    Inquiry inquiry(std::move(*question), *file);
    inquiry.start();
    if (is_temporary(inquiry.answer().outcome)) return temporary("no answer", 0, "4.4.3");
    return inquiry.answer();
  };
}

}  // namespace postern
