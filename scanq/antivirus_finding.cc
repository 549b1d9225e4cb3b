#include "scanq/antivirus_finding.h"

#include <array>
#include <utility>

#include "lib/text.h"
#include "scanq/zip_methods.h"

namespace postern {

namespace {

using namespace std::literals;

constexpr std::string_view kRar = "RAR";

int rank(const ScanResult& result) {
  switch (result.kind) {
    case AntivirusKind::clean:
      return 0;
    case AntivirusKind::encrypted:
      return 1;
    // RAR has a setting of its own, which may be to let it pass: it must not hide anything else.
    case AntivirusKind::unscannable:
      return result.what == kRar ? 2 : 3;
    case AntivirusKind::limit:
      return 4;
    case AntivirusKind::error:
      return 5;
    case AntivirusKind::infected:
      return 6;
  }
  return 5;
}

}  // namespace

const ScanResult& worse(const ScanResult& first, const ScanResult& second) {
  return rank(second) > rank(first) ? second : first;
}

ScanResult judge_name(std::string_view virus) {
  static constexpr std::array kHeuristics = {std::pair{"Heuristics.Limits.Exceeded"sv, AntivirusKind::limit},
                                             std::pair{"Heuristics.Encrypted."sv, AntivirusKind::encrypted},
                                             std::pair{"Heuristics.Broken."sv, AntivirusKind::unscannable}};
  for (const auto& [head, kind] : kHeuristics) {
    if (virus.starts_with(head)) return {kind, printable(virus, 200)};
  }
  return {AntivirusKind::infected, printable(virus, 200)};
}

// It has no magic number: the usual properties, a dictionary's size, and either no size of the content or one
// below a terabyte.
static bool is_lzma(std::string_view bytes) {
  constexpr std::string_view kNoSize = "\xff\xff\xff\xff\xff\xff\xff\xff";
  if (bytes.size() < 14 || !bytes.starts_with("\x5d\x00\x00"sv) || bytes[13] != '\0') return false;
  const std::string_view size = bytes.substr(5, 8);
  return size == kNoSize || size.substr(5) == "\0\0\0"sv;
}

std::string_view unreadable_format(std::string_view bytes) {
  struct Row {
    size_t at;
    std::string_view magic;
    std::string_view name;
  };
  static constexpr std::array kRows = {Row{0, "Rar!\x1a\x07"sv, kRar}, Row{0, "RE~^"sv, kRar},
                                       Row{7, "**ACE**"sv, "ACE"sv}, Row{0, "\x28\xb5\x2f\xfd"sv, "ZSTD"sv},
                                       Row{0, "\x04\x22\x4d\x18"sv, "LZ4"sv}};
  for (const Row& row : kRows) {
    if (bytes.size() >= row.at && bytes.substr(row.at).starts_with(row.magic)) return row.name;
  }
  if (bytes.starts_with("PK\3\4"sv) && has_unreadable_member(bytes)) return "ZIP"sv;
  return is_lzma(bytes) ? "LZMA"sv : ""sv;
}

std::string_view kind_name(AntivirusKind kind) {
  switch (kind) {
    case AntivirusKind::clean:
      return "clean";
    case AntivirusKind::infected:
      return "infected";
    case AntivirusKind::encrypted:
      return "encrypted";
    case AntivirusKind::unscannable:
      return "unscannable";
    case AntivirusKind::limit:
      return "limit";
    case AntivirusKind::error:
      return "error";
  }
  return "error";
}

}  // namespace postern
