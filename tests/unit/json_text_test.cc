#include "lib/json_text.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;
using namespace std::string_literals;

TEST_CASE("any bytes become well-formed JSON in ASCII, and none are lost") {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  for (const std::string& bytes :
       {""s, "plain"s, "\"\\/\b\f\n\r\t\x7f\0"s, "caf\xc3\xa9"s, "\xf0\x9f\x93\xa8"s, "\xff"s, "\xc3"s,
        "a\xe2\x82"s, "\xed\xa0\x80"s, "\xc0\xaf"s, "\xf4\x90\x80\x80"s, every}) {
    Json object;
    put_bytes(object, "address", bytes);
    const std::string line = json_line(object);
    CAPTURE(line);
    for (const char c : line) CHECK((c >= 0x20 && c < 0x7f));
    REQUIRE(Json::accept(line));
    const Json read = Json::parse(line);
    if (read.contains("address_hex")) {
      const std::string hex = read["address_hex"].get<std::string>();
      REQUIRE(hex.size() == bytes.size() * 2);
      std::string back;
      for (size_t i = 0; i < hex.size(); i += 2)
        back += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
      CHECK(back == bytes);
    } else {
      CHECK(read["address"].get<std::string>() == bytes);
    }
  }
}

TEST_CASE("what is UTF-8 needs no second form") {
  Json object;
  put_bytes(object, "address", "caf\xc3\xa9@example.org");
  CHECK(object.size() == 1);
  put_bytes(object, "sender", "\xe9@example.org");
  CHECK(object["sender_hex"] == "e9406578616d706c652e6f7267");
}
