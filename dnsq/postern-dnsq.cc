// postern-dnsq - answer questions to the DNS, cached and validated.
//
//   args       mx NAME | ip NAME | ptr ADDRESS | txt NAME | tlsa NAME | any TYPE NAME
//              --resolver ADDR:PORT, --dns FILE, --trust-anchor FILE before them
//              --serve [--clients UID,..]: resident, one question a request
//   fd 1 out   the answer: lines, see postern-dnsq(8)
//   fd 3 in    the listening socket, with --serve
//   env        POSTERN_HOME                 user   posternn
//   exit       0 answered ("no such name" is an answer), 100 no such question, 111 no answer: ask again later

#include <poll.h>

#include <algorithm>

#include "dnsq/dns_file.h"
#include "dnsq/dns_service.h"
#include "dnsq/inquiry.h"
#include "dnsq/unbound_source.h"
#include "lib/child.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/program.h"

namespace postern {

namespace {

struct SourceOptions {
  std::string dns_file;
  std::string resolver;
  std::string trust_anchor_file;
};

int run(int argc, char** argv);                                       // the job, top to bottom:
Result<SourceOptions> take_options(std::vector<std::string>& words);  //   off the front of the arguments
Result<std::unique_ptr<DnsSource>> open_source(SourceOptions);        //   a file, or the network
int answer_once(DnsSource& source, const DnsQuestion& question);      //   the path form

int complain(const Failure& failure) {
  log_critical("start", failure.text);
  return failure.permanent() ? 100 : 111;
}

int run(int argc, char** argv) {
  // The options of both kinds may stand in any order: ours are taken off first.
  std::vector<std::string> words(argv + 1, argv + argc);
  Result<SourceOptions> options = take_options(words);
  if (!options) return complain(options.failure());
  std::vector<char*> rest{argv[0]};
  for (std::string& word : words) rest.push_back(word.data());
  Result<FormArguments> arguments = parse_form_arguments(static_cast<int>(rest.size()), rest.data(), {});
  if (!arguments) return complain(arguments.failure());
  if (arguments->serve) {
    return serve_dns(kServiceFd, arguments->options, [&] { return open_source(*options); });
  }
  Result<DnsQuestion> question = parse_dns_question(arguments->rest);
  if (!question) return complain(question.failure());
  Result<std::unique_ptr<DnsSource>> source = open_source(*options);
  if (!source) return complain(source.failure());
  return answer_once(**source, *question);
}

Result<SourceOptions> take_options(std::vector<std::string>& words) {
  SourceOptions options;
  const auto take = [&](std::string_view name, std::string& value) {
    const auto found = std::find(words.begin(), words.end(), name);
    if (found == words.end()) return true;
    if (found + 1 == words.end()) return false;
    value = *(found + 1);
    words.erase(found, found + 2);
    return true;
  };
  if (!take("--dns", options.dns_file) || !take("--resolver", options.resolver) ||
      !take("--trust-anchor", options.trust_anchor_file)) {
    return permanent("read the arguments: an option needs a value", 100);
  }
  return options;
}

template <typename Source>
Result<std::unique_ptr<DnsSource>> as_source(Result<std::unique_ptr<Source>> source) {
  if (!source) return source.failure();
  return std::unique_ptr<DnsSource>(std::move(*source));
}

Result<std::unique_ptr<DnsSource>> open_source(SourceOptions options) {
  if (!options.dns_file.empty()) return as_source(DnsFile::open(options.dns_file));
  if (options.resolver.empty()) {
    Result<std::string> resolver = control_line_or("resolver", "");
    if (!resolver) return resolver.failure();
    options.resolver = *resolver;
  }
  if (options.trust_anchor_file.empty()) {
    Result<std::optional<std::string>> anchors = control_line("trustanchors");
    if (!anchors) return anchors.failure();
    if (anchors->has_value()) options.trust_anchor_file = home_path("control/trustanchors");
  }
  return as_source(
      UnboundSource::open({.resolver = options.resolver, .trust_anchor_file = options.trust_anchor_file}));
}

int answer_once(DnsSource& source, const DnsQuestion& question) {
  Inquiry inquiry(question, source);
  inquiry.start();
  const int64_t deadline = now_milliseconds() + kQuestionDeadlineMilliseconds;
  while (!inquiry.finished()) {
    const int64_t left = deadline - now_milliseconds();
    pollfd wait{source.descriptor(), POLLIN, 0};
    if (left <= 0) {
      inquiry.give_up("no answer in time");
    } else if (::poll(&wait, 1, static_cast<int>(left)) > 0) {
      source.process();
    }
  }
  if (!write_all(1, answer_text(inquiry.answer()), "write the answer")) return 111;
  return answer_exit_code(inquiry.answer());
}

}  // namespace

}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-dnsq", {}, postern::run, argc, argv);
}
