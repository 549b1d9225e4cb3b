#include "scanq/antivirus_engine.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string>

#include "lib/text.h"
#include "scanq/antivirus_scan.h"
#include "scanq/antivirus_scratch.h"

using namespace postern;

namespace {

const std::string kHeader =
    "Received: from a.example by b.example; Mon, 02 Jan 2006 15:04:05 +0000\n"
    "From: <a@example.org>\nTo: <b@example.org>\nSubject: hello\n\n";
constexpr const char* kWords = "xylophone at the start";
constexpr const char* kMailWords = "a zither in the mail";

// libclamav with two signatures: kWords at the very start of a file, kMailWords anywhere in a mail.
class RealEngine {
 public:
  RealEngine() {
    REQUIRE(::mkdtemp(directory_.data()) != nullptr);
    path_ = directory_ + "/start.ndb";
    std::FILE* file = std::fopen(path_.c_str(), "w");
    REQUIRE(file != nullptr);
    std::fprintf(file, "Start:0:0:%s\n", hexadecimal(kWords).c_str());
    std::fprintf(file, "Mail:4:*:%s\n", hexadecimal(kMailWords).c_str());
    REQUIRE(std::fclose(file) == 0);
    EngineSettings settings;
    settings.directory = directory_;
    settings.max_scan_bytes = settings.max_file_bytes = size_t{100} * 1024 * 1024;
    settings.max_recursion = 17;
    settings.max_files = 1000;
    settings.max_seconds = 100;
    Result<Engine> loaded = Engine::load(settings);
    REQUIRE(loaded);
    Result<Scratch> made = Scratch::make();
    REQUIRE(made);
    scratch = std::move(*made);
    engine = std::move(*loaded);
    engine->use_scratch(scratch->path());
  }
  RealEngine(const RealEngine&) = delete;
  RealEngine& operator=(const RealEngine&) = delete;
  ~RealEngine() {
    ::unlink(path_.c_str());
    ::rmdir(directory_.c_str());
  }

  [[nodiscard]] AntivirusVerdict look_at(const std::string& message) const {
    ScanBudget budget = engine->budget();
    return look_at(message, budget);
  }
  [[nodiscard]] AntivirusVerdict look_at(const std::string& message, ScanBudget& budget) const {
    return scan_message(message, {}, [&](std::string_view bytes, MailParser parser) {
      return engine->scan(bytes, parser, budget);
    });
  }

  std::optional<Scratch> scratch;
  std::optional<Engine> engine;

 private:
  std::string directory_ = "/tmp/postern-engine-test.XXXXXX";
  std::string path_;
};

std::string lines(size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += "one line of text like any other\n";
  return text;
}

}  // namespace

TEST_CASE("what is a virus as a file by itself is found as a plain body") {
  const RealEngine real;
  const std::string words = kWords;
  ScanBudget budget = real.engine->budget();
  CHECK(real.engine->scan(words, MailParser::on, budget).kind == AntivirusKind::infected);
  for (const std::string& message :
       {kHeader + words + "\n", kHeader + words, kHeader + words + "\r\n", "X: y\n\n" + words + "\n",
        kHeader + words + "\n" + lines(1 << 20), kHeader + words + std::string(1200, 'a') + "\n",
        "Content-Type: text/plain\n" + kHeader + words + "\n"}) {
    const std::string shown = message.substr(0, 300);
    CAPTURE(shown);
    CHECK(real.look_at(message).kind == AntivirusKind::infected);
  }
  CHECK(real.look_at(kHeader + "not " + words + "\n").kind == AntivirusKind::clean);
}

TEST_CASE("signatures for mail are matched against a plain message, header and body") {
  const RealEngine real;
  const std::string words = kMailWords;
  CHECK(real.look_at(kHeader + lines(1 << 20) + words + "\n").name == "Mail.UNOFFICIAL");
  CHECK(real.look_at("Received: from " + words + " by b.example\n" + kHeader + "hello\n").name ==
        "Mail.UNOFFICIAL");
  CHECK(real.look_at(kHeader + "hello\n").kind == AntivirusKind::clean);
}

TEST_CASE("what one message may take is spent by all its pieces") {
  const RealEngine real;
  ScanBudget late = real.engine->budget();
  late.deadline_milliseconds = 0;
  CHECK(real.look_at(kHeader + "hello\n", late).kind == AntivirusKind::limit);
  ScanBudget none{.bytes = 0, .deadline_milliseconds = real.engine->budget().deadline_milliseconds};
  const ScanResult result = real.engine->scan("hello", MailParser::on, none);
  CHECK(result.kind == AntivirusKind::limit);
  CHECK(result.spent);
  // A mail in the piece is unpacked from it: what that took is gone.
  ScanBudget budget = real.engine->budget();
  const uint64_t before = budget.bytes;
  CHECK(real.engine->scan(kHeader + lines(10000), MailParser::on, budget).kind == AntivirusKind::clean);
  CHECK(budget.bytes < before - 5000);
  CHECK_FALSE(real.engine->scan("hello", MailParser::on, budget).spent);
}
