// Bytes that came from anywhere, as JSON: what the tools print with --json.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace postern {

using Json = nlohmann::ordered_json;

// `name` as text. What is not UTF-8 in it becomes U+FFFD, and then the bytes are there too, as `name`_hex.
void put_bytes(Json& object, const std::string& name, std::string_view bytes);
// On one line, in ASCII alone.
std::string json_line(const Json& value);

}  // namespace postern
