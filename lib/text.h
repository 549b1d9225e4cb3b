// Small text work that every program needs: numbers, lines, case, and making foreign bytes safe to print.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern {

// Bytes from the network or a message made safe for a log line or a reply: everything outside 0x20..0x7e and
// the backslash become \xHH; cut after `limit` bytes of input with "...". So no message can forge a line.
std::string printable(std::string_view bytes, size_t limit = 512);

// The same for what names a line that the operator wrote, where a backslash is often meant: it stays, and
// every other such byte becomes a '?'.
std::string one_line(std::string_view text, size_t limit = 512);

inline constexpr std::string_view kHex = "0123456789abcdef";
inline constexpr std::string_view kCapitalHex = "0123456789ABCDEF";
// Two digits for each byte.
std::string hexadecimal(std::string_view bytes, std::string_view digits = kHex);

std::string lower(std::string_view text);  // ASCII only
bool equal_ignoring_case(std::string_view a, std::string_view b);
std::string_view trim(std::string_view text);  // spaces, TAB, CR, LF at both ends

// Decimal digits only, whole text, no sign; nothing on overflow or any other byte.
std::optional<uint64_t> parse_number(std::string_view text);

constexpr uint64_t kLongestAgeSeconds = uint64_t{100} * 365 * 86400;
// "90", "90s", "15m", "2h", "3d", "1w" to seconds; nothing beyond a hundred years.
std::optional<uint64_t> parse_age(std::string_view text);

// Parts between separators, empty ones kept: "a||b" gives three.
std::vector<std::string_view> split(std::string_view text, char separator);
// Words between spaces and TABs, empty ones dropped.
std::vector<std::string_view> words(std::string_view text);
struct NumberedLine {
  size_t number;  // from 1
  std::string_view text;
};
// Lines of a control file: cut at LF, trimmed, without empty ones and those that begin with '#'.
std::vector<NumberedLine> numbered_lines(std::string_view text);
std::vector<std::string_view> control_lines(std::string_view text);

// The directory that a path names something in: "." where it has no slash.
std::string directory_of(std::string_view path);

// The domain after the last '@', lower-case; empty when there is none.
std::string domain_of(std::string_view address);
// What stands before the last '@'; all of it when there is none.
std::string_view local_part_of(std::string_view address);

// Seconds and microseconds since 1970.
uint64_t now_microseconds();
// RFC 5322 date in UTC: "Mon, 02 Jan 2006 15:04:05 +0000".
std::string rfc5322_date(uint64_t seconds_since_1970);

}  // namespace postern
