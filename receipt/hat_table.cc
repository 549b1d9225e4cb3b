#include "receipt/hat_table.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr int kCannotRead = 55;  // qmail-queue(8): unable to read a configuration file
constexpr hat::Entry kNoEntry{};

// The first entry of each group, by group.
void tidy(std::vector<HatTable::Hit>& hits) {
  std::sort(hits.begin(), hits.end(), [](const HatTable::Hit& a, const HatTable::Hit& b) {
    return a.group != b.group ? a.group < b.group : a.entry < b.entry;
  });
  hits.erase(std::unique(hits.begin(), hits.end(),
                         [](const HatTable::Hit& a, const HatTable::Hit& b) { return a.group == b.group; }),
             hits.end());
}

}  // namespace

void HatTable::Unmap::operator()(const char* bytes) const {
  ::munmap(const_cast<char*>(bytes), size);
}

Failure HatTable::damage() const {
  return temporary("read " + path_ + ": it is damaged; make it anew with postern-hat compile", kCannotRead,
                   "4.3.5");
}

Result<std::optional<HatTable>> HatTable::open(const std::string& path) {
  const Fd file{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  if (!file && errno == ENOENT) return std::optional<HatTable>();
  if (!file) return os_failure("open " + path, errno, kCannotRead);
  struct stat status {};
  if (::fstat(file.get(), &status) < 0) return os_failure("look at " + path, errno, kCannotRead);
  const auto size = static_cast<size_t>(status.st_size);
  if (size < sizeof(hat::Header)) return HatTable({}, path).damage();
  void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
  if (mapped == MAP_FAILED) return os_failure("map " + path, errno, kCannotRead);
  HatTable table({static_cast<const char*>(mapped), size}, path);
  table.mapped_ = std::unique_ptr<const char, Unmap>(static_cast<const char*>(mapped), Unmap{size});
  if (Result<void> looked = table.look_at_header(); !looked) return looked.failure();
  return std::optional<HatTable>(std::move(table));
}

Result<HatTable> HatTable::of_bytes(std::string_view bytes, std::string path) {
  HatTable table(bytes, std::move(path));
  if (Result<void> looked = table.look_at_header(); !looked) return looked.failure();
  return table;
}

template <typename Record>
bool HatTable::place(const hat::Section& section, std::span<const Record>& records) {
  const uint64_t end = section.offset + uint64_t{section.count} * sizeof(Record);
  if (end > bytes_.size() || section.offset % alignof(Record) != 0) return false;
  records = {reinterpret_cast<const Record*>(bytes_.data() + section.offset), section.count};
  return true;
}

Result<void> HatTable::look_at_header() {
  hat::Header header;
  if (bytes_.size() < sizeof header) return damage();
  std::memcpy(&header, bytes_.data(), sizeof header);
  if (std::string_view(header.magic, sizeof header.magic) != hat::kMagic || header.size != bytes_.size())
    return damage();
  const bool fits = place(header.groups, groups_) && place(header.entries, entries_) &&
                    place(header.levels, levels_) && place(header.networks, networks_) &&
                    place(header.names, names_) && place(header.conditions, conditions_) &&
                    place(header.policies, policies_) && place(header.strings, strings_);
  if (!fits) return damage();
  return {};
}

std::string_view HatTable::text(const hat::Text& text) const {
  if (uint64_t{text.offset} + text.length > strings_.size()) {
    damaged_ = true;
    return {};
  }
  return {strings_.data() + text.offset, text.length};
}

const hat::Entry& HatTable::entry(uint32_t number) const {
  if (number < entries_.size()) return entries_[number];
  damaged_ = true;
  return kNoEntry;
}

std::span<const hat::Condition> HatTable::conditions(const hat::Group& group) const {
  if (uint64_t{group.first_condition} + group.conditions <= conditions_.size())
    return conditions_.subspan(group.first_condition, group.conditions);
  damaged_ = true;
  return {};
}

void HatTable::add_hit(uint32_t number, std::vector<Hit>& hits) const {
  const uint32_t group = entry(number).group;
  if (group >= groups_.size()) damaged_ = true;
  hits.push_back({group, number});
}

std::vector<HatTable::Hit> HatTable::find_address(const AddressKey& address) const {
  std::vector<Hit> hits;
  const bool four = is_ipv4(address);
  for (const hat::Level& level : levels_) {
    if (level.bits > kAddressBits || uint64_t{level.first} + level.count > networks_.size()) {
      damaged_ = true;
      break;
    }
    // ::/0 is all of IPv6, and nothing of IPv4.
    if (four && level.bits < kIpv4Bits) continue;
    const AddressKey key = masked(address, level.bits);
    const std::span<const hat::Network> networks = networks_.subspan(level.first, level.count);
    auto network =
        std::lower_bound(networks.begin(), networks.end(), key,
                         [](const hat::Network& one, const AddressKey& wanted) { return one.key < wanted; });
    for (; network != networks.end() && network->key == key; ++network) add_hit(network->entry, hits);
  }
  tidy(hits);
  return hits;
}

std::vector<HatTable::Hit> HatTable::find_name(std::string_view name) const {
  std::vector<Hit> hits;
  for (size_t at = 0; at != std::string_view::npos; at = name.find('.', at + 1)) {
    const std::string_view wanted = name.substr(at);
    auto found = std::lower_bound(
        names_.begin(), names_.end(), wanted,
        [this](const hat::Name& one, std::string_view other) { return text(one.name) < other; });
    for (; found != names_.end() && text(found->name) == wanted && !damaged_; ++found)
      add_hit(found->entry, hits);
  }
  tidy(hits);
  return hits;
}

Result<PolicyLine> HatTable::policy(uint32_t number) const {
  if (number >= policies_.size()) return damage();
  const hat::Policy& policy = policies_[number];
  PolicyLine line{.name = std::string(text(policy.name)),
                  .line = policy.line,
                  .rule = static_cast<AccessRule>(policy.rule),
                  .words = {}};
  if (policy.rule > static_cast<uint32_t>(AccessRule::go_on)) return damage();
  const std::string_view words = text(policy.words);
  if (!words.empty())
    for (const std::string_view word : split(words, '\0')) line.words.emplace_back(word);
  if (damaged_) return damage();
  return line;
}

Result<std::optional<PolicyLine>> HatTable::find_policy(std::string_view name) const {
  for (uint32_t i = 0; i < policies_.size(); ++i) {
    if (name.empty() || !equal_ignoring_case(text(policies_[i].name), name)) continue;
    Result<PolicyLine> line = policy(i);
    if (!line) return line.failure();
    return std::optional<PolicyLine>(std::move(*line));
  }
  return std::optional<PolicyLine>();
}

}  // namespace postern
