// What the antivirus stage costs beside libclamav itself, in one process with one engine's signatures:
//
//   direct   cl_scanmap_callback() on the whole message, every parser on: what any program pays
//   stage    scan_message(), as a worker of postern-antivirus calls it
//
// usage: antivirus_cost SIGNATURES TIMES MESSAGE...; antivirus_cost.sh builds and runs it.

#include <clamav.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "lib/fd.h"
#include "lib/text.h"
#include "scanq/antivirus_engine.h"
#include "scanq/antivirus_mime.h"
#include "scanq/antivirus_scan.h"
#include "scanq/antivirus_scratch.h"

namespace {

using namespace postern;

double cpu_milliseconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

// The engine as an operator's own program would make it: same limits, no cache of clean files.
cl_engine* direct_engine(const EngineSettings& settings, const std::string& scratch) {
  cl_engine* engine = cl_engine_new();
  unsigned count = 0;
  cl_engine_set_num(engine, CL_ENGINE_MAX_SCANSIZE, static_cast<long long>(settings.max_scan_bytes));
  cl_engine_set_num(engine, CL_ENGINE_MAX_FILESIZE, static_cast<long long>(settings.max_file_bytes));
  cl_engine_set_num(engine, CL_ENGINE_DISABLE_CACHE, 1);
  cl_engine_set_str(engine, CL_ENGINE_TMPDIR, scratch.c_str());
  if (cl_load(settings.directory.c_str(), engine, &count, CL_DB_STDOPT) != CL_SUCCESS ||
      cl_engine_compile(engine) != CL_SUCCESS) {
    std::exit(111);
  }
  return engine;
}

void scan_directly(cl_engine* engine, const std::string& message) {
  cl_fmap_t* map = cl_fmap_open_memory(message.data(), message.size());
  cl_scan_options options{};
  options.general = CL_SCAN_GENERAL_HEURISTICS;
  options.parse = ~0U;
  options.heuristic = CL_SCAN_HEURISTIC_EXCEEDS_MAX;
  const char* name = nullptr;
  unsigned long scanned = 0;
  cl_scanmap_callback(map, nullptr, &name, &scanned, engine, &options, nullptr);
  cl_fmap_close(map);
}

template <typename Work>
double per_round(unsigned times, const Work& work) {
  const double before = cpu_milliseconds();
  for (unsigned i = 0; i < times; ++i) work();
  return (cpu_milliseconds() - before) / times;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 100;
  Result<EngineSettings> settings = read_engine_settings();
  if (!settings) return 111;
  settings->directory = argv[1];
  const auto times = static_cast<unsigned>(std::max(1, std::atoi(argv[2])));
  Result<Scratch> scratch = Scratch::make();
  Result<Engine> engine = Engine::load(*settings);
  if (!engine || !scratch) {
    std::fprintf(stderr, "%s\n", engine ? "no scratch" : engine.failure().text.c_str());
    return 111;
  }
  engine->use_scratch(scratch->path());
  cl_engine* direct = direct_engine(*settings, scratch->path());
  for (int i = 3; i < argc; ++i) {
    Result<std::string> message = read_file(argv[i], size_t{1} << 30);
    if (!message) return 111;
    // The best of five, taken in turns, for the machine is never quiet.
    std::vector<double> alone;
    std::vector<double> stage;
    for (int round = 0; round < 5; ++round) {
      alone.push_back(per_round(times, [&] { scan_directly(direct, *message); }));
      stage.push_back(per_round(times, [&] {
        ScanBudget budget = engine->budget();
        (void)scan_message(*message, {}, [&](std::string_view bytes, MailParser parser) {
          return engine->scan(bytes, parser, budget);
        });
      }));
    }
    const double least_alone = *std::min_element(alone.begin(), alone.end());
    const double least_stage = *std::min_element(stage.begin(), stage.end());
    std::printf("%-28s %9zu bytes  direct %8.3f ms  stage %8.3f ms  difference %+8.3f ms\n", argv[i],
                message->size(), least_alone, least_stage, least_stage - least_alone);
  }
  return 0;
}
