#include "scanq/mime_encodings.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include "scanq/mime_marks.h"

namespace postern {

namespace {

constexpr uint8_t kPad = 64;
constexpr uint8_t kSpace = 65;
constexpr uint8_t kJunk = 66;

constexpr std::array<uint8_t, 256> make_letters(bool url) {
  std::array<uint8_t, 256> table{};
  for (uint8_t& value : table) value = kJunk;
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < kAlphabet.size(); ++i)
    table[static_cast<uint8_t>(kAlphabet[i])] = static_cast<uint8_t>(i);
  for (const char blank : {' ', '\t', '\r', '\n'}) table[static_cast<uint8_t>(blank)] = kSpace;
  table['='] = kPad;
  if (url) {
    table['-'] = 62;
    table['_'] = 63;
  }
  return table;
}
constexpr std::array<uint8_t, 256> kLetters = make_letters(false);
constexpr std::array<uint8_t, 256> kUrlLetters = make_letters(true);

// Four letters make three bytes: what each of the four adds to them, as a little-endian number. The top bit
// is set for what is no letter.
constexpr uint32_t kNoLetter = uint32_t{1} << 31;
using Quarter = std::array<uint32_t, 256>;
constexpr std::array<Quarter, 4> make_quarters() {
  std::array<Quarter, 4> quarters{};
  for (size_t place = 0; place < 4; ++place) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t word = uint32_t{kLetters[byte]} << (18 - 6 * place);
      quarters[place][byte] =
          kLetters[byte] >= kPad ? kNoLetter : (word >> 16 & 0xff) | (word & 0xff00) | (word & 0xff) << 16;
    }
  }
  return quarters;
}
constexpr std::array<Quarter, 4> kQuarters = make_quarters();
static_assert(std::endian::native == std::endian::little);

// What readers make of `=` that is not at the end.
enum class Padding {
  restart,     // it ends four letters; what follows begins anew
  stop_first,  // nothing behind the first one counts
  stop_valid,  // the same, but one where none can stand is passed over
  as_letter,   // it stands for one of four letters; what follows goes on
  ignore       // it is no letter at all
};
enum class Junk { ignore, stop, skip_line };

struct Base64Way {
  Padding padding = Padding::restart;
  Junk junk = Junk::ignore;
  bool line_restarts = false;  // each line is decoded by itself
  bool empty_line_stops = false;
  bool url = false;        // - and _ are letters
  bool drop_rest = false;  // fewer than four letters at the end are none
};

// What was met that readers differ on.
struct Base64Oddities {
  bool padding = false;  // `=` with letters behind it, or where none can stand
  bool junk = false;
  bool url = false;
  bool lines = false;       // a line with letters behind it whose letters are no multiple of four
  bool empty_line = false;  // with letters behind it
  bool rest = false;        // fewer than four letters at the end, and no padding
};

class Base64Decoder {
 public:
  Base64Decoder(std::string_view raw, const Base64Way& way)
      : raw_(raw), way_(way), letters_(way.url ? kUrlLetters : kLetters) {
    bytes_.resize(raw.size() / 4 * 3 + raw.size() % 4 + 4);
  }

  std::string run() {
    size_t at = 0;
    while (at < raw_.size() && !stopped_) {
      if (count_ == 0) at = whole_groups(at);
      if (at >= raw_.size()) break;
      at = way_.junk == Junk::skip_line && line_begins(at) && has_junk(at) ? next_line(raw_, at) : one(at);
    }
    if (count_ > 1) oddities_.rest = true;
    if (!way_.drop_rest) flush();
    bytes_.resize(length_);
    return std::move(bytes_);
  }

  [[nodiscard]] const Base64Oddities& oddities() const { return oddities_; }

 private:
  [[nodiscard]] uint8_t letter(size_t at) const { return letters_[static_cast<uint8_t>(raw_[at])]; }
  [[nodiscard]] bool line_begins(size_t at) const { return at == 0 || raw_[at - 1] == '\n'; }
  [[nodiscard]] bool has_junk(size_t at) const {
    for (; at < raw_.size() && raw_[at] != '\n'; ++at)
      if (letter(at) == kJunk) return true;
    return false;
  }

  // Four letters in a row, as long as there are such.
  size_t whole_groups(size_t at) {
    if (way_.url || (way_.junk == Junk::skip_line && line_begins(at))) return at;
    char* out = bytes_.data() + length_;
    const size_t first = at;
    const auto* in = reinterpret_cast<const uint8_t*>(raw_.data());
    for (; at + 4 <= raw_.size(); at += 4, out += 3) {
      const uint32_t word = kQuarters[0][in[at]] | kQuarters[1][in[at + 1]] | kQuarters[2][in[at + 2]] |
                            kQuarters[3][in[at + 3]];
      if ((word & kNoLetter) != 0) break;
      memcpy(out, &word, sizeof word);  // the fourth byte is written over, or is one of those to spare
    }
    if (at > first) letters_came();
    length_ = static_cast<size_t>(out - bytes_.data());
    return at;
  }

