#include "receipt/hat_compile.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <unordered_map>

#include "lib/fd.h"
#include "lib/parameters.h"
#include "lib/text.h"
#include "receipt/hat_table.h"

namespace postern {

namespace {

// Each session of smtpd maps the whole of it, and has 128 MiB for everything.
constexpr uint64_t kTableLimitBytes = uint64_t{64} << 20;

Failure wrong(std::string_view file, size_t line, const std::string& why) {
  return permanent(std::string(file) + ":" + std::to_string(line) + ": " + why, 55, "5.3.5");
}

class Builder {
 public:
  Builder(const Policies& policies, std::string_view file, const CountryNetworks& countries)
      : policies_(policies), file_(file), countries_(countries) {}

  // All policies, since tcprules' environment may name any; their numbers are those of `policies`.
  void add_policies() {
    for (const PolicyLine& line : policies_.lines) add_policy(line);
  }

  Result<void> add(const HatGroup& group) {
    Result<uint32_t> policy = policy_of(group);
    if (!policy) return policy.failure();
    const auto number = static_cast<uint32_t>(groups_.size());
    hat::Group record{.name = keep(group.name),
                      .policy = *policy,
                      .first_condition = static_cast<uint32_t>(conditions_.size()),
                      .conditions = 0,
                      .has_names = 0,
                      .all_entry = hat::kNone};
    for (const HatEntry& entry : group.entries) {
      if (Result<void> added = add(entry, number, record); !added) return added;
    }
    record.conditions = static_cast<uint32_t>(conditions_.size()) - record.first_condition;
    groups_.push_back(record);
    return {};
  }

  // Whoever is in no group: as `ALL: ACCEPT`, since that is what everybody is told to expect.
  void add_rest() {
    const auto number = static_cast<uint32_t>(groups_.size());
    groups_.push_back({.name = keep("ALL"),
                       .policy = bare_policy(AccessRule::accept),
                       .first_condition = static_cast<uint32_t>(conditions_.size()),
                       .conditions = 0,
                       .has_names = 0,
                       .all_entry = static_cast<uint32_t>(entries_.size())});
    entries_.push_back({.text = keep("ALL"), .line = 0, .group = number});
  }

  Result<std::string> bytes() {
    sort_networks();
    std::sort(names_.begin(), names_.end(), [this](const hat::Name& a, const hat::Name& b) {
      const std::string_view first = text(a.name);
      const std::string_view second = text(b.name);
      return first != second ? first < second : a.entry < b.entry;
    });
    std::string all(sizeof(hat::Header), '\0');
    hat::Header header;
    std::copy(hat::kMagic.begin(), hat::kMagic.end(), header.magic);
    header.groups = put(all, groups_);
    header.entries = put(all, entries_);
    header.levels = put(all, levels_);
    header.networks = put(all, networks_);
    header.names = put(all, names_);
    header.conditions = put(all, conditions_);
    header.policies = put(all, policy_records_);
    header.strings = {.offset = static_cast<uint32_t>(all.size()),
                      .count = static_cast<uint32_t>(strings_.size())};
    all += strings_;
    if (all.size() > kTableLimitBytes) return too_large();
    header.size = static_cast<uint32_t>(all.size());
    std::memcpy(all.data(), &header, sizeof header);
    return all;
  }

 private:
  [[nodiscard]] Failure too_large() const {
    return permanent(
        std::string(file_) +
            ": the compiled table would be larger than 64 MiB, which smtpd could not open, so the "
            "old one stays; write networks in place of addresses, or name fewer countries",
        55, "5.3.5");
  }

  template <typename Record>
  static hat::Section put(std::string& all, const std::vector<Record>& records) {
    const hat::Section section{.offset = static_cast<uint32_t>(all.size()),
                               .count = static_cast<uint32_t>(records.size())};
    all.append(reinterpret_cast<const char*>(records.data()), records.size() * sizeof(Record));
    return section;
  }

  hat::Text keep(std::string_view text) {
    const auto [at, is_new] =
        kept_.try_emplace(std::string(text), hat::Text{.offset = static_cast<uint32_t>(strings_.size()),
                                                       .length = static_cast<uint32_t>(text.size())});
    if (is_new) strings_ += text;
    return at->second;
  }
  std::string_view text(const hat::Text& text) const {
    return std::string_view(strings_).substr(text.offset, text.length);
  }

  uint32_t add_policy(const PolicyLine& line) {
    std::string words;
    for (const std::string& word : line.words) {
      if (!words.empty()) words += '\0';
      words += word;
    }
    policy_records_.push_back({.name = keep(line.name),
                               .words = keep(words),
                               .line = static_cast<uint32_t>(line.line),
                               .rule = static_cast<uint32_t>(line.rule)});
    return static_cast<uint32_t>(policy_records_.size() - 1);
  }

  // A rule that stands alone has DEFAULT's parameters.
  uint32_t bare_policy(AccessRule rule) {
    const auto found = bare_.find(rule);
    if (found != bare_.end()) return found->second;
    const uint32_t number =
        add_policy({.name = {}, .line = 0, .rule = rule, .words = policies_.default_words});
    bare_.emplace(rule, number);
    return number;
  }

