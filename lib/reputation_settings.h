// What makes up the score of an address: control/reputationlists (DNS lists, and how much our own experience
// counts) and control/reputationtable (what the operator says). Scores and weights are in tenths.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/ip_bytes.h"
#include "lib/result.h"

namespace postern {

constexpr int kMostScore = 100;  // +10.0
constexpr size_t kMostLists = 32;

// "-7.5" as -75; one digit behind the point. Nothing beyond 10.
std::optional<int> parse_tenths(std::string_view text);
std::string tenths_text(int tenths);

// The answers of a list from `first` to `last` (127.0.0.0/8, as numbers), and what each is worth.
struct ReturnCode {
  uint32_t first = 0;
  uint32_t last = 0;
  int score = 0;
};

struct DnsList {
  std::string zone;
  std::vector<ReturnCode> codes;  // the first that fits counts
  int weight = 10;
};

struct ReputationSettings {
  std::vector<DnsList> lists;
  int history_weight = 10;  // 0: our own experience does not count
  uint64_t half_life_seconds = 7 * 86400;
  uint64_t cache_seconds = 900;
  uint64_t timeout_milliseconds = 800;  // below what smtpd waits for the score
};

// Failures name file, line and remedy.
Result<ReputationSettings> parse_reputation_lists(std::string_view text, std::string_view file_name);

class ReputationTable {
 public:
  static Result<ReputationTable> parse(std::string_view text, std::string_view file_name);

  struct Row {
    int score = 0;
    size_t line = 0;
  };
  // Of the longest network that the address is in.
  [[nodiscard]] std::optional<Row> find(const IpBytes& address) const;

 private:
  std::map<unsigned, std::map<IpBytes, Row>, std::greater<>> networks_;  // by their number of bits
};

// What the address is called below a list's zone: "1.2.0.192.zone", RFC 5782; nibbles for IPv6.
std::string list_name(const IpBytes& address, std::string_view zone);
// An answer that says nothing about the address, but that the list does not serve us: what is no address in
// 127.0.0.0/8 (RFC 5782 2.1), and 127.255.255.0/24, with which large lists refuse.
bool is_list_trouble(std::string_view answer);
// What an answer is worth, without the weight; nothing where no code fits.
std::optional<int> worth_of(const DnsList& list, std::string_view answer);

}  // namespace postern