  void letters_came() {
    if (padded_) oddities_.padding = true;
    if (short_line_) oddities_.lines = true;
    if (empty_line_) oddities_.empty_line = true;
    seen_ = true;
  }

  size_t one(size_t at) {
    const uint8_t value = letter(at);
    if (value < kPad) {
      letters_came();
      add(value);
    } else if (value == kPad) {
      pad();
    } else if (value == kSpace) {
      if (raw_[at] == '\n') end_of_line(at);
    } else {
      oddities_.junk = true;
      if (raw_[at] == '-' || raw_[at] == '_') oddities_.url = true;
      if (way_.junk == Junk::stop) stopped_ = true;
    }
    return at + 1;
  }

  void add(uint8_t value) {
    group_[count_++] = value;
    if (count_ < 4) return;
    const bool short3 = group_[3] == kPad, short2 = group_[2] == kPad;
    const auto bits = [&](size_t i) { return static_cast<uint32_t>(group_[i] & 63); };
    const uint32_t word = bits(0) << 18 | bits(1) << 12 | bits(2) << 6 | bits(3);
    bytes_[length_++] = static_cast<char>(word >> 16);
    if (!short2) bytes_[length_++] = static_cast<char>(word >> 8);
    if (!short3) bytes_[length_++] = static_cast<char>(word);
    count_ = 0;
  }

  void pad() {
    // The second `=` of a pair ends what the first has ended.
    if (count_ < 2 && !(padded_ && count_ == 0)) oddities_.padding = true;
    padded_ = true;
    switch (way_.padding) {
      case Padding::stop_first:
        stopped_ = true;
        return;
      case Padding::stop_valid:
        stopped_ = count_ >= 2;
        return;
      case Padding::restart:
        flush();
        return;
      case Padding::as_letter:
        add(kPad);
        return;
      case Padding::ignore:
        return;
    }
  }

  void end_of_line(size_t at) {
    const size_t previous = at > 0 && raw_[at - 1] == '\r' ? at - 1 : at;
    if (seen_ && (previous == 0 || raw_[previous - 1] == '\n')) {
      empty_line_ = true;
      if (way_.empty_line_stops) stopped_ = true;
    }
    if (count_ > 0) short_line_ = true;
    if (way_.line_restarts) flush();
  }

  void flush() {
    if (count_ >= 2) {
      const size_t letters = count_;
      const uint32_t word =
          (group_[0] & 63U) << 18 | (group_[1] & 63U) << 12 | (letters > 2 ? (group_[2] & 63U) << 6 : 0U);
      bytes_[length_++] = static_cast<char>(word >> 16);
      if (letters > 2 && group_[2] != kPad) bytes_[length_++] = static_cast<char>(word >> 8);
    }
    count_ = 0;
  }

  std::string_view raw_;
  const Base64Way& way_;
  const std::array<uint8_t, 256>& letters_;
  std::string bytes_;
  size_t length_ = 0;
  std::array<uint8_t, 4> group_{};
  size_t count_ = 0;
  bool stopped_ = false, padded_ = false, seen_ = false, short_line_ = false, empty_line_ = false;
  Base64Oddities oddities_;
};

// Hands each different result on. What was handed on is kept to compare with while it is not too much; beyond
// that the same may come twice.
class Results {
 public:
  explicit Results(const TakeDecoded& take) : take_(take) {}
  bool add(std::string result) {
    for (const std::string& other : kept_)
      if (other == result) return true;
    if (!take_(result)) return false;
    if (kept_bytes_ + result.size() > kMostKept) return true;
    kept_bytes_ += result.size();
    kept_.push_back(std::move(result));
    return true;
  }

 private:
  static constexpr size_t kMostKept = size_t{64} * 1024 * 1024;
  const TakeDecoded& take_;
  std::vector<std::string> kept_;
  size_t kept_bytes_ = 0;
};

std::vector<Base64Way> other_ways(const Base64Oddities& odd) {
  std::vector<Padding> paddings = {Padding::restart};
  if (odd.padding)
    paddings.insert(paddings.end(),
                    {Padding::stop_first, Padding::stop_valid, Padding::as_letter, Padding::ignore});
  std::vector<Junk> junks = {Junk::ignore};
  if (odd.junk) junks.insert(junks.end(), {Junk::stop, Junk::skip_line});
  std::vector<Base64Way> ways;
  for (const Padding padding : paddings) {
    for (const Junk junk : junks) {
      ways.push_back({.padding = padding, .junk = junk});
      if (odd.lines) ways.push_back({.padding = padding, .junk = junk, .line_restarts = true});
      if (odd.empty_line) ways.push_back({.padding = padding, .junk = junk, .empty_line_stops = true});
      if (odd.url) ways.push_back({.padding = padding, .junk = junk, .url = true});
      if (odd.rest) ways.push_back({.padding = padding, .junk = junk, .drop_rest = true});
    }
  }
  ways.erase(ways.begin());  // the first pass was that one
  return ways;
}

