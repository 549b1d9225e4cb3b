#include <doctest/doctest.h>

#include <array>
#include <string>

#include "lib/pool.h"
#include "lib/serve.h"
#include "scratch.h"

using namespace postern;

namespace {

Result<FormArguments> parsed(std::vector<std::string> words) {
  words.insert(words.begin(), "postern-some");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  ServeOptions defaults;
  defaults.workers = 7;
  defaults.workers_file = "concurrencylocal";
  return parse_form_arguments(static_cast<int>(argv.size()), argv.data(), defaults);
}

unsigned workers(const std::vector<std::string>& words) {
  Result<FormArguments> arguments = parsed(words);
  REQUIRE(arguments.ok());
  return arguments->options.workers;
}

}  // namespace

TEST_CASE("a resident has as many workers as --workers says, else its control file, within bounds") {
  const ScratchHome home;
  CHECK(workers({"--serve"}) == 7);
  for (const auto& tried : {std::pair("12\nprose\n", 12U), std::pair("20 \n", 20U), std::pair("0\n", 1U),
                            std::pair("5000\n", kMostWorkers)}) {
    const auto& line = tried.first;
    const auto& number = tried.second;
    CAPTURE(line);
    home.write("control/concurrencylocal", line);
    CHECK(workers({"--serve"}) == number);
    CHECK(workers({"--serve", "--workers", "3"}) == 3);
  }
}

TEST_CASE("a control file of workers that holds no number is named, and only where it counts") {
  const ScratchHome home;
  home.write("control/concurrencylocal", "many\n");
  const Result<FormArguments> arguments = parsed({"--serve"});
  REQUIRE_FALSE(arguments.ok());
  CHECK_FALSE(arguments.failure().permanent());
  CHECK(arguments.failure().text.find("control/concurrencylocal:1: \"many\"") != std::string::npos);
  CHECK(parsed({"--serve", "--workers", "3"}).ok());
  CHECK(parsed({"sender", "recipient"}).ok());
}
