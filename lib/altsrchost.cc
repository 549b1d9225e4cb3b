#include "lib/altsrchost.h"

#include <algorithm>
#include <optional>

#include "lib/envelope.h"
#include "lib/next_hop.h"
#include "lib/parameters.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr uint64_t kMostWeight = 1000;
constexpr size_t kSourcesLimit = 64;  // of one gateway
constexpr std::string_view kTagPrefix = "tag=";
constexpr std::string_view kGroupPrefix = "group=";
constexpr std::string_view kNullSender = "<>";

bool is_word_of(std::string_view text, std::string_view others, bool small) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (small && c >= 'a' && c <= 'z') ||
           others.find(c) != std::string_view::npos;
  });
}

bool is_host_name(std::string_view text) {
  return text.size() <= 253 && is_word_of(text, "-._[]:", true);
}

Result<SourceAddress> parse_source(std::string_view text) {
  SourceAddress source;
  const std::vector<std::string_view> fields = split(text, ',');
  source.address = address_literal(fields[0]);
  if (source.address.empty())
    return temporary("\"" + printable(fields[0], 80) +
                     "\" is neither an address nor the name of a pool; write an address, or add a line: pool "
                     "NAME ADDRESS...");
  for (size_t i = 1; i < fields.size(); ++i) {
    const std::optional<uint64_t> weight = parse_number(fields[i]);
    const bool last = i + 1 == fields.size();
    if (weight && last && *weight >= 1 && *weight <= kMostWeight) {
      source.weight = static_cast<unsigned>(*weight);
    } else if (!weight && i == 1 && is_host_name(fields[i])) {
      source.hello = fields[i];
    } else {
      return temporary(
          "\"" + printable(text, 120) +
          "\" should be ADDRESS,NAME,WEIGHT; the name for EHLO and the weight, 1 to 1000, may be "
          "left out");
    }
  }
  return source;
}

Result<Gateway> parse_sources(const std::vector<std::string_view>& word, size_t from) {
  Gateway gateway;
  for (size_t i = from; i < word.size(); ++i) {
    Result<SourceAddress> source = parse_source(word[i]);
    if (!source) return source.failure();
    gateway.name += (gateway.name.empty() ? "" : " ") + source->address;
    gateway.sources.push_back(std::move(*source));
  }
  if (gateway.sources.empty()) return temporary("it names no address; write KEY ADDRESS or KEY POOL");
  if (gateway.sources.size() > kSourcesLimit)
    return temporary("it names more than " + std::to_string(kSourcesLimit) + " addresses");
  return gateway;
}

// The form in which a key is looked up; empty: it is none.
std::string normal_key(std::string_view key) {
  if (key == kNullSender || key == "*") return std::string(key);
  if (key.starts_with(kGroupPrefix)) return key.size() > kGroupPrefix.size() ? std::string(key) : "";
  const size_t at = key.rfind('@');
  if (at == std::string_view::npos) return address_literal(key);
  const bool complete = key.size() > 1 && key != "@." && key.find_first_of("<>,") == std::string_view::npos;
  return complete ? lower(key) : "";
}

}  // namespace

std::string_view untagged_sender(std::string_view sender) {
  static constexpr std::string_view kPrefix = "prvs=";
  static constexpr size_t kTagBytes = 10;
  if (!equal_ignoring_case(sender.substr(0, kPrefix.size()), kPrefix)) return sender;
  const std::string_view rest = sender.substr(kPrefix.size());
  const bool tagged = rest.size() > kTagBytes && rest[kTagBytes] == '=' &&
                      rest.find_first_not_of("0123456789abcdefABCDEF") == kTagBytes;
  return tagged ? rest.substr(kTagBytes + 1) : sender;
}