// Quoted-printable (RFC 2045, 6.7).
struct QuotedWay {
  bool strip_blanks = false;  // those at a line's end were added on the way (rule 3)
  bool drop_broken = false;   // `=` without two digits behind it goes; otherwise it stays
  bool pair_is_one = false;   // `==` is `=`
  bool cr_is_soft = false;    // `=` CR is a soft line break, and what follows up to LF goes with it
};
struct QuotedOddities {
  bool blanks = false, broken = false, pair = false, cr = false;
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// One line without its end; true when it ends in a soft break.
bool decode_quoted_line(std::string_view line, const QuotedWay& way, std::string& out, QuotedOddities& odd) {
  for (size_t at = 0; at < line.size();) {
    const size_t sign = line.find('=', at);
    out.append(line.substr(at, sign - at));
    if (sign == std::string_view::npos) return false;
    at = sign + 1;
    if (at == line.size()) return true;
    if (line[at] == '\r') {
      odd.cr = true;
      if (way.cr_is_soft) return true;
    }
    const int high = hex_digit(line[at]);
    const int low = at + 1 < line.size() ? hex_digit(line[at + 1]) : -1;
    if (high >= 0 && low >= 0) {
      out += static_cast<char>(high * 16 + low);
      at += 2;
      continue;
    }
    odd.broken = true;
    if (line[at] == '=') {
      odd.pair = true;
      if (way.pair_is_one) ++at;
    }
    if (!way.drop_broken) out += '=';
  }
  return false;
}

std::string decode_quoted(std::string_view raw, const QuotedWay& way, QuotedOddities& odd) {
  std::string out;
  out.reserve(raw.size());
  while (!raw.empty()) {
    const size_t newline = raw.find('\n');
    std::string_view line = raw.substr(0, newline);
    std::string_view end = newline == std::string_view::npos ? std::string_view() : raw.substr(newline, 1);
    raw.remove_prefix(line.size() + end.size());
    if (line.ends_with('\r')) {
      end = {line.data() + line.size() - 1, end.size() + 1};
      line.remove_suffix(1);
    }
    if (!line.empty() && is_blank(line.back())) {
      odd.blanks = true;
      if (way.strip_blanks) line = line.substr(0, line.find_last_not_of(" \t") + 1);
    }
    if (!decode_quoted_line(line, way, out, odd)) out.append(end);
  }
  return out;
}

bool quoted_ways(std::string_view raw, Results& results) {
  QuotedOddities odd;
  if (!results.add(decode_quoted(raw, {}, odd))) return false;
  if (!odd.blanks && !odd.broken && !odd.cr) return true;
  for (unsigned bits = 1; bits < 16; ++bits) {
    const QuotedWay way{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};
    if ((way.strip_blanks && !odd.blanks) || (way.drop_broken && !odd.broken) ||
        (way.pair_is_one && !odd.pair) || (way.cr_is_soft && !odd.cr))
      continue;
    QuotedOddities ignored;
    if (!results.add(decode_quoted(raw, way, ignored))) return false;
  }
  return true;
}

}  // namespace

bool decode_base64_ways(std::string_view raw, const TakeDecoded& take) {
  Results results(take);
  const Base64Way usual;
  Base64Decoder decoder(raw, usual);
  if (!results.add(decoder.run())) return false;
  const Base64Oddities odd = decoder.oddities();
  if (!odd.padding && !odd.junk && !odd.url && !odd.lines && !odd.empty_line && !odd.rest) return true;
  for (const Base64Way& way : other_ways(odd))
    if (!results.add(Base64Decoder(raw, way).run())) return false;
  return true;
}

bool decode_quoted_printable_ways(std::string_view raw, const TakeDecoded& take) {
  Results results(take);
  if (!quoted_ways(raw, results)) return false;
  if (raw.find("=\r") == std::string_view::npos || !has_bare_cr(raw)) return true;
  // Some readers end a line at a CR of its own.
  std::string lines(raw);
  for (size_t at = 0; at < lines.size(); ++at)
    if (lines[at] == '\r' && (at + 1 == lines.size() || lines[at + 1] != '\n')) lines[at] = '\n';
  return quoted_ways(lines, results);
}

bool looks_like_base64(std::string_view text) {
  constexpr size_t kLeast = 20;
  text.remove_prefix(std::min(text.size(), text.find_first_not_of("\r\n")));
  std::string_view line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() < kLeast) return false;
  line = line.substr(0, line.find_last_not_of('=') + 1);
  return !line.empty() && std::all_of(line.begin(), line.end(),
                                      [](char c) { return kLetters[static_cast<uint8_t>(c)] < kPad; });
}

std::string decode_base64_plain(std::string_view raw) {
  const Base64Way usual;
  return Base64Decoder(raw, usual).run();
}

}  // namespace postern