  Result<uint32_t> policy_of(const HatGroup& group) {
    if (group.policy.empty()) return bare_policy(group.rule);
    const PolicyLine* found = policies_.find(group.policy);
    if (found != nullptr) return static_cast<uint32_t>(found - policies_.lines.data());
    return wrong(
        file_, group.rule_line,
        "control/policies has no policy " + group.policy + "; add a line for it there, or name another one");
  }

  Result<void> add(const HatEntry& entry, uint32_t group, hat::Group& record) {
    const auto number = static_cast<uint32_t>(entries_.size());
    entries_.push_back({.text = keep(entry.text), .line = static_cast<uint32_t>(entry.line), .group = group});
    switch (entry.kind) {
      case HatKind::addresses:
        return add_networks(entry.networks, number);
      case HatKind::country: {
        Result<std::vector<AddressPrefix>> networks = countries_(entry.values);
        if (!networks)
          return wrong(file_, entry.line,
                       "\"" + printable(entry.text, 80) + "\": " + networks.failure().text);
        return add_networks(*networks, number);
      }
      case HatKind::name:
        record.has_names = 1;
        names_.push_back({.name = keep(entry.name), .entry = number});
        return {};
      case HatKind::all:
        record.all_entry = number;
        return {};
      case HatKind::owner:
        return {};
      case HatKind::score:
      case HatKind::no_score:
      case HatKind::dns_list:
      case HatKind::no_ptr:
      case HatKind::ptr_fails:
      case HatKind::differs:
      case HatKind::nowhere:
        break;
    }
    std::string what = entry.name;
    for (const std::string& value : entry.values) what += " " + value;
    conditions_.push_back({.kind = static_cast<uint32_t>(entry.kind),
                           .entry = number,
                           .lowest = entry.lowest,
                           .highest = entry.highest,
                           .text = keep(what)});
    return {};
  }

  // Those of countries count like those that are written.
  Result<void> add_networks(const std::vector<AddressPrefix>& networks, uint32_t entry) {
    network_count_ += networks.size();
    if (network_count_ * sizeof(hat::Network) > kTableLimitBytes) return too_large();
    for (const AddressPrefix& network : networks)
      by_length_.at(network.bits).push_back({.key = network.key, .entry = entry});
    return {};
  }

  void sort_networks() {
    for (size_t bits = 0; bits < by_length_.size(); ++bits) {
      std::vector<hat::Network>& networks = by_length_[bits];
      if (networks.empty()) continue;
      std::sort(networks.begin(), networks.end(), [](const hat::Network& a, const hat::Network& b) {
        return a.key != b.key ? a.key < b.key : a.entry < b.entry;
      });
      levels_.push_back({.bits = static_cast<uint32_t>(bits),
                         .first = static_cast<uint32_t>(networks_.size()),
                         .count = static_cast<uint32_t>(networks.size())});
      networks_.insert(networks_.end(), networks.begin(), networks.end());
    }
  }

  const Policies& policies_;
  std::string_view file_;
  const CountryNetworks& countries_;
  std::vector<hat::Group> groups_;
  std::vector<hat::Entry> entries_;
  std::array<std::vector<hat::Network>, kAddressBits + 1> by_length_;
  size_t network_count_ = 0;
  std::vector<hat::Level> levels_;
  std::vector<hat::Network> networks_;
  std::vector<hat::Name> names_;
  std::vector<hat::Condition> conditions_;
  std::vector<hat::Policy> policy_records_;
  std::map<AccessRule, uint32_t> bare_;
  std::unordered_map<std::string, hat::Text> kept_;
  std::string strings_;
};

}  // namespace

Result<std::string> compile_hat(const std::vector<HatGroup>& groups, const Policies& policies,
                                std::string_view file_name, const CountryNetworks& countries) {
  Builder builder(policies, file_name, countries);
  builder.add_policies();
  for (const HatGroup& group : groups) {
    if (Result<void> added = builder.add(group); !added) return added.failure();
  }
  builder.add_rest();
  return builder.bytes();
}

Result<void> write_hat(const std::string& path, std::string_view bytes) {
  const std::string directory = directory_of(path);
  const Fd lock{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!lock) return os_failure("open " + directory, errno);
  if (::flock(lock.get(), LOCK_EX) < 0) return os_failure("lock " + directory, errno);
  const std::string fresh = path + ".tmp";
  const Fd file{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644)};
  if (!file) return os_failure("make " + fresh, errno);
  Result<void> done = write_all(file.get(), bytes, "write " + fresh);
  if (done && ::fchmod(file.get(), 0644) < 0) done = os_failure("set the mode of " + fresh, errno);
  if (done) done = fsync_file(file.get(), "sync " + fresh);
  if (done && ::rename(fresh.c_str(), path.c_str()) < 0)
    done = os_failure("put " + path + " in place", errno);
  if (done) return fsync_directory(directory);
  ::unlink(fresh.c_str());
  return done;
}

bool may_have_a_hat(std::string_view listener) {
  return !listener.empty() && listener.size() <= 64 && is_parameter_name(listener) && listener != "bin";
}

std::string hat_file(std::string_view listener) {
  return listener.empty() ? "control/hat" : "control/hat." + std::string(listener);
}

}  // namespace postern