Result<Gateways> Gateways::parse(std::string_view text, std::string_view file_name) {
  Gateways table;
  size_t number = 0;
  const auto wrong = [&](const std::string& why) {
    return temporary(printable(file_name) + ":" + std::to_string(number) + ": " + why, 55, "4.3.5");
  };
  // Pools first: a line may name one that stands below it.
  for (const bool pools : {true, false}) {
    for (const ParameterLine& line : parameter_lines(text)) {
      number = line.number;
      const std::vector<std::string_view>& word = line.words;
      if ((word[0] == "pool") != pools) continue;
      if (pools) {
        if (word.size() < 2 || !is_word_of(word[1], "-_", true) || !address_literal(word[1]).empty())
          return wrong("a pool reads: pool NAME ADDRESS..., with a name of A-Z, a-z, 0-9, - and _");
        Result<Gateway> pool = parse_sources(word, 2);
        if (!pool) return wrong(pool.failure().text);
        pool->name = word[1];
        if (!table.pools_.try_emplace(std::string(word[1]), std::move(*pool)).second)
          return wrong("there is a pool of that name before");
        continue;
      }
      const auto pool = word.size() == 2 ? table.pools_.find(word[1]) : table.pools_.end();
      Result<Gateway> gateway =
          pool != table.pools_.end() ? Result<Gateway>(pool->second) : parse_sources(word, 1);
      if (!gateway) return wrong(gateway.failure().text);
      if (word[0].starts_with(kTagPrefix)) {
        const std::string_view tag = word[0].substr(kTagPrefix.size());
        const size_t colon = tag.find(':');
        if (!is_word_of(tag.substr(0, colon), "_", false))
          return wrong("a tag reads tag=NAME or tag=NAME:VALUE, with a name of A-Z, 0-9 and _");
        const bool any_value = colon == std::string_view::npos;
        table.tags_.push_back({"POSTERN_TAG_" + std::string(tag.substr(0, colon)),
                               any_value ? "" : std::string(tag.substr(colon + 1)), any_value,
                               std::move(*gateway)});
        continue;
      }
      const std::string key = normal_key(word[0]);
      if (key.empty())
        return wrong("\"" + printable(word[0], 80) +
                     "\" is no key; there are user@domain, user@, @domain, @.domain, <>, a client's address, "
                     "group=NAME, tag=NAME and *");
      if (!table.lines_.try_emplace(key, std::move(*gateway)).second)
        return wrong("there is a line for \"" + printable(word[0], 80) + "\" before");
    }
  }
  return table;
}

const Gateway* Gateways::find(const std::string& key) const {
  const auto found = lines_.find(key);
  return found == lines_.end() ? nullptr : &found->second;
}

const Gateway* Gateways::of_tags(const Environment& message) const {
  for (const TagLine& line : tags_) {
    const std::optional<std::string_view> value = message.get(line.variable);
    if (value && (line.any_value || *value == line.value)) return &line.gateway;
  }
  return nullptr;
}

const Gateway* Gateways::of_sender(std::string_view sender) const {
  const std::string whole = lower(untagged_sender(sender));
  const std::string domain = domain_of(whole);
  if (domain.empty()) return nullptr;
  if (const Gateway* found = find(whole)) return found;
  if (const Gateway* found = find(std::string(local_part_of(whole)) + "@")) return found;
  if (const Gateway* found = find("@" + domain)) return found;
  for (size_t dot = domain.find('.'); dot != std::string::npos; dot = domain.find('.', dot + 1)) {
    if (const Gateway* found = find("@" + domain.substr(dot))) return found;
  }
  return nullptr;
}

// A single address; its name is what a pool or a line has for it.
Gateway Gateways::of_order(std::string_view address) const {
  Gateway gateway{std::string(address), {{std::string(address), "", 1}}};
  const auto take_name = [&](const Gateway& other) {
    for (const SourceAddress& source : other.sources) {
      if (source.address == address && gateway.sources[0].hello.empty())
        gateway.sources[0].hello = source.hello;
    }
  };
  for (const auto& [name, pool] : pools_) take_name(pool);
  for (const auto& [key, line] : lines_) take_name(line);
  for (const TagLine& line : tags_) take_name(line.gateway);
  return gateway;
}

Result<Gateway> Gateways::choose(std::string_view sender, const Environment& message) const {
  if (const std::string ordered = message.get_or("POSTERN_SOURCE", ""); !ordered.empty()) {
    const std::string address = address_literal(ordered);
    if (!address.empty()) return of_order(address);
    if (const auto pool = pools_.find(ordered); pool != pools_.end()) return pool->second;
    return temporary("a stage chose the source \"" + printable(ordered, 80) +
                         "\", which is neither an address nor a pool of control/altsrchost",
                     0, "4.3.5");
  }
  const Gateway* found = of_tags(message);
  if (found == nullptr && is_notification_sender(sender)) found = find(std::string(kNullSender));
  if (found == nullptr) found = find(address_literal(message.get_or("TCPREMOTEIP", "")));
  if (found == nullptr) found = of_sender(sender);
  if (found == nullptr) found = find(std::string(kGroupPrefix) + message.get_or("POSTERN_SENDERGROUP", ""));
  if (found == nullptr) found = find("*");
  return found == nullptr ? Gateway{} : *found;
}

}  // namespace postern
