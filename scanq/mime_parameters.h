// Parameters of Content-Type and Content-Disposition as any reader may read them: one that respects quotes
// and one that does not, comments taken out and left in, RFC 2231 with its pieces in any order, RFC 2047
// where it may not stand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postern {

// All values of `attribute` in these fields' values, without doubles, at most `most` and one more.
std::vector<std::string> parameter_values(const std::vector<std::string>& fields, std::string_view attribute,
                                          size_t most);

// What follows `attribute` and `=` wherever it stands in text that is no field; to the end of the line.
std::vector<std::string> loose_values(std::string_view text, std::string_view attribute, size_t most);

std::string without_comments(std::string_view text);
// Encoded words (RFC 2047) decoded, all else as it stands. UTF-16 without a mark is read in the order that is
// asked for.
std::string decode_words(std::string_view text, bool little_endian);

}  // namespace postern
