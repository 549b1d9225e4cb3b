#include "lib/json_text.h"

#include "lib/text.h"

namespace postern {

std::string json_line(const Json& value) {
  return value.dump(-1, ' ', true, Json::error_handler_t::replace);
}

void put_bytes(Json& object, const std::string& name, std::string_view bytes) {
  const std::string text(bytes);
  // What comes back other than it went was not UTF-8.
  const auto back = Json::parse(json_line(text)).get<std::string>();
  object[name] = back;
  if (back != text) object[name + "_hex"] = hexadecimal(bytes);
}

}  // namespace postern
