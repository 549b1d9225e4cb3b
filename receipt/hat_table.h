// A Host Access Table as `postern-hat compile` leaves it in control/hat.bin: a constant file that is mapped
// into memory, of which a look-up touches few pages however long it is (INTERNALS.md, The Host Access Table).
//
//   header    magic, size, and for each section its offset and how many records it has
//   sections  groups, entries, levels (one for each length of a network), networks (20 bytes each, sorted
//             within their level), names (sorted), conditions, policies, strings
//
// Numbers are those of the machine that it was made on. A table that is no table is a failure when it is
// opened; one whose records point outside of it is found `damaged()` after it was used.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"
#include "receipt/address_prefix.h"
#include "receipt/hat_source.h"
#include "receipt/policies.h"

namespace postern {

namespace hat {

constexpr std::string_view kMagic = "PostHat1";
constexpr uint32_t kNone = UINT32_MAX;

struct Section {
  uint32_t offset = 0;  // of the first record, from the beginning of the file
  uint32_t count = 0;
};
struct Text {  // in the strings
  uint32_t offset = 0;
  uint32_t length = 0;
};
struct Header {
  char magic[8] = {};
  uint32_t size = 0;
  Section groups, entries, levels, networks, names, conditions, policies, strings;
};
struct Group {
  Text name;
  uint32_t policy = 0;
  uint32_t first_condition = 0;
  uint32_t conditions = 0;
  uint32_t has_names = 0;
  uint32_t all_entry = kNone;  // the entry ALL
};
struct Entry {
  Text text;
  uint32_t line = 0;
  uint32_t group = 0;
};
struct Level {  // the networks of one length
  uint32_t bits = 0;
  uint32_t first = 0;
  uint32_t count = 0;
};
struct Network {
  AddressKey key{};
  uint32_t entry = 0;
};
struct Name {
  Text name;
  uint32_t entry = 0;
};
struct Condition {
  uint32_t kind = 0;  // HatKind
  uint32_t entry = 0;
  int32_t lowest = 0;
  int32_t highest = 0;
  Text text;  // of a DNS list: its zone, then the answers that count, each behind a blank
};
struct Policy {
  Text name;
  Text words;  // NUL between them
  uint32_t line = 0;
  uint32_t rule = 0;  // AccessRule
};
static_assert(sizeof(Header) == 76 && sizeof(Group) == 28 && sizeof(Entry) == 16 && sizeof(Level) == 12 &&
              sizeof(Network) == 20 && sizeof(Name) == 12 && sizeof(Condition) == 24 && sizeof(Policy) == 24);

}  // namespace hat

class HatTable {
 public:
  // Nothing when there is no such file.
  static Result<std::optional<HatTable>> open(const std::string& path);
  // For tests and tools: the bytes must outlive the table, and stand at an address divisible by 4.
  static Result<HatTable> of_bytes(std::string_view bytes, std::string path);

  struct Hit {
    uint32_t group;
    uint32_t entry;
    bool operator==(const Hit&) const = default;
  };
  // Of each group that has the address the first entry, by group.
  [[nodiscard]] std::vector<Hit> find_address(const AddressKey& address) const;
  // The same for a host's name, in lower case: itself, then ".b.c" and ".c" of "a.b.c".
  [[nodiscard]] std::vector<Hit> find_name(std::string_view name) const;

  [[nodiscard]] std::span<const hat::Group> groups() const { return groups_; }
  [[nodiscard]] std::span<const hat::Condition> conditions(const hat::Group& group) const;
  [[nodiscard]] std::string_view text(const hat::Text& text) const;
  [[nodiscard]] const hat::Entry& entry(uint32_t number) const;
  [[nodiscard]] Result<PolicyLine> policy(uint32_t number) const;
  [[nodiscard]] Result<std::optional<PolicyLine>> find_policy(std::string_view name) const;
  [[nodiscard]] size_t entry_count() const { return entries_.size(); }

  // Something pointed outside: what was found is not to be believed.
  [[nodiscard]] bool damaged() const { return damaged_; }
  [[nodiscard]] Failure damage() const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Unmap {
    size_t size;
    Unmap() : size(0) {}
    explicit Unmap(size_t bytes) : size(bytes) {}
    void operator()(const char* bytes) const;
  };
  HatTable(std::string_view bytes, std::string path) : bytes_(bytes), path_(std::move(path)) {}
  Result<void> look_at_header();
  template <typename Record>
  bool place(const hat::Section& section, std::span<const Record>& records);
  void add_hit(uint32_t entry, std::vector<Hit>& hits) const;

  std::string_view bytes_;
  std::string path_;
  std::unique_ptr<const char, Unmap> mapped_;
  std::span<const hat::Group> groups_;
  std::span<const hat::Entry> entries_;
  std::span<const hat::Level> levels_;
  std::span<const hat::Network> networks_;
  std::span<const hat::Name> names_;
  std::span<const hat::Condition> conditions_;
  std::span<const hat::Policy> policies_;
  std::span<const char> strings_;
  mutable bool damaged_ = false;
};

}  // namespace postern
