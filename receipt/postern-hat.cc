// postern-hat - compile the Host Access Tables, and say what one makes of a client.
//
//   usage      postern-hat compile | check
//              postern-hat test [--listener NAME] [--json] [--score N|none] [--resolver ADDR:PORT | --dns
//              FILE]
//                               ADDRESS [HOST]
//   reads      control/hat, control/hat.LISTENER, control/policies, control/countrydb; test: the compiled
//              table, as smtpd does
//   writes     compile: control/hat.bin, control/hat.LISTENER.bin, each in one step
//   fd 1 out   test: what was found
//   exit       0 done, 100 wrong usage or a table is wrong (the compiled ones stay), 111 try again

#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "lib/control.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/text.h"
#include "receipt/countries.h"
#include "receipt/hat_files.h"
#include "receipt/hat_report.h"

namespace postern {
namespace {

constexpr std::string_view kUsage =
    "usage: postern-hat compile | check | test [--listener NAME] [--json] [--score N|none] [--resolver "
    "ADDR:PORT "
    "| --dns FILE] ADDRESS [HOST]";

int fail(const std::string& doing, const Failure& failure) {
  log_critical(doing, failure.text);
  return failure.permanent() ? 100 : 111;
}

// Whoever removes a table does not want it to hold.
Result<void> remove_tables(const std::vector<std::string>& listeners) {
  for (const std::string& listener : listeners) {
    const std::string path = home_path(hat_file(listener) + ".bin");
    if (::unlink(path.c_str()) < 0 && errno != ENOENT) return os_failure("remove " + path, errno);
    log_info(path + " is removed: there is no " + hat_file(listener) + " any more");
  }
  return {};
}

// All tables are made before the first one is put in place: they hold together, or none of the new ones does.
int compile(bool write) {
  Result<std::vector<std::string>> listeners = hat_listeners();
  if (!listeners) return fail("find the tables", listeners.failure());
  Result<std::vector<std::string>> removed = hats_without_text();
  if (!removed) return fail("find the compiled tables", removed.failure());
  if (listeners->empty() && removed->empty())
    return fail("compile", permanent("there is no " + home_path("control/hat")));
  std::vector<std::string> tables;
  for (const std::string& listener : *listeners) {
    std::vector<std::string> warnings;
    Result<std::string> made = make_hat(listener, countries_of_database(), warnings);
    if (!made) return fail("compile " + hat_file(listener), made.failure());
    for (const std::string& warning : warnings) log_info(warning);
    tables.push_back(std::move(*made));
  }
  for (size_t i = 0; write && i < tables.size(); ++i) {
    const std::string path = home_path(hat_file((*listeners)[i]) + ".bin");
    if (Result<void> wrote = write_hat(path, tables[i]); !wrote)
      return fail("write " + path, wrote.failure());
  }
  if (!write) return 0;
  if (Result<void> done = remove_tables(*removed); !done) return fail("compile", done.failure());
  return 0;
}

std::optional<HatInquiry> parse_inquiry(const std::vector<std::string_view>& words) {
  HatInquiry inquiry;
  std::vector<std::string_view> names;
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const auto value = [&] { return i + 1 < words.size() ? words[++i] : std::string_view(); };
    if (word == "--json") {
      inquiry.json = true;
    } else if (word == "--listener") {
      inquiry.listener = value();
    } else if (word == "--dns" || word == "--resolver") {
      inquiry.dns = "postern-dnsq " + std::string(word) + " " + std::string(value());
    } else if (word == "--score") {
      const std::string_view said = value();
      inquiry.score = said == "none" ? std::nullopt : parse_score(said);
      inquiry.has_score = true;
      if (said != "none" && !inquiry.score) return std::nullopt;
    } else if (word.starts_with("--")) {
      return std::nullopt;
    } else {
      names.push_back(word);
    }
  }
  const std::optional<AddressKey> address = names.empty() ? std::nullopt : parse_address(names[0]);
  if (!address || names.size() > 2) return std::nullopt;
  inquiry.address = *address;
  if (names.size() == 2) inquiry.host = names[1];
  return inquiry;
}

int test(const std::vector<std::string_view>& words) {
  const std::optional<HatInquiry> inquiry = parse_inquiry(words);
  if (!inquiry) {
    log_critical("start", kUsage);
    return 100;
  }
  Result<std::string> text = report_on_client(*inquiry);
  if (!text) return fail("test a client", text.failure());
  Result<void> said = write_all(1, *text, "print the answer");
  return said ? 0 : fail("print the answer", said.failure());
}

int run(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  if (words.size() == 1 && words[0] == "compile") return compile(true);
  if (words.size() == 1 && words[0] == "check") return compile(false);
  if (words.size() > 1 && words[0] == "test") return test(words);
  log_critical("start", kUsage);
  return 100;
}

}  // namespace
}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-hat", {}, postern::run, argc, argv);
}
