#include "receipt/countries.h"

#include <maxminddb.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "lib/control.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr const char* kDefaultDatabase = "/var/lib/GeoIP/GeoLite2-Country.mmdb";  // Debian's geoipupdate
constexpr std::string_view kRemedy =
    "; write the path of a database of countries in MaxMind's form to control/countrydb";
constexpr unsigned kDeepest = kAddressBits;

class Database {
 public:
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() {
    if (open_) ::MMDB_close(&mmdb_);
  }

  Result<void> open(const std::string& path) {
    const int status = ::MMDB_open(path.c_str(), MMDB_MODE_MMAP, &mmdb_);
    open_ = status == MMDB_SUCCESS;
    if (!open_) return permanent(path + ": " + ::MMDB_strerror(status) + std::string(kRemedy));
    return {};
  }

  Result<std::vector<AddressPrefix>> networks(const std::vector<std::string>& codes) {
    std::vector<AddressPrefix> found;
    // Left and right of a node, without recursion.
    std::vector<Node> waiting = {{.number = 0, .key = {}, .bits = 0}};
    const unsigned deepest = mmdb_.metadata.ip_version == 4 ? kAddressBits - kIpv4Bits : kDeepest;
    while (!waiting.empty()) {
      const Node node = waiting.back();
      waiting.pop_back();
      MMDB_search_node_s pair{};
      if (node.bits >= deepest || ::MMDB_read_node(&mmdb_, node.number, &pair) != MMDB_SUCCESS)
        return permanent("the database of countries is damaged; fetch it anew");
      take(pair.left_record_type, pair.left_record, pair.left_record_entry, node, false, codes, found,
           waiting);
      take(pair.right_record_type, pair.right_record, pair.right_record_entry, node, true, codes, found,
           waiting);
    }
    return found;
  }

 private:
  struct Node {
    uint32_t number;
    AddressKey key;  // as the tree has it: IPv4 in ::/96, or from the first bit on
    unsigned bits;
  };

  void take(uint8_t type, uint64_t record, MMDB_entry_s entry, const Node& above, bool right,
            const std::vector<std::string>& codes, std::vector<AddressPrefix>& found,
            std::vector<Node>& waiting) {
    Node here = above;
    if (right)
      here.key[above.bits / 8] =
          static_cast<unsigned char>(here.key[above.bits / 8] | 0x80 >> above.bits % 8);
    ++here.bits;
    if (type == MMDB_RECORD_TYPE_SEARCH_NODE) {
      here.number = static_cast<uint32_t>(record);
      // 6to4, Teredo and mapped addresses are other ways to the tree of IPv4; those it has once are enough.
      const bool four_again = mmdb_.metadata.ip_version == 6 &&
                              here.number == mmdb_.ipv4_start_node.node_value && here.key != AddressKey{};
      if (!four_again) waiting.push_back(here);
    } else if (type == MMDB_RECORD_TYPE_DATA && is_of(record, entry, codes)) {
      found.push_back(network_of(here));
    }
  }

  AddressPrefix network_of(const Node& node) const {
    static const AddressKey kMapped = *parse_address("0.0.0.0");
    AddressKey key = node.key;
    unsigned bits = node.bits;
    if (mmdb_.metadata.ip_version == 4) {
      std::copy_n(node.key.begin(), 4, std::copy_n(kMapped.begin(), 12, key.begin()));
      bits += kIpv4Bits;
    } else if (bits >= kIpv4Bits && masked(key, kIpv4Bits) == AddressKey{}) {
      std::copy_n(kMapped.begin(), 12, key.begin());
    }
    return {.key = key, .bits = static_cast<uint8_t>(bits)};
  }

  bool is_of(uint64_t record, MMDB_entry_s entry, const std::vector<std::string>& codes) {
    const auto [known, is_new] = known_.try_emplace(record, false);
    if (is_new) {
      const std::string code = code_of(entry);
      known->second = std::find(codes.begin(), codes.end(), code) != codes.end();
    }
    return known->second;
  }

  static std::string code_of(MMDB_entry_s entry) {
    for (const char* which : {"country", "registered_country"}) {
      MMDB_entry_data_s data{};
      if (::MMDB_get_value(&entry, &data, which, "iso_code", nullptr) == MMDB_SUCCESS && data.has_data &&
          data.type == MMDB_DATA_TYPE_UTF8_STRING)
        return {data.utf8_string, data.data_size};
    }
    return {};
  }

  MMDB_s mmdb_{};
  bool open_ = false;
  std::unordered_map<uint64_t, bool> known_;
};

}  // namespace

Result<std::vector<AddressPrefix>> country_networks(const std::string& path,
                                                    const std::vector<std::string>& codes) {
  Database database;
  if (Result<void> opened = database.open(path); !opened) return opened.failure();
  return database.networks(codes);
}

CountryNetworks countries_of_database() {
  return [](const std::vector<std::string>& codes) -> Result<std::vector<AddressPrefix>> {
    Result<std::string> path = control_line_or("countrydb", kDefaultDatabase);
    if (!path) return path.failure();
    return country_networks(*path, codes);
  };
}

}  // namespace postern
