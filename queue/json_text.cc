#include "queue/json_text.h"

namespace postern {

namespace {

std::string hex_of(std::string_view bytes) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kHex[byte >> 4];
    hex += kHex[byte & 15];
  }
  return hex;
}

}  // namespace

std::string json_line(const Json& value) {
  return value.dump(-1, ' ', true, Json::error_handler_t::replace);
}

void put_bytes(Json& object, const std::string& name, std::string_view bytes) {
  const std::string text(bytes);
  // What comes back other than it went was not UTF-8.
  const auto back = Json::parse(json_line(text)).get<std::string>();
  object[name] = back;
  if (back != text) object[name + "_hex"] = hex_of(bytes);
}

}  // namespace postern
